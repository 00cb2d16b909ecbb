"""Repair elements whose VR or length field breaks the standard (PS3.5 7.1.2).

Some exporters write private elements under VRs of their own, or write a 16-bit length for a VR
that has a 32-bit length, or the reverse. A reader that assumes the wrong form loses its position in
the file. The position of the next element tells which form was written.
"""

import struct
from collections.abc import Iterator

from pydicom.valuerep import EXPLICIT_VR_LENGTH_16, EXPLICIT_VR_LENGTH_32

PIXEL_DATA = 0x7FE00010
UNDEFINED = 0xFFFFFFFF
SHORT = {str(vr).encode() for vr in EXPLICIT_VR_LENGTH_16}
LONG = {str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32}
SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"
SEQUENCE_STARTS = (b"SQ\0\0\xff\xff\xff\xff", b"UN\0\0\xff\xff\xff\xff")
ELEMENT = struct.Struct("<HH2sH")
# Far more than any header has.
MOST_ELEMENTS = 100_000


def regular(content: bytes, start: int) -> bytes | None:
    """Rewrite irregular elements of an explicit little endian data set as UN.

    Parameters
    ----------
    content : bytes
        The whole file.
    start : int
        Offset of its first element.

    Returns
    -------
    bytes or None
        The file with a readable header. None if all elements up to the pixel data are regular, or
        if the form of one of them can't be determined.
    """
    parts: list[bytes] = []
    kept, position = 0, start
    for _ in range(MOST_ELEMENTS):
        if position + ELEMENT.size > len(content):
            return None
        group, number, vr, _ = ELEMENT.unpack_from(content, position)
        if (group << 16 | number) == PIXEL_DATA:
            return b"".join((*parts, content[kept:])) if parts else None
        found = next(
            (
                (size, length, stop)
                for size, length in _forms(content, position)
                if (stop := _stop(content, position + size, length)) is not None
                and _follows(content, position, stop)
            ),
            None,
        )
        if found is None:
            return None
        size, length, stop = found
        if (vr in LONG and size != 12) or (vr in SHORT and size != 8) or vr not in LONG | SHORT:
            head = ELEMENT.pack(group, number, b"UN", 0) + struct.pack("<L", length)
            parts += [content[kept:position], head]
            kept = position + size
        position = stop
    return None


def _forms(content: bytes, position: int) -> Iterator[tuple[int, int]]:
    """Yield the possible forms of an element's header, likeliest first: its size, its length."""
    vr, short = struct.unpack_from("<4x2sH", content, position)
    if vr in SHORT:
        yield 8, short
    if short == 0 and position + 12 <= len(content):
        yield 12, *struct.unpack_from("<8xL", content, position)
    if vr not in SHORT:
        yield 8, *struct.unpack_from("<4xL", content, position)
        yield 8, short


def _stop(content: bytes, start: int, length: int) -> int | None:
    """Return the offset of a value's end; None if the file ends before it."""
    if length != UNDEFINED:
        return start + length if start + length <= len(content) else None
    stop, depth = start, 1
    while depth:
        end = content.find(SEQUENCE_END, stop)
        if end < 0:
            return None
        depth += sum(content.count(begin, stop, end) for begin in SEQUENCE_STARTS) - 1
        stop = end + len(SEQUENCE_END)
    return stop


def _follows(content: bytes, position: int, stop: int) -> bool:
    """Whether the bytes at `stop` can be the element after the one at `position`."""
    if stop + ELEMENT.size > len(content):
        return False
    group, number = struct.unpack_from("<HH", content, position)
    next_group, next_number, next_vr, _ = ELEMENT.unpack_from(content, stop)
    if next_vr in SHORT or next_vr in LONG:
        return bool(0 < next_group <= 0x7FE0)
    is_private = next_group % 2 == 1
    return bool(is_private and (group, number) < (next_group, next_number) <= (0x7FE0, 0))
