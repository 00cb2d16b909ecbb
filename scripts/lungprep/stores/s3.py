"""An S3 prefix as a store.

Objects go through obstore (Rust: less than half of boto3's CPU per object, a tenth of its import
time). Listings are signed and parsed here, because obstore accepts any XML as a listing, and fails
on a listing in which one key has an empty or dot segment. Uploads in parts go through boto3,
because obstore aborts all parts when one fails. docs/transfers.md has the figures.
"""

import logging
from collections.abc import Collection
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from lungprep.errors import ObjectNotFound, RequestRefused, TransferMismatch
from lungprep.stores import retrying, s3_clients, s3_parts
from lungprep.stores.address import Address
from lungprep.stores.base import Entry, S3Options
from lungprep.stores.etags import bare, is_of
from lungprep.stores.level import Level
from lungprep.stores.retrying import Retries
from lungprep.stores.s3_errors import (
    EtagUntold,
    TierUntold,
    archived,
    boto3_errors,
    check_key,
    obstore_errors,
)
from lungprep.stores.s3_listing import S3Listing
from lungprep.stores.s3_reading import Reader
from lungprep.stores.s3_requests import Requests

if TYPE_CHECKING:
    from lungprep.stores.s3_library import obstore

# Larger objects are uploaded in parts: only a part that fails is sent again.
SINGLE_BYTES = 64 << 20

logger = logging.getLogger(__name__)


