"""Settings of both S3 clients, read once from config, environment and profile.

botocore is imported only if it is needed to interpret the profile. docs/transfers.md lists all
variables and keys that are read.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lungprep.errors import ConfigError
from lungprep.stores import s3_profile, s3_proxies
from lungprep.stores.base import S3Options
from lungprep.stores.s3_errors import boto3_errors
from lungprep.stores.s3_profile import is_true, nested
from lungprep.stores.s3_refusals import refuse_what_can_not_be_done

if TYPE_CHECKING:
    from lungprep.stores.s3_certificates import Bundle

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_BUNDLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
# Profile keys and variables from which botocore derives a host.
_OF_HOSTS = ("endpoint_url", "services", "use_dualstack_endpoint", "use_fips_endpoint")
_SWITCHES = ("AWS_USE_DUALSTACK_ENDPOINT", "AWS_USE_FIPS_ENDPOINT")
# Amazon's regions with the usual host names: eu-west-1, us-gov-east-1, cn-north-1, but not
# us-iso-east-1.
_USUAL_REGION = r"[a-z]{2}-(gov-)?[a-z]+-\d+"


@dataclass(frozen=True)
class Settings:
    """Settings that both clients share.

    Attributes
    ----------
    endpoint : str or None
        Server's URL if config or environment name one; None for Amazon's or a profile's.
    server : str
        Server's URL, from whatever source.
    region : str or None
        Region; None if no source names one.
    addressing : str or None
        ``path`` or ``virtual``: whether the bucket is named in the path of a request or in the
        host; None if not set.
    certificates : Bundle or None
        Trusted certificates; None for each client's own list.
    proxy : str or None
        URL of the web proxy.
    checksums : bool
        Whether uploads carry an S3 checksum; some stores refuse its header.
    """

    endpoint: str | None
    server: str
    region: str | None
    addressing: str | None
    certificates: "Bundle | None"
    proxy: str | None
    checksums: bool

    @property
    def is_encrypted(self) -> bool:
        """Whether requests use TLS, which verifies every byte."""
        return self.server.startswith("https")

    def is_path_style(self, bucket: str) -> bool:
        """Whether to name a bucket in the path, not in the host; a dot in its name requires it."""
        if self.addressing:
            return self.addressing == "path"
        amazon = re.search(r"\.amazonaws\.com(\.cn)?/?$", self.server)
        return not amazon or "." in bucket


def settings(options: S3Options) -> Settings:
    """Read config, environment and profile.

    Raises
    ------
    ConfigError
        If a setting can't be used.
    """
    profile = s3_profile.keys()
    refuse_what_can_not_be_done(profile, anonymous=options.anonymous)
    region = region_of(profile)
    endpoint = _named_endpoint(profile, options)
    server = endpoint or _resolved(profile, region)
    calculated = os.environ.get("AWS_REQUEST_CHECKSUM_CALCULATION") or profile.get(
        "request_checksum_calculation", ""
    )
    return Settings(
        endpoint,
        server,
        region,
        _addressing(profile, options),
        _certificates(profile) if server.startswith("https") else None,
        s3_proxies.proxy_of(server),
        calculated.strip().lower() != "when_required",
    )


def region_of(profile: Mapping[str, str]) -> str | None:
    """Active region: that of the environment, else that of the profile."""
    environ = os.environ
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or profile.get("region")


def boto3_session(certificates: "Bundle | None", region: str | None) -> Any:
    """Session whose clients, including those for tokens and roles, trust the same authorities."""
    import boto3
    import botocore.session

    core = botocore.session.get_session()
    if region:
        core.set_config_variable("region", region)
    if certificates:
        core.set_config_variable("ca_bundle", str(certificates.path))
    elif any(os.environ.get(name, "-").strip() == "" for name in _BUNDLES):
        # botocore refuses a variable that is set but empty.
        core.set_config_variable("ca_bundle", True)
    return boto3.Session(botocore_session=core)


def _named_endpoint(profile: Mapping[str, str], options: S3Options) -> str | None:
    named = {"s3.endpoint_url": options.endpoint_url}
    if not _ignores_endpoints(profile):
        named.update({name: os.environ.get(name) for name in _ENDPOINTS})
    for name, url in named.items():
        if url:
            return _checked(name, url)
    return None


def _ignores_endpoints(profile: Mapping[str, str]) -> bool:
    named = os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
    return is_true(named or profile.get("ignore_configured_endpoint_urls"))


def _checked(name: str, url: str) -> str:
    """Check the URL of a server; an invalid text may hold a password and is not repeated."""
    if not re.fullmatch(r"https?://[^/@\s]+/?", url):
        raise ConfigError(
            f"{name} is not the URL of a server", "write https://host or http://host:port"
        )
    return url


def _resolved(profile: Mapping[str, str], region: str | None) -> str:
    """URL of the server that the profile names, or of Amazon's."""
    s3 = nested(profile.get("s3", ""))
    switched = any(is_true(os.environ.get(name)) for name in _SWITCHES)
    plain = not switched and not any(name in s3 or name in profile for name in _OF_HOSTS)
    region = region or "us-east-1"
    if plain and re.fullmatch(_USUAL_REGION, region):
        china = ".cn" if region.startswith("cn-") else ""
        return f"https://s3.{region}.amazonaws.com{china}"
    return _checked("endpoint_url of the profile", _by_botocore(region))


def _by_botocore(region: str) -> str:
    """URL of the server by botocore's rules, taken from a bucket request: others may differ."""
    import botocore
    from botocore.config import Config

    config = Config(signature_version=botocore.UNSIGNED, s3={"addressing_style": "path"})
    with boto3_errors("Amazon S3, or what the profile names,"):
        client = boto3_session(None, region).client("s3", config=config)
        url = str(client.generate_presigned_url("head_bucket", Params={"Bucket": "bucket"}))
    return url.partition("?")[0].removesuffix("/bucket")


def _certificates(profile: Mapping[str, str]) -> "Bundle | None":
    from lungprep.stores.s3_certificates import bundle

    return bundle(profile)


def _addressing(profile: Mapping[str, str], options: S3Options) -> str | None:
    if options.path_style is not None:
        return "path" if options.path_style else "virtual"
    style = nested(profile.get("s3", "")).get("addressing_style")
    return style if style in ("path", "virtual") else None
