"""S3 clients from the standard ``AWS_*`` environment and profiles.

Environment keys are handed to obstore as they are. Only a profile needs boto3's credential chain,
whose import costs each job a fifth of a second.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lungprep.errors import ConfigError
from lungprep.stores.address import Address
from lungprep.stores.base import S3Options
from lungprep.stores.s3_errors import boto3_errors, no_credentials

if TYPE_CHECKING:
    import obstore

CONNECT_TIMEOUT_S = 10


def endpoint_url(options: S3Options) -> str | None:
    """The endpoint in force: the config's, then the environment's, else Amazon's (None).

    Raises
    ------
    ConfigError
        Where it is no URL of a server; its text may hold a password and is not repeated.
    """
    named = {
        "s3.endpoint_url": options.endpoint_url,
        **{name: os.environ.get(name) for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")},
    }
    for name, url in named.items():
        if url and not re.fullmatch(r"https?://[^/@\s]+/?", url):
            raise ConfigError(
                f"{name} is no URL of a server", "write https://host or http://host:port"
            )
        if url:
            return url
    return None


def is_encrypted(options: S3Options) -> bool:
    """Whether requests go over TLS, which checks every byte by itself."""
    return (endpoint_url(options) or "https").startswith("https")


def object_store(address: Address, options: S3Options) -> "obstore.store.S3Store":
    """Client for the objects below an address; it retries nothing by itself."""
    from obstore.store import S3Store

    settings: dict[str, Any] = {
        "skip_signature": options.anonymous,
        "checksum_algorithm": "SHA256",
        # One DELETE per key: not every S3 has the other one.
        "disable_bulk_delete": True,
    }
    if options.requester_pays:
        settings["request_payer"] = True
    if options.kms_key:
        settings["server_side_encryption"] = "aws:kms"
        settings["sse_kms_key_id"] = options.kms_key
    if metadata := os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT"):
        settings["metadata_endpoint"] = metadata
    region, endpoint = _region(), endpoint_url(options)
    if not options.anonymous and _needs_boto3():
        import boto3
        from obstore.auth.boto3 import Boto3CredentialProvider

        with boto3_errors(str(address)):
            session = boto3.Session()
            if session.get_credentials() is None:
                raise no_credentials(str(address))
            # botocore renews what ends within ten minutes, so what it gives holds for five.
            provider = Boto3CredentialProvider(session, ttl=timedelta(minutes=5))
            settings["credential_provider"] = provider
            region = region or session.region_name
            endpoint = endpoint or session.client("s3").meta.endpoint_url
    region = region or "us-east-1"
    if not endpoint:
        china = ".cn" if region.startswith("cn-") else ""
        endpoint = f"https://s3.{region}.amazonaws.com{china}"
    virtual = not _path_style(address, options, endpoint)
    if virtual:
        endpoint = endpoint.replace("://", f"://{address.bucket}.", 1)
    return S3Store(
        address.bucket,
        prefix=address.prefix,
        region=region,
        # Under its shorter names the variable AWS_ENDPOINT_URL_S3 would win over the config.
        aws_endpoint_url_s3=endpoint,
        virtual_hosted_style_request=virtual,
        client_options={
            "allow_http": True,
            "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
            "read_timeout": timedelta(seconds=options.timeout_s),
            "timeout": timedelta(minutes=15),
        },
        retry_config={"max_retries": 0},
        **settings,
    )


def boto3_client(address: Address, options: S3Options) -> Any:
    """boto3 client for listings and for uploads in parts; it retries nothing by itself."""
    import boto3
    import botocore
    from botocore.config import Config

    session, endpoint = boto3.Session(), endpoint_url(options)
    # A profile may name an endpoint of its own.
    server = endpoint or session.client("s3", region_name=_region()).meta.endpoint_url
    path_style = _path_style(address, options, server)
    return session.client(
        "s3",
        region_name=_region(),
        endpoint_url=endpoint,
        config=Config(
            signature_version=botocore.UNSIGNED if options.anonymous else None,
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=options.timeout_s,
            retries={"mode": "standard", "total_max_attempts": 1},
            s3={"addressing_style": "path" if path_style else "virtual"},
            # Checksums are ours; its own come in a framing that other stores don't know.
            request_checksum_calculation="when_required",
        ),
    )


def _path_style(address: Address, options: S3Options, endpoint: str) -> bool:
    """Whether the bucket is named in the path or in the host, which a dot in it would break."""
    if options.path_style is not None:
        return options.path_style
    amazon = re.search(r"\.amazonaws\.com(\.cn)?/?$", endpoint)
    return not amazon or "." in address.bucket


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _needs_boto3() -> bool:
    """Whether the credentials come from where only boto3 looks.

    obstore itself knows the environment, instance and container roles and web identities.
    """
    environ = os.environ
    if environ.get("AWS_ACCESS_KEY_ID"):
        return False
    files = (
        environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        environ.get("AWS_CONFIG_FILE", "~/.aws/config"),
    )
    # obstore asks the full URI of a container only together with a token file.
    lone_uri = (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI" in environ
        and "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" not in environ
    )
    return (
        "AWS_PROFILE" in environ or lone_uri or any(Path(f).expanduser().is_file() for f in files)
    )
