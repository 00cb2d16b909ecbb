"""An S3 prefix as a store.

Objects go through obstore (Rust: less than half of boto3's CPU per object, a tenth of its import
time). The two listings of a whole cohort go through boto3, because obstore gives up a listing that
holds a single key with an empty or dot segment, and one odd patient must not hide the others; so do
uploads in parts, because obstore gives up all parts with the first that fails. docs/transfers.md
has the figures.
"""

from collections.abc import Collection
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from lungprep.errors import ObjectNotFound, TransferMismatch
from lungprep.stores import retrying, s3_clients, s3_parts
from lungprep.stores.address import Address
from lungprep.stores.base import Entry, S3Options
from lungprep.stores.etags import Checks, bare, is_of
from lungprep.stores.level import Level
from lungprep.stores.retrying import Retries
from lungprep.stores.s3_errors import (
    TierUntold,
    archived,
    boto3_errors,
    broke_off,
    obstore_errors,
    replaced,
)
from lungprep.stores.s3_listing import S3Listing

if TYPE_CHECKING:
    import obstore

# Of servers that answer a range with the right bytes and status 200, or with the whole object.
NO_RANGES = "non-partial response"
# Above this an upload goes in parts: a part that fails is sent again, not the whole.
SINGLE_BYTES = 64 << 20


class S3Prefix:
    """Objects below one prefix of one bucket.

    Parameters
    ----------
    address : Address
        Bucket and prefix.
    options : S3Options
        Endpoint, anonymity, payment, encryption, owner.
    answered : bool
        Whether the store is known to answer, see `Retries`.
    """

    def __init__(self, address: Address, options: S3Options, *, answered: bool = False) -> None:
        self.address = address
        self._options = options
        self._retries = Retries(retrying.POLICY, answered=answered)
        self._checks = Checks(str(address))
        self._objects: obstore.store.S3Store | None = None
        self._ranges = True

    @property
    def _store(self) -> "obstore.store.S3Store":
        if self._objects is None:
            with obstore_errors(str(self.address)):
                self._objects = s3_clients.object_store(self.address, self._options)
        return self._objects

    @cached_property
    def _is_encrypted(self) -> bool:
        return s3_clients.is_encrypted(self._options)

    @cached_property
    def _client(self) -> Any:
        with boto3_errors(str(self.address)):
            return s3_clients.boto3_client(self.address, self._options)

    @property
    def _query(self) -> dict[str, str]:
        """What boto3 is told with each request."""
        query = {"Bucket": self.address.bucket}
        if self._options.requester_pays:
            query["RequestPayer"] = "requester"
        if self._options.bucket_owner:
            query["ExpectedBucketOwner"] = self._options.bucket_owner
        return query

    @property
    def _listing(self) -> S3Listing:
        return S3Listing(self.address, self._client, self._query, self._retries)

    def level(self) -> Level:
        """See `Store.level`."""
        return self._listing.level()

    def entries(self, *, below: bool = False, folder: str = "") -> list[Entry]:
        """See `Store.entries`; keys that end in ``/`` (empty folder markers) are no objects."""
        if below:
            listing = self._retries(lambda: self._all_below(folder))
            found = [Entry(o["path"], o["size"], bare(o["e_tag"])) for o in listing]
        else:
            found = self._listing.objects()
        return sorted(entry for entry in found if entry.key and not entry.key.endswith("/"))

    def _all_below(self, folder: str) -> "list[obstore.ObjectMeta]":
        import obstore

        with obstore_errors(str(self.address)):
            return list(obstore.list(self._store, folder or None).collect())

    def read(self, key: str, expected: Entry | None = None) -> bytes:
        """See `Store.read`.

        With `expected` the store is asked for that ETag and no other, and the ETag and size of the
        answer are compared, for not every store does as asked. Over plain HTTP the content must
        have the MD5 that the ETag names, where it names one, see `Checks`; TLS has its own.
        """
        doubted: set[str] = set()
        try:
            return self._retries(lambda: self._read_once(key, expected, doubted))
        except TierUntold as error:
            raise archived(f"{self.address}{key}", self._listing.tier(key)) from error

    def _read_once(self, key: str, expected: Entry | None, doubted: set[str]) -> bytes:
        import obstore

        where = f"{self.address}{key}"
        asked = expected and expected.etag
        with obstore_errors(where):
            answer = obstore.get(
                self._store, key, options={"if_match": f'"{asked}"'} if asked else None
            )
            etag, size = bare(answer.meta["e_tag"]), answer.meta["size"]
            if expected and (etag, size) != (expected.etag, expected.size):
                raise replaced(where)
            content = bytes(answer.bytes())
        if len(content) != size:
            raise broke_off(where, f"broke off after {len(content)} of {size} bytes")
        if not self._is_encrypted and not self._checks.accept(content, etag, doubted):
            raise broke_off(where, "was changed on its way: its MD5 is not that of the ETag")
        return content

    def read_start(self, key: str, size: int) -> bytes:
        """See `Store.read_start`."""
        return self._retries(lambda: self._read_start_once(key, size))

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

        The upload, or each part, carries its SHA-256, which the store checks where it can. The
        ETag that it answers must be the MD5 of what was sent; where it is not (KMS encryption),
        the object is read back. S3 shows an object when it is complete, and not before.
        """
        if len(content) > SINGLE_BYTES:
            whole = self.address.prefix + key
            etag = s3_parts.upload(self._in_parts(), whole, content, self._options.kms_key)
        else:
            etag = self._retries(partial(self._write_once, key, content))
        if not is_of(content, etag) and self.read(key) != content:
            raise TransferMismatch(
                f"{self.address}{key} differs from what was sent",
                "run again; if it happens twice, check the store",
            )
        return Entry(key, len(content), etag)

    def _write_once(self, key: str, content: bytes | memoryview) -> str:
        import obstore

        with obstore_errors(f"{self.address}{key}"):
            return bare(obstore.put(self._store, key, content, use_multipart=False)["e_tag"])

    def stat(self, key: str) -> Entry | None:
        """See `Store.stat`."""
        try:
            return self._retries(partial(self._stat_once, key))
        except ObjectNotFound:
            return None

    def _stat_once(self, key: str) -> Entry:
        import obstore

        with obstore_errors(f"{self.address}{key}"):
            meta = obstore.head(self._store, key)
        return Entry(key, meta["size"], bare(meta["e_tag"]))

    def discard(self, key: str) -> None:
        """See `Store.discard`."""
        if self.stat(key) is not None:
            self._retries(partial(self._discard_once, key))

    def _discard_once(self, key: str) -> None:
        import obstore

        with obstore_errors(f"{self.address}{key}"):
            obstore.delete(self._store, key)

    def abort_abandoned(self, keys: Collection[str]) -> int:
        """See `Store.abort_abandoned`; one LIST request, and one more per upload."""
        prefix = self.address.prefix
        return s3_parts.abort_abandoned(self._in_parts(), prefix, {prefix + key for key in keys})

    def _in_parts(self) -> s3_parts.Upload:
        checksums = s3_clients.sends_checksums(self._options)
        return s3_parts.Upload(self._client, self._query, self._retries, checksums)
