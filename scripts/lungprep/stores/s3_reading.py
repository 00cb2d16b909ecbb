"""Reads of S3 objects: by obstore, or by a plain GET if obstore can't handle the answer."""

import hashlib
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from lungprep.errors import (
    CorruptContent,
    ObjectNotFound,
    RequestRefused,
    StoreError,
    TransferMismatch,
)
from lungprep.stores import s3_clients
from lungprep.stores.base import Entry, S3Options
from lungprep.stores.etags import Checks, bare
from lungprep.stores.retrying import Retries
from lungprep.stores.s3_errors import (
    HeadersUnfit,
    broke_off,
    explain_answer,
    obstore_errors,
    replaced,
)
from lungprep.stores.s3_listing import S3Listing

if TYPE_CHECKING:
    from lungprep.stores.s3_library import obstore

# Error for servers that answer a range request with status 200, or with the whole object.
NO_RANGES = "non-partial response"
ENCRYPTION = "x-amz-server-side-encryption"
#: Values for KMS encryption, with which an ETag is not an MD5.
KEYED = ("aws:kms", "aws:kms:dsse")
# Characters that some stores confuse in listings, such as + with a blank.
ODD = {"+", "%", " "}

logger = logging.getLogger(__name__)


class Read(NamedTuple):
    """Content of an object, with the ETag and encryption of the answer."""

    content: bytes
    etag: str
    keyed: bool = False


