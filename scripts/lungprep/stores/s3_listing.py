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
from lungprep.system_files import is_left_by_a_system

# A page holds 1,000 keys, of 1 KiB at most, which may be escaped.
MOST_BYTES = 64 << 20
# Of pages one after another that hold nothing new; delete markers of a bucket make some.
MOST_EMPTY = 100
NOTHING_MORE = Page([], [], None)
# How often a listing whose answers contradict one another is begun.
TIMES = 3

T = TypeVar("T")


class Contradiction(Exception):
    """Answers to one listing, each sound by itself, contradict one another; never leaves it."""


@dataclass(frozen=True)
class S3Listing:
    """What the requests share.

    Attributes
    ----------
    address : Address
        Bucket and prefix.
    requests : Requests
        To the bucket.
    retries : Retries
        Of the store.
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
                # The marker of the prefix itself is no object.
                if (name := item.key[start:]) and not is_left_by_a_system(name):
                    level.add(kind_of(name), name)
        level.folders.sort()
        return level

    def objects(self, folder: str = "", *, deep: bool) -> list[Item]:
        """Objects in a folder below the prefix (``a/b/``), folder markers among them.

        Raises
        ------
        BrokenListing
            If there is nothing, and yet the folder is listed from above.
        """
        prefix = self.address.prefix + folder

        def objects() -> list[Item]:
            pages = self._not_in_vain(self.pages(prefix, deep=deep), prefix)
            return [item for page in pages for item in page.items]

        return self._coherent(objects)

    def _not_in_vain(self, pages: Iterator[Page], prefix: str) -> Iterator[Page]:
        """Pages of a prefix that hold something, or else a look from above that shows nothing."""
        found = False
        for page in pages:
            found = found or bool(page.items or page.folders)
            yield page
        if not found and prefix and self._is_shown(prefix):
            raise Contradiction("nothing, though the folder is listed,")

    def _coherent(self, action: Callable[[], T]) -> T:
        """List from the first page on, and again where the answers contradict one another."""
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
            # Rights may begin below the slash.
            return False

    def tier(self, key: str) -> str | None:
        """Storage class of an object; None where the store does not say it, or STANDARD."""
        try:
            item = self.item(key)
        except LungprepError:
            return None
        found = item.storage_class if item else ""
        return None if found in ("", "STANDARD") else found

    def item(self, key: str) -> Item | None:
        """An object as it is listed now: the first of all keys that begin with its own."""
        whole = self.address.prefix + key
        query = {"list-type": "2", "prefix": whole, "encoding-type": "url"}
        page = self.retries(partial(self._page, query, whole, deep=True))
        return next((item for item in page.items if item.key == whole), None)

    def pages(self, prefix: str, *, deep: bool, owner: bool = True) -> Iterator[Page]:
        """One LIST request per 1,000 keys or folders; what a page repeats is left out.

        The owner of the bucket is asked for, where the options name one, with listings that are
        not `deep`: those of source and target, not those of a patient.

        A page that has nothing, after one that was said to go on, is asked for once more.

        Raises
        ------
        Contradiction
            Where pages go round in a circle or have no end.
        """
        query = {"prefix": prefix, "encoding-type": "url"} | ({} if deep else {"delimiter": "/"})
        after: dict[str, str] | None = {"list-type": "2"}
        # By their hashes, for there may be a million.
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
                raise Contradiction("pages without end")

    def _page(self, query: dict[str, str], prefix: str, *, deep: bool, owner: bool = False) -> Page:
        where = str(self.address)
        answer = self.requests.get(where, query=query, owner=owner, most_bytes=MOST_BYTES)
        if answer.status != 200:
            raise explain_answer(answer.status, answer.headers, answer.body, where)
        return parse_page(answer.body, where, prefix, deep=deep, asked=query)


def _new(page: Page, items: dict[int, int], folders: set[str]) -> Page:
    """What a page has that is not known, by the hashes of keys and items."""
    found: dict[str, Item] = {}
    for item in page.items:
        known = items.get(hash(item.key))
        if known not in (None, hash(item)) or found.setdefault(item.key, item) != item:
            raise Contradiction("two words on one object")
        if known is not None:
            del found[item.key]
    return Page(list(found.values()), sorted({*page.folders} - folders), page.after)
