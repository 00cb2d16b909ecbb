"""Translation of the S3 clients' errors into typed errors of one line.

The type decides what happens next: `StoreUnreachable` is retried (see `retrying`), all others are
final.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from lungprep.errors import (
    AccessRefused,
    ArchivedObject,
    LungprepError,
    NoAnswer,
    NotFound,
    ObjectNotFound,
    RequestRefused,
    StoreError,
    StoreUnreachable,
    TransferMismatch,
    UnusableKey,
)
from lungprep.stores.address import Address
from lungprep.stores.s3_codes import REFUSED, TRANSIENT
from lungprep.stores.s3_unsigned import (
    REMEDY,
    expired,
    no_credentials,
    of_botocore,
    of_provider,
)

ARCHIVED = "InvalidObjectState"
_NETWORK = "check the endpoint and the network, run again"
# Usually the answer names the tier; only otherwise is the listing asked.
_TIER = re.compile(r"<(?:AccessTier|StorageClass)>([A-Z_]+)</")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_CODE = re.compile(r"<Code>([\w.]+)</Code>")
_EXPECTED = re.compile(r"<Region>([\w-]{1,40})</Region>")
_STATUS = re.compile(r"status code: (\d{3})")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
# Maximum number of bytes of an error's XML that are read.
LONGEST_ERROR = 1 << 16
_SERVER = re.compile(r"https?://[^/\s\",]+")
_CAUSE = re.compile(r"kind: (ConnectionRefused|ConnectionReset|TimedOut)|(dns error)")


class TierUntold(ArchivedObject):
    """The answer does not name the object's tier; never leaves a store's `read`."""


class EtagUntold(StoreUnreachable):
    """The answer to an upload has no ETag, which obstore requires; never leaves `write`."""


class HeadersUnfit(StoreUnreachable):
    """The answer lacks Content-Length, or its Last-Modified is malformed; never leaves a store.

    obstore rejects such an answer, although the object itself is sound.
    """


class UploadGone(RequestRefused):
    """The upload was completed or aborted elsewhere; never leaves the stores."""


@contextmanager
def boto3_errors(where: str) -> Iterator[None]:
    """Turn errors of boto3 within the block into a `StoreError` about the address `where`."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,
        HTTPClientError,
        IncompleteReadError,
        NoCredentialsError,
        ParamValidationError,
    )
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        told = error.response["Error"]
        raise explain(told["Code"], where, int(status), told.get("Region")) from error
    except NoCredentialsError as error:
        raise no_credentials(where) from error
    except (ConnectionError, HTTPClientError) as error:
        raise no_answer(str(error), where) from error
    except (IncompleteReadError, ResponseParserError) as error:
        raise broke_off(where) from error
    except ParamValidationError as error:
        found = " ".join(str(error).split())
        raise RequestRefused(f"{where} can't be requested: {found}", "check the config") from error
    except BotoCoreError as error:
        raise of_botocore(error, where) from error
    except RuntimeError as error:
        # botocore raises a plain RuntimeError for expired credentials.
        if "still expired" not in str(error):
            raise
        raise expired(where) from error


@contextmanager
def obstore_errors(where: str) -> Iterator[None]:
    """Turn errors of obstore within the block into errors about the address `where`.

    Usually a `StoreError`; but `UnusableKey` or `ArchivedObject` if the object itself is the
    problem, not the store.
    """
    from lungprep.stores.s3_library import obstore

    try:
        yield
    except obstore.exceptions.InvalidPathError as error:
        found = str(error).splitlines()[0]
        raise UnusableKey(
            f"{where} holds an object that can't be requested ({found})", "rename it"
        ) from error
    except (obstore.exceptions.BaseError, FileNotFoundError) as error:
        text = str(error)
        status = _STATUS.search(text)
        code = _CODE.search(text) or status
        if code and code[1] == ARCHIVED:
            # The storage class comes first; if the class has tiers, the tier follows.
            tiers = _TIER.findall(text)
            raise (archived(where, tiers[-1]) if tiers else untold(where)) from error
        if code:
            region = _EXPECTED.search(text)
            known = int(status[1]) if status else 0
            raise explain(code[1], where, known, region and region[1]) from error
        if unsigned := of_provider(text):
            raise unsigned from error
        if "redirect without LOCATION" in text:
            raise explain("PermanentRedirect", where) from error
        if "ETag Header missing" in text:
            raise EtagUntold(f"{where} was answered without an ETag", _NETWORK) from error
        if "Content-Length Header missing" in text or "Invalid last modified" in text:
            raise HeadersUnfit(f"{where} comes without its length or date", _NETWORK) from error
        if "error sending request" in text.splitlines()[0]:
            raise no_answer(text, where) from error
        raise broke_off(where) from error


