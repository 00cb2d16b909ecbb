"""What an ETag says of a content."""

import hashlib
import re

PART_BYTES = 16 << 20
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32}(-[0-9]+)?")
_MD5 = re.compile("[0-9a-f]{32}")


def bare(etag: str | None) -> str:
    """An ETag without its quotes, and without what proxies add: ``W/``, ``-gzip``, capitals."""
    text = (etag or "").strip().removeprefix("W/").strip('"').removesuffix("-gzip")
    return text.lower() if _HEXADECIMAL.fullmatch(text) else text


def is_digest(etag: str) -> bool:
    """Whether an ETag may be the MD5 of a content or of its parts: no time, and no version."""
    return bool(_HEXADECIMAL.fullmatch(etag))


def is_another(etag: str, before: str) -> bool:
    """Whether an ETag tells of another content than the one before; no, if its form is another.

    One object of the same content has ETags of several forms: copied in other parts, or to a
    folder, its name for it changes.
    """
    same_form = is_digest(etag) and is_digest(before)
    return same_form and etag != before and etag[32:] == before[32:]


def is_of(content: bytes | memoryview, etag: str) -> bool:
    """Whether an ETag is the MD5 of a content, or that of the MD5s of its parts.

    The second where it went to the store in parts of `PART_BYTES`: ``MD5-PARTS``.
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
    """Comparison of contents with ETags, for a store whose ETags may be MD5s.

    An ETag of 32 hexadecimal digits is the MD5 of the content, unless the store encrypts with a
    key. A content that does not match is read again. Two equal contents may be a proxy's that
    keeps a wrong one: they say nothing of the store. That its ETags are no MD5s is shown only by
    its own word (of encryption), or by an upload that comes back as it was sent.
    """

    def __init__(self) -> None:
        self._are_md5 = True

    def accept(self, content: bytes, etag: str) -> bool:
        """Whether a content that was read can be trusted."""
        return not self._are_md5 or not _MD5.fullmatch(etag) or _md5(content) == etag

    def give_up(self) -> None:
        """Compare no more."""
        self._are_md5 = False


def _md5(content: bytes | memoryview) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