class S3Prefix:
    """Objects below one prefix of one bucket.

    Parameters
    ----------
    address : Address
        Bucket and prefix.
    options : S3Options
        Endpoint, signing, payment, encryption, owner.
    answered : bool
        Whether the store is known to answer; see `Retries`.
    """

    def __init__(self, address: Address, options: S3Options, *, answered: bool = False) -> None:
        self.address = address
        self._options = options
        self._retries = Retries(retrying.POLICY, answered=answered)
        self._listing = S3Listing(address, Requests(address, options), self._retries)
        self._objects: obstore.store.S3Store | None = None
        self._unchecked: obstore.store.S3Store | None = None

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self._listing, self._options, self._retries)

    @property
    def _store(self) -> "obstore.store.S3Store":
        if self._objects is None:
            with obstore_errors(str(self.address)):
                self._objects = s3_clients.object_store(self.address, self._options)
        return self._objects

    @cached_property
    def _client(self) -> Any:
        with boto3_errors(str(self.address)):
            return s3_clients.boto3_client(self.address, self._options)

    @property
    def _query(self) -> dict[str, str]:
        """Arguments of every boto3 request."""
        query = {"Bucket": self.address.bucket}
        if self._options.requester_pays:
            query["RequestPayer"] = "requester"
        if self._options.bucket_owner:
            query["ExpectedBucketOwner"] = self._options.bucket_owner
        return query

    def level(self) -> Level:
        """See `Store.level`."""
        return self._listing.level()

    def entries(self, *, below: bool = False, folder: str = "") -> list[Entry]:
        """See `Store.entries`; keys that end in ``/`` (folder markers of any size) are left out.

        Raises
        ------
        BrokenListing
            If no object is listed here, but the parent's listing contains the folder.
        UnusableKey
            With `below`, for a key that S3 accepts and its clients do not.
        """
        start = len(self.address.prefix)
        items = self._listing.objects(folder, deep=below)
        found = [Entry(i.key[start:], i.size, i.etag) for i in items if not i.is_marker]
        if below:
            for entry in found:
                check_key(entry.key, self.address)
        return sorted(found)

    def read(self, key: str, expected: Entry | None = None) -> bytes:
        """See `Store.read`.

        With `expected`, the request asks for that ETag only. ETag and size of the answer are
        compared too, because some stores ignore the condition. Over plain HTTP, if the ETag is an
        MD5, the content must match it, see `Checks`; TLS verifies the content by itself.
        """
        try:
            return self._reader.read(self._store, key, expected)
        except TierUntold as error:
            raise archived(f"{self.address}{key}", self._listing.tier(key)) from error

    def read_again(self, expected: Entry) -> bytes:
        """See `Store.read_again`."""
        return self._reader.read_again(self._store, expected)

    def read_start(self, key: str, size: int) -> bytes:
        """See `Store.read_start`."""
        return self._reader.read_start(self._store, key, size)

    def write(self, key: str, content: bytes | memoryview) -> Entry:
        """See `Store.write`.

        The upload, or each part, carries its SHA-256, which stores verify if they can. The ETag of
        the answer must be the MD5 of the content; if it is not (KMS encryption), the object is read
        back. S3 never shows an incomplete object.
        """
        if len(content) > SINGLE_BYTES:
            whole = self.address.prefix + key
            etag = s3_parts.upload(self._in_parts(), whole, content, self._options.kms_key)
        else:
            etag = self._retries(partial(self._write_once, key, content))
        if not is_of(content, etag):
            # The ETag may not be an MD5, or is missing; or the stored content is wrong.
            etag = self._stored(key, content, etag)
        return Entry(key, len(content), etag)

    def _stored(self, key: str, content: bytes | memoryview, etag: str) -> str:
        """Read an object back and return its ETag.

        Raises
        ------
        TransferMismatch
            If the content differs.
        """
        etag = etag or self._reader.stat(self._store, key).etag
        if self._reader.read(self._store, key, checked=False) != content:
            raise TransferMismatch(
                f"{self.address}{key} differs from what was sent",
                "run again; if it happens twice, check the store",
            )
        if not is_of(content, etag):
            self._reader.accept_no_md5()
        return etag

    def _write_once(self, key: str, content: bytes | memoryview) -> str:
        try:
            return self._put(self._unchecked or self._store, key, content)
        except RequestRefused as error:
            if self._unchecked:
                raise
            unchecked = _without_checksums(self._store)
            try:
                etag = self._put(unchecked, key, content)
            except RequestRefused:
                raise error from None
            logger.warning("%s refuses checksums: uploads are read back", self.address)
            self._unchecked = unchecked
            return etag

    def _put(self, store: "obstore.store.S3Store", key: str, content: bytes | memoryview) -> str:
        """Upload once and return the ETag, or an empty string if the answer has none."""
        from lungprep.stores.s3_library import obstore

        try:
            with obstore_errors(f"{self.address}{key}"):
                return bare(obstore.put(store, key, content, use_multipart=False)["e_tag"])
        except EtagUntold:
            return ""

    def stat(self, key: str) -> Entry | None:
        """See `Store.stat`."""
        try:
            return self._reader.stat(self._store, key)
        except ObjectNotFound:
            return None

    def discard(self, key: str) -> None:
        """See `Store.discard`."""
        if self.stat(key) is not None:
            self._retries(partial(self._discard_once, key))

    def _discard_once(self, key: str) -> None:
        from lungprep.stores.s3_library import obstore

        with obstore_errors(f"{self.address}{key}"):
            obstore.delete(self._store, key)

    def abort_abandoned(self, keys: Collection[str]) -> int:
        """See `Store.abort_abandoned`; one LIST request, plus one request per upload."""
        prefix = self.address.prefix
        return s3_parts.abort_abandoned(self._in_parts(), prefix, {prefix + key for key in keys})

    def _in_parts(self) -> s3_parts.Upload:
        checksums = s3_clients.sends_checksums(self._options)
        return s3_parts.Upload(self._client, self._query, self._retries, checksums)


def _without_checksums(store: "obstore.store.S3Store") -> "obstore.store.S3Store":
    """The same client without checksum headers, which some stores refuse."""
    config: Any = dict(store.config)
    config.pop("checksum_algorithm", None)
    # The constructor does not accept this key under the name that `config` returns.
    config["aws_endpoint_url_s3"] = config.pop("endpoint_url_s3")
    return type(store)(
        prefix=store.prefix,
        config=config,
        client_options=store.client_options,
        retry_config=store.retry_config,
        credential_provider=store.credential_provider,
    )