def check_key(key: str, address: Address) -> None:
    """Refuse a key that S3 accepts but obstore does not.

    Raises
    ------
    UnusableKey
        If the key has a control character, or an empty or dot segment.
    """
    control = bool(_CONTROL.search(key))
    if control or {"", ".", ".."} & set(key.split("/")):
        what = "a control character" if control else "an empty or dot segment"
        raise UnusableKey(
            f"{address} holds an object that can't be requested ({key} has {what})",
            "rename it",
        )


def broke_off(where: str, how: str = "broke off or stalled") -> StoreUnreachable:
    """Error for an answer that began but can't be used."""
    return StoreUnreachable(f"{where} {how}", _NETWORK)


def replaced(where: str) -> TransferMismatch:
    """Error for an object that changed after it was listed."""
    return TransferMismatch(
        f"{where} was replaced while it was being read", "run again when uploads are over"
    )


def archived(
    where: str, tier: str | None, kind: type[ArchivedObject] = ArchivedObject
) -> ArchivedObject:
    """Error for an object that must be restored before it can be read; the tier may be unknown.

    Restoring does not change the ETag, so a patient who was quarantined must be retried explicitly.
    """
    return kind(
        f"{where} is archived{f' ({tier})' if tier else ''}",
        "restore it first, then run again, with retry_failed=true if the patient is quarantined",
    )


def untold(where: str) -> ArchivedObject:
    """Error for an archived object if the answer does not name the tier."""
    return archived(where, None, TierUntold)


def explain(code: str, where: str, status: int = 0, region: str | None = None) -> LungprepError:
    """Typed error for an S3 error code.

    Parameters
    ----------
    code : str
        S3's error code, or an HTTP status if the answer had no code.
    where : str
        Address of the request.
    status : int
        HTTP status that came with the code; 0 if unknown.
    region : str, optional
        Region that the store expects in the signature.
    """
    if code == "NoSuchBucket":
        bucket = where.removeprefix("s3://").partition("/")[0]
        return NotFound(f"bucket {bucket} does not exist", "create it, or correct the address")
    if code in {"NoSuchKey", "404"}:
        return ObjectNotFound(f"{where} does not exist", "check the address")
    if code in {"PermanentRedirect", "301"}:
        return AccessRefused(f"{where} is in another region", "set AWS_REGION to the bucket's")
    if code == "AuthorizationHeaderMalformed" and region:
        return AccessRefused(f"{where} is in another region ({region})", f"set AWS_REGION={region}")
    if code in {"PreconditionFailed", "412"}:
        return replaced(where)
    if code == ARCHIVED:
        return untold(where)
    if code == "NoSuchUpload":
        return UploadGone(f"the upload of {where} is gone", "run again")
    if code == "RequestTimeTooSkewed":
        return AccessRefused(f"{where} was refused ({code})", "set the clock of this machine")
    if code in REFUSED:
        return AccessRefused(f"{where} was refused ({code})", REMEDY)
    if code in TRANSIENT or (status >= 500 and status != 501):
        return StoreUnreachable(f"{where} could not be reached ({code})", _NETWORK)
    if status == 403:
        return AccessRefused(f"{where} was refused ({code})", REMEDY)
    return RequestRefused(
        f"{where} was refused ({code})",
        f"look up {code} in the S3 documentation, and check the address and the s3 options",
    )


def explain_answer(
    status: int, headers: Mapping[str, str], body: bytes, where: str
) -> LungprepError:
    """Typed error for an answer that is neither a listing nor an object."""
    text = body[:LONGEST_ERROR].decode(errors="replace")
    code, expected = _CODE.search(text), _EXPECTED.search(text)
    if not 300 <= status < 400 or status == 304:
        told = code[1] if code else str(status)
        return explain(told, where, status, expected and expected[1])
    region, location = headers.get("x-amz-bucket-region"), headers.get("location", "")
    if region and _REGION.fullmatch(region):
        return AccessRefused(
            f"{where} is in another region ({region})", f"set AWS_REGION to {region}"
        )
    if code and code[1] in ("PermanentRedirect", "TemporaryRedirect") and not location:
        return explain("PermanentRedirect", where)
    server = _SERVER.match(location)
    return RequestRefused(
        f"{where} is redirected ({status}){f' to {server[0]}' if server else ''}",
        "set the endpoint to the store's own URL",
    )


def no_answer(text: str, where: str) -> StoreError:
    """Error for a server that does not answer; the client's text may name it."""
    from lungprep.stores.s3_distrust import refusal

    server, cause = _SERVER.search(text), _CAUSE.search(text)
    refused = refusal(text, where, server[0] if server else "the server")
    if refused:
        return refused
    found = f"no connection to {server[0]}" if server else "no connection"
    if cause:
        found += f": {cause[1] or cause[2]}"
    return NoAnswer(f"{where} could not be reached ({found})", _NETWORK)
