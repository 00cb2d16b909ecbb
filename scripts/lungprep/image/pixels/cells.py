"""Read values of fewer than 16 bits from cells of 16 bits (PS3.5 8.1.1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.scale import Stored
from lungprep.image.pixels.codestream import Codestream

Cells = NDArray[np.uint16]
Mask = NDArray[np.bool_]

# A reading of the sign is certain if the other one has this many times more jumps.
PLAINLY = 10


@dataclass(frozen=True)
class Layout:
    """Layout of a slice's values in its cells.

    Attributes
    ----------
    rows, columns : int
        Size of the slice.
    bits : int
        BitsStored, of 16 allocated.
    high_bit : int
        HighBit, from 0. A value has `bits` bits up to this one; the other bits may hold overlays.
    signed : bool
        PixelRepresentation.
    """

    rows: int
    columns: int
    bits: int
    high_bit: int
    signed: bool


def stored_values(cells: Cells, layout: Layout) -> Stored:
    """Read the values, shape (rows, columns), from cells of 16 bits."""
    cells = cells.reshape(layout.rows, layout.columns)
    values: Stored = cells.view(np.int16) if layout.signed else cells
    if (layout.bits, layout.high_bit) == (16, 15):
        return values
    # The two shifts clear the overlay bits of unsigned values, and extend the sign of signed ones.
    return np.right_shift(np.left_shift(values, 15 - layout.high_bit), 16 - layout.bits)


def may_reach_beyond(cells: Cells, layout: Layout) -> bool:
    """Whether any cell may exceed BitsStored: a quick check before `bits_beyond`."""
    if layout.high_bit == 15:
        return False
    limit = 1 << layout.high_bit
    if not layout.signed:
        return int(cells.max()) >= 2 * limit
    values = cells.view(np.int16)
    return int(values.max()) >= limit or int(values.min()) < -limit


def bits_beyond(cells: Cells, layout: Layout, overlays: int) -> Mask | None:
    """Mark the cells with bits above HighBit that no overlay explains.

    These bits are ignored (PS3.5 8.1.1). They may be the upper bits of a value, written by a tool
    that did not raise BitsStored.

    Parameters
    ----------
    cells : ndarray of uint16
        Shape (rows, columns).
    layout : Layout
        Layout of the cells.
    overlays : int
        Mask of the bits that hold overlays, according to the header.

    Returns
    -------
    ndarray of bool or None
        None if no cell has such bits. The extended sign of a signed value does not count, nor do
        bits that are set in all cells.
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
        # These values are positive numbers that are too large for their bits.
        bare = sign & (above == 0)
        if bare.any() and (extended.any() or _is_unsigned(cells, layout.high_bit + 1)):
            beyond |= bare
    return beyond if beyond.any() else None


def as_signed_by_header(cells: Cells, stream: Codestream, layout: Layout) -> Cells | None:
    """Reconcile cells with a header that gives another precision or sign than their stream.

    Parameters
    ----------
    cells : ndarray of uint16
        Cells from `lungprep.image.pixels.decoders.decode`.
    stream : Codestream
        Size, precision and sign according to the stream.
    layout : Layout
        Layout according to the header.

    Returns
    -------
    ndarray of uint16 or None
        Cells for `stored_values`. None if negative values can't be determined: the stream has fewer
        bits than the header, or a sign that the header does not have, and neighbouring pixels do
        not show what the highest bit means.
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
    """Extend a two's complement of fewer bits to 16 bits."""
    return (cells ^ np.uint16(sign)) - np.uint16(sign)


def _is_unsigned(cells: Cells, bits: int) -> bool:
    """Whether neighbours are clearly closer to each other as unsigned than as signed values.

    Under the wrong reading, values wrap wherever they cross half of their range. A small step then
    becomes a step of nearly the whole range, which no edge in an image is.
    """
    sign = 1 << (bits - 1)
    values = cells & np.uint16(2 * sign - 1)
    limit = 3 * sign // 2
    return PLAINLY * _jumps(values, limit) < _jumps(values ^ np.uint16(sign), limit)


def _jumps(values: Cells, limit: int) -> int:
    """Count the neighbours, along rows and columns, that differ by more than a limit."""
    wide = values.astype(np.int32)
    return sum(int(np.count_nonzero(np.abs(np.diff(wide, axis=a)) > limit)) for a in (0, 1))
