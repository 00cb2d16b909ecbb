"""Pages of a listing, which count only where they say that they are one."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus
from xml.etree import ElementTree as ET

from lungprep.errors import BrokenListing
from lungprep.stores.etags import bare

ROOT = "ListBucketResult"
_REMEDY = "run again; if it stays so, check the endpoint, and proxies on the way to it"
_CODE = re.compile(r"[A-Za-z.]{1,64}")
# By which a page repeats where it was asked to begin.
_BEGINNINGS = {"ContinuationToken": "continuation-token", "Marker": "marker", "StartAfter": ""}


class Item(NamedTuple):
    """An object of a page.

    Attributes
    ----------
    key : str
        Whole, from the bucket's root.
    size : int
        Bytes.
    etag : str
        Without quotes; empty for a folder marker without one.
    storage_class : str
        Empty where the store does not say it.
    """

    key: str
    size: int
    etag: str
    storage_class: str

    @property
    def is_marker(self) -> bool:
        """Whether it stands for a folder: consoles make such keys, of any number of bytes."""
        return self.key.endswith("/")


class Page(NamedTuple):
    """A page.

    Attributes
    ----------
    items : list of Item
        Objects.
    folders : list of str
        Whole prefixes of what lies deeper than was asked for.
    after : dict of str to str or None
        What asks for the next page: a token, or, of stores that know none, the last key, which is
        the first version of the listing. None for the last page.
    """

    items: list[Item]
    folders: list[str]
    after: dict[str, str] | None


def parse_page(
    body: bytes, where: str, prefix: str, *, deep: bool, asked: Mapping[str, str] | None = None
) -> Page:
    """Read a page of either version of the listing.

    Parameters
    ----------
    body : bytes
        What the store answered, with status 200.
    where : str
        The address to name in errors.
    prefix : str
        What all keys start with.
    deep : bool
        Whether keys were asked for at any depth.
    asked : mapping of str to str, optional
        The query: a page that repeats another beginning answers another one.

    Raises
    ------
    BrokenListing
        Where root, IsTruncated, or the Key, Size or ETag of an entry is absent or odd, or keys of
        another place, or another page, are listed.
    """
    if b"<!" in body:
        # No listing declares a type or entities, by which XML attacks are made.
        raise broken(where, "another document")
    try:
        root = ET.fromstring(body)  # noqa: S314
    except ET.ParseError as error:
        raise broken(where, "no XML, or cut" if body else "nothing") from error
    name = _name(root)
    if name != ROOT:
        code = next((c.text or "" for c in root if _name(c) == "Code"), "")
        raise broken(where, f"an error ({code})" if _CODE.fullmatch(code) else "another document")
    contents: list[dict[str, str]] = []
    folders: list[str] = []
    said: dict[str, str] = {}
    for child in root:
        kind = _name(child)
        if kind == "Contents":
            contents.append({_name(part): part.text or "" for part in child})
        elif kind == "CommonPrefixes":
            folders += [part.text or "" for part in child if _name(part) == "Prefix"]
        else:
            said[kind] = child.text or ""
    if "Error" in said:
        raise broken(where, "an error within a page")
    _check_question(said, where, prefix, asked or {})
    encoded = said.get("EncodingType", "").lower() == "url"
    items = [_item(fields, where, encoded=encoded) for fields in contents]
    folders = [_decoded(folder, encoded=encoded) for folder in folders]
    _check_keys(items, folders, where, prefix, deep=deep)
    if (count := said.get("KeyCount", "0").strip()).isdecimal() and (
        int(count) > len(items) + len(folders)
    ):
        raise broken(where, f"{len(items) + len(folders)} keys that are said to be {count}")
    truncated = said.get("IsTruncated", "").strip().lower()
    if truncated not in ("true", "false"):
        raise broken(where, "no word of whether there is more")
    # Where one says that there is no more, and how to go on, it goes on.
    goes_on = truncated == "true" or bool(
        said.get("NextContinuationToken") or said.get("NextMarker")
    )
    after = _after(items, folders, said, where, encoded) if goes_on else None
    return Page(items, folders, after)


def broken(where: str, what: str) -> BrokenListing:
    """Error for an answer that is no listing."""
    return BrokenListing(f"{where} was answered by {what} in place of a listing", _REMEDY)


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _item(fields: dict[str, str], where: str, *, encoded: bool) -> Item:
    key, size = _decoded(fields.get("Key", ""), encoded=encoded), fields.get("Size", "").strip()
    if not key:
        raise broken(where, "an entry without a key")
    if not (size.isascii() and size.isdecimal()):
        raise broken(where, "an entry without a size")
    item = Item(key, int(size), bare(fields.get("ETag")), fields.get("StorageClass", ""))
    if not item.etag and not item.is_marker:
        raise BrokenListing(
            f"{where} is listed without ETags, and a slice that is replaced could not be told",
            "list it by an endpoint that gives them",
        )
    return item


def _decoded(text: str, *, encoded: bool) -> str:
    return unquote_plus(text, errors="surrogateescape") if encoded else text


def _check_question(
    said: Mapping[str, str], where: str, prefix: str, asked: Mapping[str, str]
) -> None:
    """Refuse a page that repeats another question than was asked, as one kept by a proxy does.

    Stores may repeat it percent-encoded, or not at all.
    """
    repeated = said.get("Prefix", "")
    if all(p != prefix and p.startswith(prefix) for p in (repeated, unquote(repeated))):
        raise broken(where, "a listing of a part of it")
    for name, parameter in _BEGINNINGS.items():
        begun = said.get(name, "")
        if begun and asked.get(parameter, "") not in (begun, unquote(begun), unquote_plus(begun)):
            raise broken(where, "another page")


def _check_keys(
    items: list[Item], folders: list[str], where: str, prefix: str, *, deep: bool
) -> None:
    start = len(prefix)
    for key in (*(item.key for item in items), *folders):
        if not key.startswith(prefix):
            raise broken(where, "keys of another place")
    if not deep and any("/" in item.key[start:] for item in items):
        raise broken(where, "keys at other depths")
    if deep and folders:
        raise broken(where, "folders, and not what is in them,")
    if any(folder == prefix or not folder.endswith("/") for folder in folders):
        raise broken(where, "folders that are none")


def _after(
    items: list[Item], folders: list[str], said: dict[str, str], where: str, encoded: bool
) -> dict[str, str]:
    if token := said.get("NextContinuationToken"):
        return {"list-type": "2", "continuation-token": token}
    marker = _decoded(said.get("NextMarker", ""), encoded=encoded)
    # In the order of their bytes, which is that of a listing.
    last = max(
        (*(i.key for i in items), *folders),
        key=lambda k: k.encode(errors="surrogateescape"),
        default="",
    )
    if not (marker or last):
        raise broken(where, "an empty page that is said to go on")
    return {"marker": marker or last}
