"""Check that a lossless JPEG scan holds all of its values (ISO/IEC 10918-1, annex H).

A scan does not state its length. If it was cut and closed again, the decoder makes up the missing
values. But the length follows from the values: each value is coded as its difference from a
prediction by its neighbours, as a Huffman code for the number of bits and then these bits.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lungprep.image.pixels.codestream import START_OF_SCAN, Codestream, segments

Values = NDArray[np.int32]

HUFFMAN_TABLES = 0xC4
RESTART_INTERVAL = 0xDD
# Encoders may pad the data by a few bytes; more surplus bytes mean that values were lost.
MOST_FILL_BYTES = 16
# Predictions from the left (a), the upper (b) and the upper left (c) neighbour (table H.1).
PREDICTORS: dict[int, Callable[[Values, Values, Values], Values]] = {
    1: lambda a, b, c: a,
    2: lambda a, b, c: b,
    3: lambda a, b, c: c,
    4: lambda a, b, c: a + b - c,
    5: lambda a, b, c: a + ((b - c) >> 1),
    6: lambda a, b, c: b + ((a - c) >> 1),
    7: lambda a, b, c: (a + b) >> 1,
}


def check_length(frame: bytes, stream: Codestream, values: NDArray[np.uint16]) -> None:
    """Compare the length of the scan with the length that its decoded values need.

    Parameters
    ----------
    frame : bytes
        A frame that `lungprep.image.pixels.codestream.read_jpeg` has accepted.
    stream : Codestream
        Properties of the frame, from `read_jpeg`.
    values : ndarray of uint16
        Decoded values of the frame, shape (rows, columns).

    Raises
    ------
    ValueError
        If the lengths differ, because the scan is truncated or damaged.
    """
    tables: dict[int, NDArray[np.int64]] = {}
    for marker, start, stop in segments(frame):
        if marker == HUFFMAN_TABLES:
            tables |= _code_lengths(frame[start:stop])
        elif marker == RESTART_INTERVAL and any(frame[start:stop]):
            # Each restart interval is padded, and its prediction starts again. No known CT file has
            # them, so such scans are not checked.
            return
        elif marker == START_OF_SCAN:
            _, _, table, predictor, *_ = frame[start:stop]
            break
    data = frame[stop:-2].rstrip(b"\xff")
    available = 8 * (len(data) - data.count(b"\xff\0"))
    lengths = tables.get(table >> 4)
    if lengths is None:
        raise ValueError("a JPEG scan without its Huffman table")
    used = _bits(_differences(values, predictor, stream.precision), lengths)
    if not used <= available < used + 8 * MOST_FILL_BYTES:
        raise ValueError(f"truncated JPEG data: {available} bits, but its values take {used}")


def _code_lengths(segment: bytes) -> dict[int, NDArray[np.int64]]:
    """Return the bits of each category's code, by table (annex B.2.4.2); 0 for a missing code."""
    tables = {}
    position = 0
    while position < len(segment):
        counts = segment[position + 1 : position + 17]
        symbols = segment[position + 17 : position + 17 + sum(counts)]
        lengths = np.zeros(256, dtype=np.int64)
        lengths[list(symbols)] = np.repeat(np.arange(1, 17), list(counts))[: len(symbols)]
        tables[segment[position] & 15] = lengths[:17]
        position += 17 + sum(counts)
    return tables


def _differences(values: NDArray[np.uint16], predictor: int, precision: int) -> NDArray[np.uint16]:
    """Return the coded differences: values minus their predictions, modulo 65536 (annex H.1.2)."""
    image = values.astype(np.int32)
    predicted = np.empty_like(image)
    predicted[0, 0] = 1 << (precision - 1)
    predicted[0, 1:] = image[0, :-1]
    predicted[1:, 0] = image[:-1, 0]
    left, above, corner = image[1:, :-1], image[:-1, 1:], image[:-1, :-1]
    predicted[1:, 1:] = PREDICTORS[predictor](left, above, corner)
    return (image - predicted).astype(np.uint16)


def _bits(differences: NDArray[np.uint16], lengths: NDArray[np.int64]) -> int:
    """Count the bits of all codes and of the differences that follow them."""
    counts = np.bincount(differences.ravel(), minlength=65536)
    categories = _categories()
    # Category 16 is the single difference 32768, whose code has no bits after it (H.1.2.2).
    return int(counts @ (lengths[categories] + categories % 16))


@cache
def _categories() -> NDArray[np.int64]:
    """Return the bits of each difference modulo 65536, from 0 to 16."""
    differences = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int64)
    categories: NDArray[np.int64] = np.ceil(np.log2(np.abs(differences) + 1)).astype(np.int64)
    return categories
