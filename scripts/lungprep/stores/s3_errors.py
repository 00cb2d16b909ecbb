"""One typed line for what an S3 client raises, in place of its page.

The type decides what happens next: `StoreUnreachable` is tried again (see `retrying`), all others
are final.
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
# S3 names the tier in its answer; only where it does not is the listing asked.
_TIER = re.compile(r"<(?:AccessTier|StorageClass)>([A-Z_]+)</")
_CONTROL = re.compile(r"[\0-\x1f\x7f]")
_CODE = re.compile(r"<Code>([\w.]+)</Code>")
_EXPECTED = re.compile(r"<Region>([\w-]{1,40})</Region>")
_STATUS = re.compile(r"status code: (\d{3})")
_REGION = re.compile(r"[a-z0-9-]{1,40}")
# Of an error's XML.
LONGEST_ERROR = 1 << 16
_SERVER = re.compile(r"https?://[^/\s\",]+")
_CAUSE = re.compile(r"kind: (ConnectionRefused|ConnectionReset|TimedOut)|(dns error)")


class TierUntold(ArchivedObject):
    """The answer does not say in which tier the object is; never leaves a store's `read`."""


class EtagUntold(StoreUnreachable):
    """The answer to an upload has no ETag, which obstore needs; never leaves a store's `write`."""


class HeadersUnfit(StoreUnreachable):
    """The answer has no Content-Length, or a Last-Modified of another form; never leaves a store.

    obstore takes no such answer, though nothing is wrong with the object.
    """


class UploadGone(RequestRefused):
    """The parts were put together or given up; never leaves the stores."""


@contextmanager
def boto3_errors(where: str) -> Iterator[None]:
    """Turn what boto3 raises within the block into a `StoreError` about the address `where`."""
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
        raise RequestRefused(f"{where} can't be asked for: {found}", "check the config") from error
    except BotoCoreError as error:
        raise of_botocore(error, where) from error
    except RuntimeError as error:
        # botocore's own word for it.
        if "still expired" not in str(error):
            raise
        raise expired(where) from error


@contextmanager
def obstore_errors(where: str) -> Iterator[None]:
    """Turn what obstore raises within the block into an error about the address `where`.

    A `StoreError`, or `UnusableKey` or `ArchivedObject`: an object of that name, or in an archive,
    is no fault of the store's.
    """
    from lungprep.stores.s3_library import obstore

    try:
        yield
    except obstore.exceptions.InvalidPathError as error:
        found = str(error).splitlines()[0]
        raise UnusableKey(
            f"{where} holds an object that can't be asked for ({found})", "rename it"
        ) from error
    except (obstore.exceptions.BaseError, FileNotFoundError) as error:
        text = str(error)
        status = _STATUS.search(text)
        code = _CODE.search(text) or status
        if code and code[1] == ARCHIVED:
            # The tier of a class that has several comes after the class.
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
            raise EtagUntold(f"{where} is answered without an ETag", _NETWORK) from error
        if "Content-Length Header missing" in text or "Invalid last modified" in text:
            raise HeadersUnfit(f"{where} comes without its length or date", _NETWORK) from error
        if "error sending request" in text.splitlines()[0]:
            raise no_answer(text, where) from error
        raise broke_off(where) from error


def check_key(key: str, address: Address) -> None:
    """Refuse a key that S3 takes and obstore does not ask for.

    Raises
    ------
    UnusableKey
        For a control character, or an empty or dot segment.
    """
    control = bool(_CONTROL.search(key))
    if control or {"", ".", ".."} & set(key.split("/")):
        what = "a control character" if control else "an empty or dot segment"
        raise UnusableKey(
            f"{address} holds an object that can't be asked for ({key} has {what})",
            "rename it",
        )


def broke_off(where: str, how: str = "broke off, or stalled") -> StoreUnreachable:
    """Error for an answer that began and is of no use."""
    return StoreUnreachable(f"{where} {how}", _NETWORK)


def replaced(where: str) -> TransferMismatch:
    """Error for an object that is not the one which was listed."""
    return TransferMismatch(
        f"{where} was replaced while it was being read", "run again when uploads are over"
    )


def archived(
    where: str, tier: str | None, kind: type[ArchivedObject] = ArchivedObject
) -> ArchivedObject:
    """Error for an object that must be restored from a tier, if that is known, before it is read.

    It has the same ETag then, so that a patient who was set aside for it must be asked for.
    """
    return kind(
        f"{where} is archived{f' ({tier})' if tier else ''}",
        "restore it first, then run again, with retry_failed=true if the patient is quarantined",
    )


def untold(where: str) -> ArchivedObject:
    """The same where the answer does not say the tier."""
    return archived(where, None, TierUntold)


def explain(code: str, where: str, status: int = 0, region: str | None = None) -> LungprepError:
    """Typed error for an S3 error code.

    Parameters
    ----------
    code : str
        S3's error code, or an HTTP status where it sent none.
    where : str
        Address of what was asked for.
    status : int
        HTTP status that came with the code; 0 where unknown.
    region : str, optional
        The one that the store would have the request signed for.
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
        return UploadGone(f"the parts of {where} are gone", "run again")
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
        f"see what {code} means in the S3 documentation, and check the address and the s3 options",
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
        "set the endpoint to where the store itself answers",
    )


def no_answer(text: str, where: str) -> StoreError:
    """Error for a server, named in a client's text, that says nothing."""
    from lungprep.stores.s3_distrust import refusal

    server, cause = _SERVER.search(text), _CAUSE.search(text)
    refused = refusal(text, where, server[0] if server else "the server")
    if refused:
        return refused
    found = f"no connection to {server[0]}" if server else "no connection"
    if cause:
        found += f": {cause[1] or cause[2]}"
    return NoAnswer(f"{where} could not be reached ({found})", _NETWORK)
