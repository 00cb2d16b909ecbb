"""Interface of all stores."""

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from lungprep.errors import CorruptContent, ObjectNotFound, TransferMismatch
from lungprep.stores.address import Address
from lungprep.stores.level import Level

# Concurrent requests: enough to hide the latency of S3.
CONNECTIONS = 16


@dataclass(frozen=True, order=True)
class Entry:
    """One stored object.

    Attributes
    ----------
    key : str
        Key relative to the store's prefix.
    size : int
        Bytes.
    etag : str
        Fingerprint of the content as the store gives it, without quotes.
    """

    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class S3Options:
    """Settings for S3; credentials and region come only from the ``AWS_*`` environment.

    Attributes
    ----------
    endpoint_url : str or None
        Server of an S3 store other than Amazon's; None for ``AWS_ENDPOINT_URL_S3`` or Amazon's own.
    anonymous : bool
        Send unsigned requests, for public buckets.
    requester_pays : bool
        Agree to pay for requests to requester-pays buckets.
    kms_key : str or None
        Id or ARN of the KMS key that encrypts the results; None for the bucket's default.
    bucket_owner : str or None
        Id of the account that must own the bucket. It is sent with listings directly below an
        address, as each run makes of source and target, and with uploads in parts. Requests by
        obstore do not carry it, because obstore leaves the header out of its signature.
    path_style : bool or None
        Whether the bucket is named in the path of a request, not in the host; None for the path
        at a given endpoint and the host at Amazon's.
    timeout_s : float
        Time without data after which a connection is closed and its request repeated, s.
    """

    endpoint_url: str | None = None
    anonymous: bool = False
    requester_pays: bool = False
    kms_key: str | None = None
    bucket_owner: str | None = None
    path_style: bool | None = None
    timeout_s: float = 20.0


class Store(Protocol):
    """A flat set of objects below one address.

    Every method raises a `StoreError` that names the address, the problem and the remedy.
    """

    address: Address

    def level(self) -> Level:
        """List what lies directly below: folders by their stored names, and everything else."""
        ...

    def entries(self, *, below: bool = False, folder: str = "") -> list[Entry]:
        """List objects directly here, or with `below` at any depth, in order of their keys.

        With `below` and a `folder` (``a/b/``), only objects in that folder; their keys start with
        it.
        """
        ...

    def read(self, key: str, expected: Entry | None = None) -> bytes:
        """Whole content of an object; if `expected` is given, it must have that size and ETag."""
        ...

    def read_again(self, expected: Entry) -> bytes:
        """Read an object that did not match its listing, or raise an error that says why.

        Stores differ in the conditions that they honour, and in their ETags.
        """
        ...

    def read_start(self, key: str, size: int) -> bytes:
        """First bytes of an object, at most `size`."""
        ...

    def write(self, key: str, content: bytes | memoryview) -> Entry:
        """Store an object: complete and verified on return, absent or unchanged on any error."""
        ...

    def stat(self, key: str) -> Entry | None:
        """Current entry of an object; None if it does not exist."""
        ...

    def discard(self, key: str) -> None:
        """Remove an object if it exists; only then is the right to delete needed."""
        ...

    def abort_abandoned(self, keys: Collection[str]) -> int:
        """Abort unfinished uploads of these keys and return their number."""
        ...


def listing_digest(entries: Iterable[Entry]) -> str:
    """SHA-256 over key, size and ETag of each object, in key order."""
    digest = hashlib.sha256()
    for entry in sorted(entries):
        line = f"{entry.key}\0{entry.size}\0{entry.etag}\n"
        try:
            # File names may contain bytes that are not UTF-8.
            digest.update(line.encode(errors="surrogateescape"))
        except UnicodeEncodeError:
            digest.update(line.encode(errors="surrogatepass"))
    return digest.hexdigest()


def read_listed(store: Store, entry: Entry) -> bytes:
    """Content of a listed object, whichever conditions and ETags the store supports.

    Raises
    ------
    StoreError
        If the object does not match its listing; the text says which answers contradict.
    """
    try:
        return store.read(entry.key, entry)
    except CorruptContent:
        raise
    except (TransferMismatch, ObjectNotFound):
        return store.read_again(entry)


def read_sound(store: Store, entry: Entry, is_sound: Callable[[bytes], bool]) -> bytes:
    """Content of a small listed object; unexpected content is requested once more, by its ETag.

    Such content may be a proxy's page and not the object. If another run has replaced the object
    since, its current content counts.

    Raises
    ------
    StoreError
        If the object does not match its listing; the text says which answers contradict.
    """
    content = store.read(entry.key)
    if is_sound(content):
        return content
    try:
        return read_listed(store, entry)
    except TransferMismatch:
        now = store.stat(entry.key)
        if now == entry:
            raise
        return content if now is None else read_listed(store, now)


def confirm_sizes(store: Store, unread: Iterable[Entry]) -> None:
    """Check that objects too large to be read have their listed size: they may be slices.

    Raises
    ------
    TransferMismatch
        If a size differs; the text names the object.
    """
    for entry in unread:
        now = store.stat(entry.key)
        # In a folder, it may be a link, for which stat returns None.
        if now is not None and now.size != entry.size:
            raise TransferMismatch(
                f"{store.address}{entry.key} has {now.size} bytes, but the listing says "
                f"{entry.size}",
                "let the upload finish, then run again",
            )
