"""An S3 prefix as a store.

Objects go through obstore (Rust: less than half of boto3's CPU per object, a tenth of its import
time). The two listings of a whole cohort go through boto3, because obstore gives up a listing that
holds a single key with an empty or dot segment, and one odd patient must not hide the others.
"""

import hashlib
import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from lungprep.errors import ObjectNotFound, StoreUnreachable, TransferMismatch
from lungprep.stores import s3_clients
from lungprep.stores.address import Address
from lungprep.stores.base import Entry, S3Options
from lungprep.stores.s3_errors import boto3_errors, obstore_errors

if TYPE_CHECKING:
    import obstore

ATTEMPTS = 6
FIRST_PAUSE_S = 0.2
# Of servers that answer a range with the right bytes and status 200, or with the whole object.
NO_RANGES = "non-partial response"

T = TypeVar("T")


class S3Prefix:
    """Objects below one prefix of one bucket.

    Parameters
    ----------
    address : Address
        Bucket and prefix.
    options : S3Options
        Endpoint, anonymity and payment.
    """

    def __init__(self, address: Address, options: S3Options) -> None:
        self.address = address
        self._options = options
        self._objects: obstore.store.S3Store | None = None
        self._ranges = True

    @property
    def _store(self) -> "obstore.store.S3Store":
        if self._objects is None:
            with obstore_errors(str(self.address)):
                self._objects = s3_clients.object_store(self.address, self._options)
        return self._objects

    def folders(self) -> list[str]:
        """See `Store.folders`."""
        start = len(self.address.prefix)
        return sorted(
            item["Prefix"][start:-1] for page in self._pages() for item in page["CommonPrefixes"]
        )

    def entries(self, *, below: bool = False, folder: str = "") -> list[Entry]:
        """See `Store.entries`; keys that end in ``/`` (empty folder markers) are no objects."""
        if below:
            import obstore

            with obstore_errors(str(self.address)):
                listing = obstore.list(self._store, folder or None).collect()
            found = [Entry(o["path"], o["size"], _bare(o["e_tag"])) for o in listing]
        else:
            start = len(self.address.prefix)
            found = [
                Entry(item["Key"][start:], item["Size"], _bare(item["ETag"]))
                for page in self._pages()
                for item in page["Contents"]
            ]
        return sorted(entry for entry in found if entry.key and not entry.key.endswith("/"))

    def _pages(self) -> Iterator[dict[str, list[dict[str, Any]]]]:
        """One LIST request per 1,000 keys or folders directly below the prefix."""
        with boto3_errors(str(self.address)):
            client = s3_clients.listing_client(self._options)
            paginator = client.get_paginator("list_objects_v2")
            query = {"Bucket": self.address.bucket, "Prefix": self.address.prefix, "Delimiter": "/"}
            if self._options.requester_pays:
                query["RequestPayer"] = "requester"
            for page in paginator.paginate(**query):
                yield {"CommonPrefixes": [], "Contents": [], **page}

    def read(self, key: str, expected: Entry | None = None) -> bytes:
        """See `Store.read`.

        A connection that breaks in the middle of a body is not retried by S3 clients (botocore's
        retries end with the header), so the whole read is.
        """
        return _retried(lambda: self._read_once(key, expected))

    def _read_once(self, key: str, expected: Entry | None) -> bytes:
        import obstore

        where = f"{self.address}{key}"
        with obstore_errors(where):
            answer = obstore.get(self._store, key)
            etag, size = _bare(answer.meta["e_tag"]), answer.meta["size"]
            content = bytes(answer.bytes())
        if expected and (etag, size) != (expected.etag, expected.size):
            raise TransferMismatch(
                f"{where} was replaced while it was being read", "run again when uploads are over"
            )
        if len(content) != size:
            raise StoreUnreachable(
                f"{where} broke off after {len(content)} of {size} bytes", "run again"
            )
        return content

    def read_start(self, key: str, size: int) -> bytes:
        """See `Store.read_start`."""
        return _retried(lambda: self._read_start_once(key, size))

    def _read_start_once(self, key: str, size: int) -> bytes:
        import obstore
        from obstore.exceptions import GenericError

        with obstore_errors(f"{self.address}{key}"):
            if self._ranges:
                try:
                    return bytes(obstore.get_range(self._store, key, start=0, length=size))
                except GenericError as error:
                    if NO_RANGES not in str(error):
                        raise
                    self._ranges = False
            # The connection is closed with the body unread.
            start = next(iter(obstore.get(self._store, key).stream(min_chunk_size=size)), b"")
            return bytes(start)[:size]

    def write(self, key: str, content: bytes | memoryview) -> Entry:
        """See `Store.write`.

        The upload carries its SHA-256, which the store checks where it can. Afterwards the ETag
        must be the content's MD5; where it is not (KMS encryption), the object is read back.
        """
        import obstore

        where = f"{self.address}{key}"
        with obstore_errors(where):
            obstore.put(self._store, key, content, use_multipart=False)
            meta = obstore.head(self._store, key)
        entry = Entry(key, meta["size"], _bare(meta["e_tag"]))
        intact = entry.size == len(content) and (
            entry.etag == hashlib.md5(content, usedforsecurity=False).hexdigest()
            or self.read(key) == content
        )
        if not intact:
            raise TransferMismatch(
                f"{where} differs from what was sent ({entry.size} of {len(content)} bytes)",
                "run again; if it happens twice, check the store",
            )
        return entry

    def stat(self, key: str) -> Entry | None:
        """See `Store.stat`."""
        import obstore

        try:
            with obstore_errors(f"{self.address}{key}"):
                meta = obstore.head(self._store, key)
        except ObjectNotFound:
            return None
        return Entry(key, meta["size"], _bare(meta["e_tag"]))

    def discard(self, key: str) -> None:
        """See `Store.discard`."""
        import obstore

        if self.stat(key) is not None:
            with obstore_errors(f"{self.address}{key}"):
                obstore.delete(self._store, key)


def _bare(etag: str | None) -> str:
    return (etag or "").strip('"')


def _retried(action: Callable[[], T]) -> T:
    """Repeat an idempotent action while the store is unreachable, pausing longer each time."""
    for attempt in range(ATTEMPTS - 1):
        try:
            return action()
        except StoreUnreachable:
            # Jitter keeps jobs that broke together from coming back together.
            time.sleep(FIRST_PAUSE_S * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311
    return action()
