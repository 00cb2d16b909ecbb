"""The two S3 clients, both configured by `s3_settings`, without retries of their own."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lungprep.stores import s3_credentials, s3_proxies
from lungprep.stores.address import Address
from lungprep.stores.base import S3Options
from lungprep.stores.s3_settings import Settings, boto3_session, settings

if TYPE_CHECKING:
    from obstore.store import ClientConfig

    from lungprep.stores.s3_library import obstore

CONNECT_TIMEOUT_S = 10


def object_store(address: Address, options: S3Options) -> "obstore.store.S3Store":
    """Client for the objects below an address."""
    from lungprep.stores.s3_library import obstore

    asked = settings(options)
    given: dict[str, Any] = {
        "skip_signature": options.anonymous,
        # Override environment variables that only obstore reads.
        "unsigned_payload": False,
        "s3_express": False,
        "request_payer": options.requester_pays,
        # One DELETE per key: not every S3 store supports bulk deletion.
        "disable_bulk_delete": True,
    }
    if asked.checksums:
        given["checksum_algorithm"] = "SHA256"
    if options.kms_key:
        given["server_side_encryption"] = "aws:kms"
        given["sse_kms_key_id"] = options.kms_key
    if not options.anonymous:
        given.update(s3_credentials.for_obstore(str(address), asked))
    server, path_style = asked.server, asked.is_path_style(address.bucket)
    if not path_style:
        server = server.replace("://", f"://{address.bucket}.", 1)
    try:
        return obstore.store.S3Store(
            address.bucket,
            prefix=address.prefix,
            region=asked.region or "us-east-1",
            # Under a shorter name of this key, AWS_ENDPOINT_URL_S3 would override the config.
            aws_endpoint_url_s3=server,
            virtual_hosted_style_request=not path_style,
            client_options=_client_options(asked, options),
            retry_config={"max_retries": 0},
            **given,
        )
    except (obstore.exceptions.GenericError, ValueError) as error:
        if asked.certificates and "ertificate" in str(error):
            raise asked.certificates.unreadable() from error
        raise


def is_encrypted(options: S3Options) -> bool:
    """Whether requests use TLS, which verifies every byte."""
    return settings(options).is_encrypted


def sends_checksums(options: S3Options) -> bool:
    """Whether uploads carry an S3 checksum."""
    return settings(options).checksums


def _client_options(asked: Settings, options: S3Options) -> "ClientConfig":
    chosen: ClientConfig = {
        "allow_http": True,
        "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT_S),
        "read_timeout": timedelta(seconds=options.timeout_s),
        "timeout": timedelta(minutes=15),
        **s3_proxies.obstore_options(asked.proxy),
    }
    if asked.certificates:
        # Trust only these certificates, as boto3 does.
        chosen["root_certificate"] = asked.certificates.pem
        chosen["disable_system_certificates"] = True  # type: ignore[typeddict-unknown-key]
    return chosen


def boto3_client(address: Address, options: S3Options) -> Any:
    """Create a boto3 client for uploads in parts."""
    import ssl

    import botocore
    from botocore.config import Config

    asked = settings(options)
    if asked.certificates:
        try:
            ssl.create_default_context(cafile=str(asked.certificates.path))
        except ssl.SSLError as error:
            raise asked.certificates.unreadable() from error
    scheme = asked.server.partition("://")[0]
    path_style = asked.is_path_style(address.bucket)
    return boto3_session(asked.certificates, asked.region).client(
        "s3",
        endpoint_url=asked.endpoint,
        config=Config(
            signature_version=botocore.UNSIGNED if options.anonymous else None,
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=options.timeout_s,
            retries={"mode": "standard", "total_max_attempts": 1},
            s3={"addressing_style": "path" if path_style else "virtual"},
            proxies={scheme: asked.proxy} if asked.proxy else {},
            # lungprep sends its own checksums; boto3's framing fails at some other stores.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
