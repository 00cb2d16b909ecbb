"""Run-length encoded frames (PS3.5 G)."""

import struct

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<16L")


def decode_rle(frame: bytes, pixels: int) -> NDArray[np.uint16]:
    """Decode a frame of 16-bit values.

    Parameters
    ----------
    frame : bytes
        Header and segments: the values' high bytes, then their low bytes (PS3.5 G.2).
    pixels : int
        Number of values.

    Returns
    -------
    ndarray of uint16
        The values, one-dimensional.

    Raises
    ------
    ValueError
        If the header is invalid, or a segment holds fewer or more values. Zeros at the end, and
        one value that makes an odd number even, count as padding.
    """
    if len(frame) < HEADER.size:
        raise ValueError("RLE data without a header")
    count, high, low, *_ = HEADER.unpack_from(frame)
    if count != 2 or not HEADER.size <= high < low <= len(frame):
        raise ValueError(f"RLE data of {count} segments where 16-bit values have 2")
    values = np.empty((pixels, 2), dtype=np.uint8)
    values[:, 1] = _segment(frame[high:low], pixels)
    values[:, 0] = _segment(frame[low:], pixels)
    return values.view("<u2")[:, 0]


def _segment(encoded: bytes, size: int) -> NDArray[np.uint8]:
    """Decode the PackBits runs of a segment (PS3.5 G.3.2)."""
    decoded = bytearray()
    position = 0
    while len(decoded) < size:
        if position + 1 >= len(encoded):
            raise ValueError("truncated RLE data")
        count = encoded[position]
        if count < 128:
            decoded += encoded[position + 1 : position + count + 2]
            position += count + 2
        else:
            if count > 128:
                decoded += encoded[position + 1 : position + 2] * (257 - count)
                position += 1
            position += 1
    if len(decoded) > size + size % 2 or encoded[position:].strip(b"\0\x80"):
        raise ValueError("RLE data of more values than the header says")
    return np.frombuffer(decoded, dtype=np.uint8, count=size)
