"""Comparison of ETags with content."""

import hashlib
import re

PART_BYTES = 16 << 20
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32}(-[0-9]+)?")
_MD5 = re.compile("[0-9a-f]{32}")


def bare(etag: str | None) -> str:
    """An ETag without quotes, and without changes by proxies: ``W/``, ``-gzip``, capitals."""
    text = (etag or "").strip().removeprefix("W/").strip('"').removesuffix("-gzip")
    return text.lower() if _HEXADECIMAL.fullmatch(text) else text


def is_digest(etag: str) -> bool:
    """Whether an ETag may be the MD5 of the content or of its parts, not a time or a version."""
    return bool(_HEXADECIMAL.fullmatch(etag))


def is_another(etag: str, before: str) -> bool:
    """Whether an ETag shows other content than an earlier ETag did; False if their forms differ.

    The ETag of the same content changes its form if the object is copied with another part size,
    or to a folder.
    """
    same_form = is_digest(etag) and is_digest(before)
    return same_form and etag != before and etag[32:] == before[32:]


def is_of(content: bytes | memoryview, etag: str) -> bool:
    """Whether an ETag is the MD5 of the content, or the MD5 of the MD5s of its parts.

    The second form, ``MD5-PARTS``, is that of an upload in parts of `PART_BYTES`.
    """
    digest, _, parts = etag.partition("-")
    if not parts:
        return digest == _md5(content)
    view = memoryview(content)
    starts = range(0, len(content), PART_BYTES)
    digests = [
        hashlib.md5(view[start : start + PART_BYTES], usedforsecurity=False).digest()
        for start in starts
    ]
    return etag == f"{_md5(b''.join(digests))}-{len(digests)}"


class Checks:
    """Comparison of content with ETags, for a store whose ETags may be MD5s.

    An ETag of 32 hexadecimal digits is the MD5 of the content, unless the store encrypts with a
    KMS key. Content that does not match is read again. Two equal wrong answers may come from a
    proxy that caches them, so they prove nothing about the store. Only two facts show that its
    ETags are not MD5s: a header that states encryption, or an upload that is read back unchanged.
    """

    def __init__(self) -> None:
        self._are_md5 = True

    def accept(self, content: bytes, etag: str) -> bool:
        """Whether content that was read can be trusted."""
        return not self._are_md5 or not _MD5.fullmatch(etag) or _md5(content) == etag

    def give_up(self) -> None:
        """Stop comparing."""
        self._are_md5 = False


def _md5(content: bytes | memoryview) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
