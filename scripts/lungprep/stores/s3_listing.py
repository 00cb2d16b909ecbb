"""Listings of an S3 prefix, see `lungprep.stores.s3`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TypeVar

from lungprep.errors import AccessRefused, LungprepError
from lungprep.stores.address import Address
from lungprep.stores.level import Level, kind_of
from lungprep.stores.retrying import Retries
from lungprep.stores.s3_errors import explain_answer
from lungprep.stores.s3_pages import Item, Page, broken, parse_page
from lungprep.stores.s3_requests import Requests
from lungprep.stores.system_files import is_left_by_a_system

# A page holds 1,000 keys, each at most 1 KiB, which may be escaped.
MOST_BYTES = 64 << 20
# Consecutive pages without a new key; a bucket's delete markers cause some.
MOST_EMPTY = 100
NOTHING_MORE = Page([], [], None)
# Attempts at a listing whose answers contradict one another.
TIMES = 3

T = TypeVar("T")


class Contradiction(Exception):
    """Answers to one listing contradict one another; never leaves this module."""


@dataclass(frozen=True)
class S3Listing:
    """Listings below one address.

    Attributes
    ----------
    address : Address
        Bucket and prefix.
    requests : Requests
        GET requests to the bucket.
    retries : Retries
        Retries of the store.
    """

    address: Address
    requests: Requests
    retries: Retries

    def level(self) -> Level:
        """See `Store.level`."""
        return self._coherent(self._level)

    def _level(self) -> Level:
        start, level = len(self.address.prefix), Level([])
        pages = self.pages(self.address.prefix, deep=False)
        for page in self._not_in_vain(pages, self.address.prefix):
            level.folders += [folder[start:-1] for folder in page.folders]
            for item in page.items:
                # Skip the marker of the prefix itself.
                if (name := item.key[start:]) and not is_left_by_a_system(name):
                    level.add(kind_of(name), name)
        level.folders.sort()
        return level

    def objects(self, folder: str = "", *, deep: bool) -> list[Item]:
        """List the objects in a folder below the prefix (``a/b/``), folder markers included.

        Raises
        ------
        BrokenListing
            If no object is listed, but the parent's listing contains the folder.
        """
        prefix = self.address.prefix + folder

        def objects() -> list[Item]:
            pages = self._not_in_vain(self.pages(prefix, deep=deep), prefix)
            return [item for page in pages for item in page.items]

        return self._coherent(objects)

    def _not_in_vain(self, pages: Iterator[Page], prefix: str) -> Iterator[Page]:
        """Yield pages; if all are empty, check that the parent's listing lacks the folder too."""
        found = False
        for page in pages:
            found = found or bool(page.items or page.folders)
            yield page
        if not found and prefix and self._is_shown(prefix):
            raise Contradiction("nothing, though the folder is listed,")

    def _coherent(self, action: Callable[[], T]) -> T:
        """List from the first page on, and start again if the answers contradict one another."""
        for times in count(1):
            try:
                return action()
            except Contradiction as error:
                if times == TIMES:
                    raise broken(str(self.address), str(error)) from error
        raise AssertionError

    def _is_shown(self, prefix: str) -> bool:
        pages = self.pages(prefix.removesuffix("/"), deep=False, owner=False)
        try:
            return any(prefix in page.folders for page in pages)
        except AccessRefused:
            # The rights may be limited to keys below the prefix.
            return False

    def tier(self, key: str) -> str | None:
        """Storage class of an object; None if it is unknown or STANDARD."""
        try:
            item = self.item(key)
        except LungprepError:
            return None
        found = item.storage_class if item else ""
        return None if found in ("", "STANDARD") else found

    def item(self, key: str) -> Item | None:
        """Current listing entry of an object: the first key that starts with the given one."""
        whole = self.address.prefix + key
        query = {"list-type": "2", "prefix": whole, "encoding-type": "url"}
        page = self.retries(partial(self._page, query, whole, deep=True))
        return next((item for item in page.items if item.key == whole), None)

    def pages(self, prefix: str, *, deep: bool, owner: bool = True) -> Iterator[Page]:
        """Send one LIST request per 1,000 keys or folders; repeated entries are left out.

        If the options name a bucket owner, listings that are not `deep` carry it: those of source
        and target, not those of a patient. If an empty page follows one that announced more, it is
        requested once more.

        Raises
        ------
        Contradiction
            If pages repeat or never end.
        """
        query = {"prefix": prefix, "encoding-type": "url"} | ({} if deep else {"delimiter": "/"})
        after: dict[str, str] | None = {"list-type": "2"}
        # Hashes only, because there may be a million keys.
        items: dict[int, int] = {}
        folders: set[str] = set()
        asked, empty = set(), 0
        while after is not None:
            asked.add(tuple(after.items()))
            asking = partial(
                self._page, {**after, **query}, prefix, deep=deep, owner=not deep and owner
            )
            page = self.retries(asking)
            if (items or folders) and page == NOTHING_MORE:
                page = self.retries(asking)
            new = _new(page, items, folders)
            items.update((hash(item.key), hash(item)) for item in new.items)
            folders.update(new.folders)
            yield new
            empty = 0 if new.items or new.folders else empty + 1
            after = page.after
            if after is not None and (tuple(after.items()) in asked or empty > MOST_EMPTY):
                raise Contradiction("endless pages")

    def _page(self, query: dict[str, str], prefix: str, *, deep: bool, owner: bool = False) -> Page:
        where = str(self.address)
        answer = self.requests.get(where, query=query, owner=owner, most_bytes=MOST_BYTES)
        if answer.status != 200:
            raise explain_answer(answer.status, answer.headers, answer.body, where)
        return parse_page(answer.body, where, prefix, deep=deep, asked=query)


def _new(page: Page, items: dict[int, int], folders: set[str]) -> Page:
    """Entries of a page that are new, judged by the hashes of keys and items."""
    found: dict[str, Item] = {}
    for item in page.items:
        known = items.get(hash(item.key))
        if known not in (None, hash(item)) or found.setdefault(item.key, item) != item:
            raise Contradiction("two different entries for one object")
        if known is not None:
            del found[item.key]
    return Page(list(found.values()), sorted({*page.folders} - folders), page.after)
