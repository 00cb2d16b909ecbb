"""Pages of a listing; an answer counts only if it is recognisably one."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, unquote_plus
from xml.etree import ElementTree as ET

from lungprep.errors import BrokenListing
from lungprep.stores.etags import bare

ROOT = "ListBucketResult"
_REMEDY = "run again; if the error persists, check the endpoint and any proxies"
_CODE = re.compile(r"[A-Za-z.]{1,64}")
# Elements in which a page repeats the start that was requested, and their parameters.
_BEGINNINGS = {"ContinuationToken": "continuation-token", "Marker": "marker", "StartAfter": ""}


class Item(NamedTuple):
    """Object on a page.

    Attributes
    ----------
    key : str
        Whole key, from the bucket's root.
    size : int
        Bytes.
    etag : str
        ETag without quotes; empty for a folder marker that has none.
    storage_class : str
        Storage class; empty if the store does not give it.
    """

    key: str
    size: int
    etag: str
    storage_class: str

    @property
    def is_marker(self) -> bool:
        """Whether the object stands for a folder: consoles create such keys, of any size."""
        return self.key.endswith("/")


class Page(NamedTuple):
    """Page of a listing.

    Attributes
    ----------
    items : list of Item
        Objects.
    folders : list of str
        Whole prefixes of the folders at the requested level.
    after : dict of str to str or None
        Parameters that request the next page: a token, or, for stores without tokens, the last key
        (version 1 of the listing). None for the last page.
    """

    items: list[Item]
    folders: list[str]
    after: dict[str, str] | None


def parse_page(
    body: bytes, where: str, prefix: str, *, deep: bool, asked: Mapping[str, str] | None = None
) -> Page:
    """Parse a page of either version of the listing.

    Parameters
    ----------
    body : bytes
        Body of an answer with status 200.
    where : str
        Address to name in errors.
    prefix : str
        Common prefix of all keys.
    deep : bool
        Whether keys at any depth were requested.
    asked : mapping of str to str, optional
        Parameters of the request; a page that repeats another start answers another request.

    Raises
    ------
    BrokenListing
        If the root, IsTruncated, or the Key, Size or ETag of an entry is absent or invalid, a key
        is outside the prefix, or the page answers another request.
    """
    if b"<!" in body:
        # Listings never declare a document type or entities, which XML attacks need.
        raise broken(where, "another document")
    try:
        root = ET.fromstring(body)  # noqa: S314
    except ET.ParseError as error:
        raise broken(where, "invalid or incomplete XML" if body else "an empty body") from error
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
        raise broken(where, f"{len(items) + len(folders)} keys, but KeyCount {count},")
    truncated = said.get("IsTruncated", "").strip().lower()
    if truncated not in ("true", "false"):
        raise broken(where, "a page without IsTruncated")
    # A page that says that it is the last, but names a next one, is not the last.
    goes_on = truncated == "true" or bool(
        said.get("NextContinuationToken") or said.get("NextMarker")
    )
    after = _after(items, folders, said, where, encoded) if goes_on else None
    return Page(items, folders, after)


def broken(where: str, what: str) -> BrokenListing:
    """Error for an answer that is not a listing."""
    return BrokenListing(f"{where} answered with {what} instead of a listing", _REMEDY)


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
            f"{where} is listed without ETags, so replaced slices would go unnoticed",
            "use an endpoint that returns ETags",
        )
    return item


def _decoded(text: str, *, encoded: bool) -> str:
    return unquote_plus(text, errors="surrogateescape") if encoded else text


def _check_question(
    said: Mapping[str, str], where: str, prefix: str, asked: Mapping[str, str]
) -> None:
    """Refuse a page that answers another request, such as one that a proxy has cached.

    Stores may repeat the request percent-encoded, or not at all.
    """
    repeated = said.get("Prefix", "")
    if all(p != prefix and p.startswith(prefix) for p in (repeated, unquote(repeated))):
        raise broken(where, "a listing of a narrower prefix")
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
            raise broken(where, "keys outside the prefix")
    if not deep and any("/" in item.key[start:] for item in items):
        raise broken(where, "keys at other depths")
    if deep and folders:
        raise broken(where, "folders without their content")
    if any(folder == prefix or not folder.endswith("/") for folder in folders):
        raise broken(where, "invalid folders")


def _after(
    items: list[Item], folders: list[str], said: dict[str, str], where: str, encoded: bool
) -> dict[str, str]:
    if token := said.get("NextContinuationToken"):
        return {"list-type": "2", "continuation-token": token}
    marker = _decoded(said.get("NextMarker", ""), encoded=encoded)
    # Listings are ordered by the keys' bytes.
    last = max(
        (*(i.key for i in items), *folders),
        key=lambda k: k.encode(errors="surrogateescape"),
        default="",
    )
    if not (marker or last):
        raise broken(where, "an empty page that announces more")
    return {"marker": marker or last}
