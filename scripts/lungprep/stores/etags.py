"""What an ETag says of a content."""

import hashlib
import logging
import re

PART_BYTES = 16 << 20
_MD5 = re.compile("[0-9a-f]{32}")

logger = logging.getLogger(__name__)


def bare(etag: str | None) -> str:
    """An ETag without its quotes."""
    return (etag or "").strip('"')


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

    An ETag of 32 hexadecimal digits is the MD5 of the content, unless the store encrypts with KMS;
    nothing that a client sees tells which. So a content that does not match is read again: two
    equal contents mean that this store's ETags are no MD5s, and they are compared no more.

    Parameters
    ----------
    where : str
        The store's address, for the log.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._are_md5 = True

    def accept(self, content: bytes, etag: str, doubted: set[str]) -> bool:
        """Whether a content that was read can be trusted.

        Parameters
        ----------
        content : bytes
            What was read.
        etag : str
            What the store said of it.
        doubted : set of str
            MD5s of earlier reads of this object that were not accepted; this one's is added.
        """
        if not self._are_md5 or not _MD5.fullmatch(etag):
            return True
        digest = _md5(content)
        if digest == etag:
            return True
        if digest in doubted:
            logger.warning("ETags of %s are no MD5s: contents are not compared", self._where)
            self._are_md5 = False
            return True
        doubted.add(digest)
        return False


def _md5(content: bytes | memoryview) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
