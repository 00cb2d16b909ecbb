"""Source of credentials: obstore itself, or boto3 for sources that obstore does not support.

Keys from the environment are handed to obstore, and it fetches roles of containers and instances.
All other sources go through boto3, whose import costs each job 0.2 s.
"""

import os
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from lungprep.stores import s3_profile, s3_proxies
from lungprep.stores.s3_errors import boto3_errors
from lungprep.stores.s3_settings import Settings, boto3_session
from lungprep.stores.s3_unsigned import no_credentials

# Variables that change where botocore fetches a role, or that only obstore reads.
_OF_ROLES = (
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_IMDSV1_FALLBACK",
    "AWS_IMDS_USE_IPV6",
    "AWS_METADATA_ENDPOINT",
    "AWS_STS_ENDPOINT",
    "AWS_STS_REGIONAL_ENDPOINTS",
    "AWS_TOKEN",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
)
# obstore fetches new keys for each request if they expire in less than five minutes; botocore
# starts a program for each request if they expire in less than ten. Keep keys for this time, s.
_KEPT_S = 15.0


class Keys:
    """Keys of a boto3 session for obstore, which boto3 renews.

    Parameters
    ----------
    where : str
        Address to name in errors.
    settings : Settings
        Settings of the store's clients.
    """

    def __init__(self, where: str, settings: Settings) -> None:
        self._where = where
        with boto3_errors(where):
            session = boto3_session(settings.certificates, settings.region)
            self._found = session.get_credentials()
        if self._found is None:
            raise no_credentials(where)
        self._kept: dict[str, Any] = {}
        self._until = 0.0
        self()

    def __call__(self) -> dict[str, Any]:
        """Keys in obstore's format."""
        if time.monotonic() >= self._until:
            with boto3_errors(self._where):
                keys = self._found.get_frozen_credentials()
            self._kept = {
                "access_key_id": keys.access_key,
                "secret_access_key": keys.secret_key,
                "token": keys.token,
            }
            self._until = time.monotonic() + _KEPT_S
        return {**self._kept, "expires_at": datetime.now(UTC) + timedelta(seconds=_KEPT_S)}


def for_obstore(where: str, settings: Settings) -> dict[str, Any]:
    """Credentials as arguments of obstore's store.

    Parameters
    ----------
    where : str
        Address to name in errors.
    settings : Settings
        Settings of the store's clients.

    Raises
    ------
    AccessRefused
        If boto3 finds no credentials.
    """
    environ = os.environ
    if _needs_boto3(settings):
        return {"credential_provider": Keys(where, settings)}
    if environ.get("AWS_ACCESS_KEY_ID"):
        token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN")
        return {"session_token": token} if token else {}
    metadata = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT")
    return {"metadata_endpoint": metadata} if metadata else {}


def _needs_boto3(settings: Settings) -> bool:
    environ = os.environ
    if environ.get("AWS_ACCESS_KEY_ID"):
        token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN")
        foreign = not token and environ.get("AWS_TOKEN")
        return bool(not environ.get("AWS_SECRET_ACCESS_KEY") or foreign)
    # obstore uses a container's full URI only together with a token file.
    lone_uri = (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI" in environ
        and "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" not in environ
    )
    # obstore asks the STS of amazonaws.com in every region, and trusts only its own authorities.
    elsewhere = "AWS_WEB_IDENTITY_TOKEN_FILE" in environ and (
        not settings.region
        or re.match(r"cn-|us-iso|eu-iso|eusc-", settings.region)
        or environ.get("AWS_CA_BUNDLE")
        or environ.get("REQUESTS_CA_BUNDLE")
    )
    return bool(
        s3_profile.name()
        or s3_profile.files()
        or lone_uri
        or elsewhere
        or s3_proxies.are_named()
        or any(environ.get(name) for name in _OF_ROLES)
    )