class Reader:
    """Reads below one address.

    Parameters
    ----------
    listing : S3Listing
        Listing of the address; its requests serve reads that obstore can't do.
    options : S3Options
        Settings that decide whether requests use TLS.
    retries : Retries
        Retries of the store.
    """

    def __init__(self, listing: S3Listing, options: S3Options, retries: Retries) -> None:
        self._listing, self._retries = listing, retries
        self._address = listing.address
        self._checks = None if s3_clients.is_encrypted(options) else Checks()
        # Abilities of the store, assumed until an answer disproves them.
        self._ranges, self._headers, self._conditions = True, True, True
        self._keyed = False

    def read(
        self,
        store: "obstore.store.S3Store",
        key: str,
        expected: Entry | None = None,
        *,
        checked: bool = True,
    ) -> bytes:
        """See `Store.read`; the caller handles archived objects.

        With `checked` False, the content is not compared: the caller does that.
        """
        seen: set[bytes] = set()
        checks = self._checks if checked else None

        def once() -> bytes:
            found = self._fetched(store, key, expected)
            if found.keyed or not checks or checks.accept(found.content, found.etag):
                return found.content
            return self._doubted(key, expected, found, seen)

        return self._retries(once)

    def read_again(self, store: "obstore.store.S3Store", expected: Entry) -> bytes:
        """See `Store.read_again`."""
        key = expected.key
        where = f"{self._address}{key}"
        try:
            now = self.stat(store, key)
        except ObjectNotFound as error:
            raise self._vanished(expected) from error
        if now == expected:
            with suppress(TransferMismatch):
                return self.read(store, key, expected)
            logger.warning("%s ignores If-Match: lungprep compares ETags itself", self._address)
            self._conditions = False
            with suppress(TransferMismatch):
                return self.read(store, key, expected)
        listed = self._listing.item(key)
        if listed is None:
            raise ObjectNotFound(f"{where} was removed while it was being read", "run again")
        if (listed.etag, listed.size) != (expected.etag, expected.size):
            raise replaced(where)
        raise TransferMismatch(
            f"{where} has {'another ETag or size' if now.etag else 'no ETag'} when it is read, "
            "unlike in its listing",
            "run again; if it happens twice, use another endpoint of the store: with this one, "
            "replaced slices would go unnoticed",
        )

    def stat(self, store: "obstore.store.S3Store", key: str) -> Entry:
        """Current entry of an object.

        Raises
        ------
        ObjectNotFound
            If it does not exist.
        """
        where = f"{self._address}{key}"
        now = self._retries(lambda: _head(store, where, key))
        if now is not None:
            return now
        listed = self._listing.item(key)
        if listed is None:
            raise ObjectNotFound(f"{where} does not exist", "check the address")
        return Entry(key, listed.size, listed.etag)

    def _vanished(self, expected: Entry) -> StoreError:
        """Error for an object that was listed but is not found."""
        where = f"{self._address}{expected.key}"
        whole = self._address.prefix + expected.key
        if all(item.key != whole for item in self._listing.objects(deep=True)):
            return ObjectNotFound(f"{where} was removed while it was being read", "run again")
        return RequestRefused(
            f"{where} is listed, but not found under that name",
            "the store may list a + or % in names differently: rename it"
            if ODD & {*expected.key}
            else "run again; if it happens twice, check the endpoint and any proxies",
        )

    def read_start(self, store: "obstore.store.S3Store", key: str, size: int) -> bytes:
        """See `Store.read_start`."""
        return self._retries(lambda: self._read_start_once(store, key, size))

    def accept_no_md5(self) -> None:
        """Stop comparing content with ETags: an upload has shown that they are not MD5s."""
        if self._checks:
            self._checks.give_up()

    def _fetched(self, store: "obstore.store.S3Store", key: str, expected: Entry | None) -> Read:
        if self._keyed or not self._headers:
            return self._plainly(key, expected)
        try:
            return self._by_obstore(store, key, expected)
        except HeadersUnfit:
            logger.warning("%s answers without lengths, or with malformed dates", self._address)
            self._headers = False
            return self._plainly(key, expected)

    def _doubted(self, key: str, expected: Entry | None, found: Read, seen: set[bytes]) -> bytes:
        """Decide about content whose MD5 differs from its ETag.

        Raises
        ------
        StoreUnreachable
            To have the object read again.
        CorruptContent
            If every read gives the same wrong content, and no header states KMS encryption.
        """
        where, digest = f"{self._address}{key}", hashlib.sha256(found.content).digest()
        if digest not in seen:
            seen.add(digest)
            raise broke_off(where, "was changed in transit: its MD5 differs from the ETag")
        # obstore hides the headers, which tell whether the ETag should be an MD5.
        again = self._plainly(key, expected)
        if again.keyed:
            self._keyed = True
            return again.content
        if self._checks and self._checks.accept(again.content, again.etag):
            return again.content
        raise CorruptContent(
            f"{where} has an MD5 that differs from its ETag, on every read",
            "check any proxies, or use https",
        )

    def _by_obstore(self, store: "obstore.store.S3Store", key: str, expected: Entry | None) -> Read:
        from lungprep.stores.s3_library import obstore

        where = f"{self._address}{key}"
        asked = expected.etag if expected and self._conditions else ""
        with obstore_errors(where):
            answer = obstore.get(store, key, options={"if_match": f'"{asked}"'} if asked else None)
            etag, size = bare(answer.meta["e_tag"]), answer.meta["size"]
            if expected and (etag, size) != (expected.etag, expected.size):
                raise replaced(where)
            content = bytes(answer.bytes())
        if len(content) != size:
            raise broke_off(where, f"broke off after {len(content)} of {size} bytes")
        return Read(content, etag)

    def _plainly(self, key: str, expected: Entry | None) -> Read:
        """Read an object by a plain GET; length, framing or listing shows that it is whole."""
        where = f"{self._address}{key}"
        answer = self._listing.requests.get(where, key=self._address.prefix + key)
        if answer.status != 200:
            raise explain_answer(answer.status, answer.headers, answer.body, where)
        etag, size = bare(answer.headers.get("etag")), len(answer.body)
        framed = {"content-length", "transfer-encoding"} & {h.lower() for h in answer.headers}
        if expected and etag != expected.etag:
            raise replaced(where)
        if expected and size != expected.size:
            raise replaced(where) if framed else broke_off(where)
        if not (expected or framed):
            raise broke_off(where, "comes without its length, and may have broken off")
        keyed = answer.headers.get(ENCRYPTION) in KEYED or (
            f"{ENCRYPTION}-customer-algorithm" in answer.headers
        )
        return Read(answer.body, etag, keyed)

    def _read_start_once(self, store: "obstore.store.S3Store", key: str, size: int) -> bytes:
        from lungprep.stores.s3_library import obstore

        try:
            with obstore_errors(f"{self._address}{key}"):
                if self._ranges:
                    try:
                        return bytes(obstore.get_range(store, key, start=0, length=size))
                    except obstore.exceptions.GenericError as error:
                        if NO_RANGES not in str(error):
                            raise
                        self._ranges = False
                # Closes the connection without reading the rest of the body.
                start = next(iter(obstore.get(store, key).stream(min_chunk_size=size)), b"")
                return bytes(start)[:size]
        except HeadersUnfit:
            return self._plainly(key, None).content[:size]


def _head(store: "obstore.store.S3Store", where: str, key: str) -> Entry | None:
    """Entry of an object from its headers; None if obstore rejects them."""
    from lungprep.stores.s3_library import obstore

    try:
        with obstore_errors(where):
            meta = obstore.head(store, key)
    except HeadersUnfit:
        return None
    return Entry(key, meta["size"], bare(meta["e_tag"]))
