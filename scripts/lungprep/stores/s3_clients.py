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


def object_store(address: Address, options: S3Options) -> "obstore.store.S3Store":
    """Client for the objects below an address."""
    from obstore.store import S3Store

    settings: dict[str, Any] = {"skip_signature": options.anonymous, "checksum_algorithm": "SHA256"}
    if options.requester_pays:
        settings["request_payer"] = True
    region, endpoint = _region(), endpoint_url(options)
    if not options.anonymous and _uses_profile():
        import boto3
        from obstore.auth.boto3 import Boto3CredentialProvider

        with boto3_errors(str(address)):
            session = boto3.Session()
            if session.get_credentials() is None:
                raise no_credentials(str(address))
            settings["credential_provider"] = Boto3CredentialProvider(session)
            region = region or session.region_name
            endpoint = endpoint or session.client("s3").meta.endpoint_url
    if endpoint:
        # Under its shorter names the variable AWS_ENDPOINT_URL_S3 would win over the config.
        settings["aws_endpoint_url_s3"] = endpoint
        settings["virtual_hosted_style_request"] = False
    return S3Store(
        address.bucket,
        prefix=address.prefix,
        region=region or "us-east-1",
        client_options={
            "allow_http": True,
            "connect_timeout": timedelta(seconds=10),
            "read_timeout": timedelta(seconds=60),
            "timeout": timedelta(minutes=15),
        },
        retry_config={"max_retries": 5, "retry_timeout": timedelta(seconds=60)},
        **settings,
    )


def listing_client(options: S3Options) -> Any:
    """boto3 client for the listings of a whole cohort."""
    import boto3
    import botocore
    from botocore.config import Config

    return boto3.Session().client(
        "s3",
        region_name=_region(),
        endpoint_url=endpoint_url(options),
        config=Config(
            signature_version=botocore.UNSIGNED if options.anonymous else None,
            connect_timeout=10,
            read_timeout=60,
            retries={"mode": "standard", "total_max_attempts": 4},
        ),
    )


def _region() -> str | None:
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _uses_profile() -> bool:
    if os.environ.get("AWS_ACCESS_KEY_ID"):
        return False
    files = (
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"),
        os.environ.get("AWS_CONFIG_FILE", "~/.aws/config"),
    )
    return "AWS_PROFILE" in os.environ or any(Path(f).expanduser().is_file() for f in files)
