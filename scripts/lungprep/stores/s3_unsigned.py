"""Errors for requests that were never sent: nothing to sign them with, or nobody to ask."""

import re
from typing import TYPE_CHECKING

from lungprep.errors import AccessRefused, ConfigError, LungprepError, NoAnswer, StoreUnreachable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError

REMEDY = "check the AWS_* variables or the profile, and the rights on the bucket"
_PROVIDER = r".*External AWS credential provider: (\w+): (.*)"


def no_credentials(where: str) -> AccessRefused:
    """Error for a signed request that there is nothing to sign with."""
    return AccessRefused(f"{where} needs credentials and none were found", REMEDY)


def expired(where: str) -> AccessRefused:
    """Error for keys with a date, of a program or the environment, that were renewed in vain."""
    return AccessRefused(f"{where} needs credentials: those found have expired", REMEDY)


def of_botocore(error: "BotoCoreError", where: str) -> LungprepError:
    """Error for what botocore says before it asks."""
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
    """Error that `s3_credentials.Keys` raised within obstore, from what obstore makes of it."""
    said = re.match(_PROVIDER, text)
    if not said:
        return None
    found, _, remedy = said[2].rpartition("; ")
    if said[1] in (StoreUnreachable.__name__, NoAnswer.__name__):
        return StoreUnreachable(found, remedy)
    return AccessRefused(found, remedy)
