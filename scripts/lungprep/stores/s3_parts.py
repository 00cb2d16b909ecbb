"""Uploads in parts: nothing is visible before the last request, and nothing is left by a failure.

Each part is retried by itself and carries its SHA-256, which the request that puts them together
repeats.
"""

import base64
import hashlib
import logging
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from lungprep.errors import ObjectNotFound, RequestRefused, StoreError
from lungprep.stores.etags import PART_BYTES, bare, is_of
from lungprep.stores.retrying import Retries
from lungprep.stores.s3_errors import UploadGone, boto3_errors

# Of a whole upload, where others give up its parts.
TIMES = 4
# Each holds a copy of its part.
PARTS_AT_A_TIME = 4

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Upload:
    """What the requests share.

    Attributes
    ----------
    client : boto3 client
        Without retries of its own.
    query : dict of str to str
        Bucket, and what goes with each request.
    retries : Retries
        Of the store.
    checksums : bool
        Whether parts carry a checksum of S3's, as long as the store takes it.
    """

    client: Any
    query: dict[str, str]
    retries: Retries
    checksums: bool = True

    def ask(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Make a request and retry it."""

        def once() -> dict[str, Any]:
            with boto3_errors(f"s3://{self.query['Bucket']}/{arguments.get('Key', '')}"):
                answer: dict[str, Any] = getattr(self.client, name)(**self.query, **arguments)
                return answer

        return self.retries(once)


def upload(requests: Upload, key: str, content: bytes | memoryview, kms_key: str | None) -> str:
    """Store an object from its parts.

    Parameters
    ----------
    requests : Upload
        What the requests share.
    key : str
        Whole key in the bucket.
    content : bytes or memoryview
        What is stored.
    kms_key : str or None
        Key of the store's encryption.

    Returns
    -------
    str
        The ETag of the object.

    Raises
    ------
    StoreError
        Where a request fails for good; the parts are given up then.
    """
    for _ in range(TIMES - 1):
        try:
            return _upload_once(requests, key, memoryview(content), kms_key)
        except UploadGone:
            logger.info("the upload of %s was given up by another run; once more", key)
    return _upload_once(requests, key, memoryview(content), kms_key)


def _upload_once(requests: Upload, key: str, content: memoryview, kms_key: str | None) -> str:
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    begun, checked = _begin(requests, Key=key, **encryption)
    this = {"Key": key, "UploadId": str(begun["UploadId"])}
    completed = False
    try:
        with ThreadPoolExecutor(PARTS_AT_A_TIME) as pool:
            starts = range(0, len(content), PART_BYTES)
            pieces = (content[start : start + PART_BYTES] for start in starts)
            send = partial(_send, requests, this, checked)
            parts = list(pool.map(send, count(1), pieces))
        etag = _complete(requests, this, parts, content)
        completed = True
    finally:
        if not completed:
            _abort(requests, this)
    return etag


def _begin(requests: Upload, **what: str) -> tuple[dict[str, Any], bool]:
    """Begin an upload; whether its parts may carry checksums, which some stores refuse here."""
    begin = partial(requests.ask, "create_multipart_upload", **what)
    if not requests.checksums:
        return begin(), False
    try:
        return begin(ChecksumAlgorithm="SHA256"), True
    except RequestRefused as error:
        try:
            begun = begin()
        except RequestRefused:
            raise error from None
        logger.info("the store takes no checksums of parts")
        return begun, False


def _send(
    requests: Upload, this: dict[str, str], checked: bool, number: int, piece: memoryview
) -> dict[str, Any]:
    body, checksum = bytes(piece), {}
    if checked:
        checksum["ChecksumSHA256"] = base64.b64encode(hashlib.sha256(body).digest()).decode()
    sent = requests.ask("upload_part", PartNumber=number, Body=body, **checksum, **this)
    return {"PartNumber": number, "ETag": sent["ETag"], **checksum}


def _complete(
    requests: Upload, this: dict[str, str], parts: list[dict[str, Any]], content: memoryview
) -> str:
    """Put the parts together, and ask for the ETag: some stores answer another one here.

    Where the answer was lost and the parts are gone, the object tells that it was done.
    """
    gone = None
    try:
        requests.ask("complete_multipart_upload", MultipartUpload={"Parts": parts}, **this)
    except UploadGone as error:
        gone = error
    try:
        etag = bare(requests.ask("head_object", Key=this["Key"])["ETag"])
    except ObjectNotFound as error:
        raise gone or error from error
    if gone and not is_of(content, etag):
        raise gone
    return etag


def _abort(requests: Upload, this: dict[str, str]) -> None:
    try:
        requests.ask("abort_multipart_upload", **this)
    except UploadGone:
        return
    except StoreError as error:
        logger.warning("parts of %s are left in the store: %s", this["Key"], error)


def abort_abandoned(requests: Upload, prefix: str, keys: Collection[str]) -> int:
    """Give up uploads of some keys directly below a prefix that were begun and not ended.

    A run that still sends parts to one of them finds it gone and begins it again.
    """
    try:
        found = requests.ask("list_multipart_uploads", Prefix=prefix, Delimiter="/")
    except UploadGone:
        # What rclone answers where there are none.
        return 0
    uploads = [item for item in found.get("Uploads", []) if item["Key"] in keys]
    for item in uploads:
        _abort(requests, {"Key": item["Key"], "UploadId": item["UploadId"]})
    return len(uploads)
