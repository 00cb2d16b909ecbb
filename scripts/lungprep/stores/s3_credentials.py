"""Where credentials come from: obstore itself, or boto3 for what obstore does not know.

Environment keys are handed to obstore as they are, and it asks containers and instances for their
roles. All else is boto3's, whose import costs each job a fifth of a second.
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

# What steers botocore where it asks for a role, and what steers obstore alone.
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
# obstore asks again for each request where less than five minutes are left, botocore starts a
# program for each where less than ten are: between them keys are kept for so long.
_KEPT_S = 15.0


class Keys:
    """Keys of a boto3 session for obstore, renewed by boto3.

    Parameters
    ----------
    where : str
        Address that they are for, for errors.
    settings : Settings
        How the store is asked.
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
        """Keys as obstore takes them."""
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
    """Credentials for obstore, as arguments of its store.

    Parameters
    ----------
    where : str
        Address that they are for.
    settings : Settings
        How the store is asked.

    Raises
    ------
    AccessRefused
        If boto3 finds none.
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
    # obstore asks the full URI of a container only together with a token file.
    lone_uri = (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI" in environ
        and "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" not in environ
    )
    # obstore asks the STS of amazonaws.com, for whichever region, and trusts what it knows itself.
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
