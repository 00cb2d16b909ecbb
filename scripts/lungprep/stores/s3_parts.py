"""Uploads in parts: invisible before the last request; a failure leaves nothing behind.

Each part is retried separately and carries its SHA-256, which the completing request repeats.
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

# Attempts at a whole upload, if other runs abort it.
TIMES = 4
# Each concurrent part needs a copy in memory.
PARTS_AT_A_TIME = 4

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Upload:
    """Parameters that all requests of uploads share.

    Attributes
    ----------
    client : boto3 client
        Client without retries of its own.
    query : dict of str to str
        Bucket and other arguments of every request.
    retries : Retries
        Retries of the store.
    checksums : bool
        Whether parts carry an S3 checksum, if the store accepts it.
    """

    client: Any
    query: dict[str, str]
    retries: Retries
    checksums: bool = True

    def ask(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Make a request, with retries."""

        def once() -> dict[str, Any]:
            with boto3_errors(f"s3://{self.query['Bucket']}/{arguments.get('Key', '')}"):
                answer: dict[str, Any] = getattr(self.client, name)(**self.query, **arguments)
                return answer

        return self.retries(once)


def upload(requests: Upload, key: str, content: bytes | memoryview, kms_key: str | None) -> str:
    """Store an object in parts.

    Parameters
    ----------
    requests : Upload
        Parameters that all requests share.
    key : str
        Whole key in the bucket.
    content : bytes or memoryview
        Content of the object.
    kms_key : str or None
        KMS key that encrypts the object.

    Returns
    -------
    str
        ETag of the object.

    Raises
    ------
    StoreError
        If a request fails finally; the upload is then aborted.
    """
    for _ in range(TIMES - 1):
        try:
            return _upload_once(requests, key, memoryview(content), kms_key)
        except UploadGone:
            logger.info("the upload of %s was aborted by another run; starting again", key)
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
    """Begin an upload; also tell whether its parts may carry checksums: some stores refuse them."""
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
        logger.info("the store does not accept checksums of parts")
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
    """Complete the upload and ask for the ETag, because some stores return another one here.

    If the answer was lost and the parts are gone, the object itself shows that it was completed.
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
    """Abort unfinished uploads of the given keys directly below a prefix.

    A run that is still uploading one of them finds its upload gone and starts it again.
    """
    try:
        found = requests.ask("list_multipart_uploads", Prefix=prefix, Delimiter="/")
    except UploadGone:
        # rclone gives this answer if no upload exists.
        return 0
    uploads = [item for item in found.get("Uploads", []) if item["Key"] in keys]
    for item in uploads:
        _abort(requests, {"Key": item["Key"], "UploadId": item["UploadId"]})
    return len(uploads)
