"""What a store can do, whatever it is."""

import hashlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Protocol

from lungprep.errors import CorruptContent, ObjectNotFound, TransferMismatch
from lungprep.stores.address import Address
from lungprep.stores.level import Level

# Requests under way at a time: enough to hide the latency of S3.
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
        The store's fingerprint of the content, without quotes.
    """

    key: str
    size: int
    etag: str


@dataclass(frozen=True)
class S3Options:
    """How to speak to S3; credentials and region come from the ``AWS_*`` environment alone.

    Attributes
    ----------
    endpoint_url : str or None
        Another S3 than Amazon's; None for ``AWS_ENDPOINT_URL_S3`` or Amazon's own.
    anonymous : bool
        Send unsigned requests, for public buckets.
    requester_pays : bool
        Agree to pay for the requests.
    kms_key : str or None
        Id or ARN of the key with which the store encrypts what is written; None for its default.
    bucket_owner : str or None
        Account id that must own the bucket; told where obstore, which would leave the header out
        of its signature, has no part: with listings of what is directly below an
        address, as each run makes of source and target, and with uploads in parts.
    path_style : bool or None
        Whether the bucket is named in the path of a request, not in the host; None for the path
        at a given endpoint and the host at Amazon's.
    timeout_s : float
        Seconds without a byte after which a connection is given up, and its request sent again.
    """

    endpoint_url: str | None = None
    anonymous: bool = False
    requester_pays: bool = False
    kms_key: str | None = None
    bucket_owner: str | None = None
    path_style: bool | None = None
    timeout_s: float = 20.0


class Store(Protocol):
    """A flat space of objects below one address.

    Every method raises a `StoreError` that names the address, what was found and what to do.
    """

    address: Address

    def level(self) -> Level:
        """What lies directly below: folders by their names as they are stored, and what else."""
        ...

    def entries(self, *, below: bool = False, folder: str = "") -> list[Entry]:
        """Objects directly here, or with `below` at any depth, in order of their keys.

        With `below` and a `folder` (``a/b/``), only those in it; their keys start with it.
        """
        ...

    def read(self, key: str, expected: Entry | None = None) -> bytes:
        """Whole content of an object, of the size and ETag of `expected` where it is given."""
        ...

    def read_again(self, expected: Entry) -> bytes:
        """An object that `read` did not find as it is listed, or who contradicts whom.

        Stores differ in the conditions that they heed, and in their ETags.
        """
        ...

    def read_start(self, key: str, size: int) -> bytes:
        """First bytes of an object, `size` at most."""
        ...

    def write(self, key: str, content: bytes | memoryview) -> Entry:
        """Store an object: complete and verified on return, absent or as it was on any error."""
        ...

    def stat(self, key: str) -> Entry | None:
        """An object as it is stored now; None if there is none."""
        ...

    def discard(self, key: str) -> None:
        """Remove an object if there is one; the right to delete is needed only then."""
        ...

    def abort_abandoned(self, keys: Collection[str]) -> int:
        """Give up uploads of these keys that were begun and not ended; how many there were."""
        ...


def listing_digest(entries: Iterable[Entry]) -> str:
    """SHA-256 over key, size and ETag of each object, in order of the keys."""
    digest = hashlib.sha256()
    for entry in sorted(entries):
        line = f"{entry.key}\0{entry.size}\0{entry.etag}\n"
        try:
            # Names of files need not be UTF-8.
            digest.update(line.encode(errors="surrogateescape"))
        except UnicodeEncodeError:
            digest.update(line.encode(errors="surrogatepass"))
    return digest.hexdigest()


def read_listed(store: Store, entry: Entry) -> bytes:
    """Content of an object that was listed, whatever conditions and ETags the store knows.

    Raises
    ------
    StoreError
        Naming who contradicts whom, if it is not as it was listed.
    """
    try:
        return store.read(entry.key, entry)
    except CorruptContent:
        raise
    except (TransferMismatch, ObjectNotFound):
        return store.read_again(entry)


def read_sound(store: Store, entry: Entry, is_sound: Callable[[bytes], bool]) -> bytes:
    """Content of a small object that was listed; an odd one is asked for once more, by its ETag.

    It may be the page of a proxy, and must not speak for the object. One that another run has
    replaced since is read as it is now.

    Raises
    ------
    StoreError
        Naming who contradicts whom, if it is not as it is listed.
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
    """See that what is too large to be read is as large as it is listed: it may be a slice.

    Raises
    ------
    TransferMismatch
        Naming one that is not.
    """
    for entry in unread:
        now = store.stat(entry.key)
        # In a folder it may be a link.
        if now is not None and now.size != entry.size:
            raise TransferMismatch(
                f"{store.address}{entry.key} has {now.size} bytes where the listing said "
                f"{entry.size}",
                "let the upload finish, then run again",
            )
