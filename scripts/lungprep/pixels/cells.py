"""From cells of 16 bits to values of fewer (PS3.5 8.1.1), and what the cells hold besides."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.hounsfield.scale import Stored
from lungprep.pixels.codestream import Codestream

Cells = NDArray[np.uint16]
Mask = NDArray[np.bool_]

# One reading is plain where another has this many times as many jumps between neighbours.
PLAINLY = 10


@dataclass(frozen=True)
class Layout:
    """How a slice's values are stored.

    Attributes
    ----------
    rows, columns : int
        Size of the slice.
    bits : int
        BitsStored, of 16 allocated.
    high_bit : int
        HighBit, from 0: other bits than the `bits` up to it may hold overlays.
    signed : bool
        PixelRepresentation.
    """

    rows: int
    columns: int
    bits: int
    high_bit: int
    signed: bool


def stored_values(cells: Cells, layout: Layout) -> Stored:
    """Read cells of 16 bits as values of fewer, shape (rows, columns)."""
    cells = cells.reshape(layout.rows, layout.columns)
    values: Stored = cells.view(np.int16) if layout.signed else cells
    if (layout.bits, layout.high_bit) == (16, 15):
        return values
    # Left then right: clears overlay bits of unsigned values, extends the sign of signed ones.
    return np.right_shift(np.left_shift(values, 15 - layout.high_bit), 16 - layout.bits)


def may_reach_beyond(cells: Cells, layout: Layout) -> bool:
    """Whether `bits_beyond` is worth a look: never for 16 bits, nor for values within theirs."""
    if layout.high_bit == 15:
        return False
    limit = 1 << layout.high_bit
    if not layout.signed:
        return int(cells.max()) >= 2 * limit
    values = cells.view(np.int16)
    return int(values.max()) >= limit or int(values.min()) < -limit


def bits_beyond(cells: Cells, layout: Layout, overlays: int) -> Mask | None:
    """Which cells hold more than their value: bits above HighBit that no overlay explains.

    They are ignored (PS3.5 8.1.1). They may be the upper bits of a value, written by a tool that
    kept a BitsStored too small for it.

    Parameters
    ----------
    cells : ndarray of uint16
        Shape (rows, columns).
    layout : Layout
        Of these cells.
    overlays : int
        The bits, as a mask, where the header has overlays.

    Returns
    -------
    ndarray of bool or None
        None where there are none: the sign of a signed value may be extended or not, and bits
        that are the same in all cells mean nothing.
    """
    mask = (0xFFFF >> (layout.high_bit + 1)) & ~(overlays >> (layout.high_bit + 1))
    above = (cells >> np.uint16(layout.high_bit + 1)) & np.uint16(mask)
    if above.min() == above.max() and above[0, 0]:
        return None
    beyond: Mask = above != 0
    if layout.signed and mask:
        sign = cells & np.uint16(1 << layout.high_bit) != 0
        extended = sign & (above == mask)
        beyond &= ~extended
        # Without a sign of their own these values are too large for theirs.
        bare = sign & (above == 0)
        if bare.any() and (extended.any() or _is_unsigned(cells, layout.high_bit + 1)):
            beyond |= bare
    return beyond if beyond.any() else None


def as_signed_by_header(cells: Cells, stream: Codestream, layout: Layout) -> Cells | None:
    """Cells of a stream whose precision is less than BitsStored, or whose sign is another.

    Parameters
    ----------
    cells : ndarray of uint16
        As `lungprep.pixels.decoders.decode` gives them.
    stream : Codestream
        What the stream says.
    layout : Layout
        What the header says.

    Returns
    -------
    ndarray of uint16 or None
        Cells to be read by `stored_values`. None where it can't be told which of them are negative:
        the stream has fewer bits than the header, or a sign where that has none, and what their
        highest bit means is neither said by both nor plain from the neighbours.
    """
    sign = 1 << (stream.precision - 1)
    if stream.signed:
        if layout.signed or int(cells.max()) < 1 << 15:
            return cells
        unsigned = cells & np.uint16(2 * sign - 1)
        return unsigned if _is_unsigned(unsigned, stream.precision) else None
    if not layout.signed or stream.precision >= layout.bits or int(cells.max()) < sign:
        return cells
    if _is_unsigned(cells, stream.precision):
        return cells
    return (
        _extended(cells, sign) if _is_unsigned(cells ^ np.uint16(sign), stream.precision) else None
    )


def _extended(cells: Cells, sign: int) -> Cells:
    """Two's complement of fewer bits in 16."""
    return (cells ^ np.uint16(sign)) - np.uint16(sign)


def _is_unsigned(cells: Cells, bits: int) -> bool:
    """Whether neighbours are plainly nearer to each other as unsigned values than as signed ones.

    Under the wrong reading values wrap wherever they cross half of their range: a small step
    becomes one of nearly all of it, which no edge of an image is.
    """
    sign = 1 << (bits - 1)
    values = cells & np.uint16(2 * sign - 1)
    limit = 3 * sign // 2
    return PLAINLY * _jumps(values, limit) < _jumps(values ^ np.uint16(sign), limit)


def _jumps(values: Cells, limit: int) -> int:
    """Neighbours, along rows and columns, that differ by more than a limit."""
    wide = values.astype(np.int32)
    return sum(int(np.count_nonzero(np.abs(np.diff(wide, axis=a)) > limit)) for a in (0, 1))
