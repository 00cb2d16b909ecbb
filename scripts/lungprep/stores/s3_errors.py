"""One line for what an S3 client raises, in place of its page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from lungprep.errors import (
    AccessRefused,
    NotFound,
    ObjectNotFound,
    StoreError,
    StoreUnreachable,
    UnusableKey,
)

_CREDENTIALS = "check the AWS_* variables or the profile, and the rights on the bucket"
_REFUSED = {
    "403",
    "401",
    "AccessDenied",
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}
_CODE = re.compile(r"<Code>(\w+)</Code>")
_NO_CONNECTION = re.compile("error sending request|Could not connect|timed out", re.IGNORECASE)
_SERVER = re.compile(r"https?://[^/\s\"]+")
_STATUS = re.compile(r"status code: (\d{3})")


@contextmanager
def boto3_errors(where: str) -> Iterator[None]:
    """Turn what boto3 raises within the block into a `StoreError` about the address `where`."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConfigNotFound,
        ConfigParseError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
    )

    try:
        yield
    except ClientError as error:
        raise explain(error.response["Error"]["Code"], where) from error
    except NoCredentialsError as error:
        raise no_credentials(where) from error
    except (ConfigNotFound, ConfigParseError, PartialCredentialsError, ProfileNotFound) as error:
        raise AccessRefused(f"{where} needs credentials: {error}", _CREDENTIALS) from error
    except BotoCoreError as error:
        raise explain(str(error), where) from error


@contextmanager
def obstore_errors(where: str) -> Iterator[None]:
    """Turn what obstore raises within the block into an error about the address `where`.

    A `StoreError`, or `UnusableKey`: an object of that name is no fault of the store's.
    """
    from obstore.exceptions import BaseError, InvalidPathError

    try:
        yield
    except InvalidPathError as error:
        found = str(error).splitlines()[0]
        raise UnusableKey(
            f"{where} holds an object that can't be asked for ({found})", "rename it"
        ) from error
    except (BaseError, FileNotFoundError) as error:
        code = _CODE.search(str(error)) or _STATUS.search(str(error))
        raise explain(code[1] if code else str(error).splitlines()[0], where) from error


def no_credentials(where: str) -> AccessRefused:
    """Error for a signed request that there is nothing to sign with."""
    return AccessRefused(f"{where} needs credentials and none were found", _CREDENTIALS)


def explain(code: str, where: str) -> StoreError:
    """Typed error for an S3 error code, or for the text of an error that has none.

    Parameters
    ----------
    code : str
        S3's error code, an HTTP status, or what the client said.
    where : str
        Address of what was asked for.
    """
    if code == "NoSuchBucket":
        bucket = where.removeprefix("s3://").partition("/")[0]
        return NotFound(f"bucket {bucket} does not exist", "create it, or correct the address")
    if code in {"NoSuchKey", "404"}:
        return ObjectNotFound(f"{where} does not exist", "check the address")
    if code in {"PermanentRedirect", "301"}:
        return AccessRefused(f"{where} is in another region", "set AWS_REGION to the bucket's")
    if code in _REFUSED:
        return AccessRefused(f"{where} was refused ({code})", _CREDENTIALS)
    if _NO_CONNECTION.search(code):
        server = _SERVER.search(code)
        code = f"no connection to {server[0]}" if server else "no connection"
    return StoreUnreachable(
        f"{where} could not be reached ({code})", "check the endpoint and the network, run again"
    )
