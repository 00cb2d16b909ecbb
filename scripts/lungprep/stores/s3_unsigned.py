"""Errors for requests that were never sent, for lack of credentials or of a server."""

import re
from typing import TYPE_CHECKING

from lungprep.errors import AccessRefused, ConfigError, LungprepError, NoAnswer, StoreUnreachable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError

REMEDY = "check the AWS_* variables or the profile, and the rights on the bucket"
_PROVIDER = r".*External AWS credential provider: (\w+): (.*)"


def no_credentials(where: str) -> AccessRefused:
    """Error for a signed request without credentials."""
    return AccessRefused(f"{where} needs credentials, but none were found", REMEDY)


def expired(where: str) -> AccessRefused:
    """Error for keys of a program or the environment that have expired and can't be renewed."""
    return AccessRefused(f"{where} needs credentials: those found have expired", REMEDY)


def of_botocore(error: "BotoCoreError", where: str) -> LungprepError:
    """Error for a failure of botocore before the request."""
    from botocore.exceptions import (
        EndpointProviderError,
        NoRegionError,
        SSOError,
        TokenRetrievalError,
    )

    if isinstance(error, (EndpointProviderError, NoRegionError)):
        return ConfigError(
            f"{where} has no server: {error}",
            "check region, endpoint, dual stack and FIPS in the AWS_* variables and the profile",
        )
    found = f"{where} needs credentials: {error}"
    signed_out = isinstance(error, (SSOError, TokenRetrievalError))
    return AccessRefused(found, "run aws sso login, then again" if signed_out else REMEDY)


def of_provider(text: str) -> LungprepError | None:
    """Error that `s3_credentials.Keys` raised inside obstore, recovered from obstore's text."""
    said = re.match(_PROVIDER, text)
    if not said:
        return None
    found, _, remedy = said[2].rpartition("; ")
    if said[1] in (StoreUnreachable.__name__, NoAnswer.__name__):
        return StoreUnreachable(found, remedy)
    return AccessRefused(found, remedy)
