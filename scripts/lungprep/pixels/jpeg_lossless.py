"""Whether a lossless JPEG scan holds all of its values (ISO/IEC 10918-1, annex H).

A scan has no length, and its decoder makes up what is missing from one that was cut and closed
again. But the values tell how many bits they take: each is coded as its difference from a
prediction by its neighbours, with a Huffman code for the bits of the difference, then these bits.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from lungprep.pixels.codestream import START_OF_SCAN, Codestream, segments

Values = NDArray[np.int32]

HUFFMAN_TABLES = 0xC4
RESTART_INTERVAL = 0xDD
# Encoders fill up the last byte; more than a few bytes too many are values that were lost.
MOST_FILL_BYTES = 16
# By the left, the upper and the upper left neighbour (table H.1).
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
    """Compare the length of the scan with that of its decoded values.

    Parameters
    ----------
    frame : bytes
        A frame that `lungprep.pixels.codestream.read_jpeg` has let through.
    stream : Codestream
        What that said.
    values : ndarray of uint16
        What a decoder made of it, shape (rows, columns).

    Raises
    ------
    ValueError
        Where they differ: the scan breaks off, or is damaged.
    """
    tables: dict[int, NDArray[np.int64]] = {}
    for marker, start, stop in segments(frame):
        if marker == HUFFMAN_TABLES:
            tables |= _code_lengths(frame[start:stop])
        elif marker == RESTART_INTERVAL and any(frame[start:stop]):
            # Each interval is filled up, and predicted anew: not worth code until a file has any.
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
        raise ValueError(f"JPEG data of {available} bits, whose values take {used}, breaks off")


def _code_lengths(segment: bytes) -> dict[int, NDArray[np.int64]]:
    """Bits of each category's code, by table (annex B.2.4.2); 0 where there is none."""
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
    """What the scan codes: values less their prediction, modulo 65536 (annex H.1.2)."""
    image = values.astype(np.int32)
    predicted = np.empty_like(image)
    predicted[0, 0] = 1 << (precision - 1)
    predicted[0, 1:] = image[0, :-1]
    predicted[1:, 0] = image[:-1, 0]
    left, above, corner = image[1:, :-1], image[:-1, 1:], image[:-1, :-1]
    predicted[1:, 1:] = PREDICTORS[predictor](left, above, corner)
    return (image - predicted).astype(np.uint16)


def _bits(differences: NDArray[np.uint16], lengths: NDArray[np.int64]) -> int:
    """Bits of all codes and of the differences behind them."""
    counts = np.bincount(differences.ravel(), minlength=65536)
    categories = _categories()
    # The 17th category is one difference, 32768, which has a code and no bits behind it (H.1.2.2).
    return int(counts @ (lengths[categories] + categories % 16))


@cache
def _categories() -> NDArray[np.int64]:
    """How many bits each difference modulo 65536 takes, from 0 to 16."""
    differences = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int64)
    categories: NDArray[np.int64] = np.ceil(np.log2(np.abs(differences) + 1)).astype(np.int64)
    return categories
