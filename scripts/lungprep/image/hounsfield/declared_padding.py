"""Padding that the header declares, and whether to believe it (PS3.3 C.7.5.1.1.2).

PixelPaddingValue "shall not be present" if its value occurs in the image itself. Some tools rewrite
the stored values and leave the tag as it was; every voxel of 0 HU, for example, would then become a
hole.
"""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from lungprep.image.dicom.slices import Slice
from lungprep.image.hounsfield.padding import squared_radius
from lungprep.image.hounsfield.scale import HU_MIN, Stored, is_padding, padding_range
from lungprep.image.pixels.stored import Decoded

Mask = NDArray[np.bool_]

#: True padding never reaches the middle of the field: the inner half of its radius.
MIDDLE = 0.5


def declared_padding(slice_: Slice, decoded: Decoded) -> Mask | None:
    """Mark the pixels (rows, columns) of declared padding; None if the slice declares none."""
    ends = _ends(slice_)
    if ends is None:
        return None
    padding = is_padding(decoded.stored, *ends)
    if decoded.beyond is not None:
        # Padding is often written in all 16 bits even if BitsStored is smaller.
        signed = decoded.stored.dtype == np.int16
        raw: Stored = decoded.cells.view(np.int16) if signed else decoded.cells
        padding |= decoded.beyond & is_padding(raw, *ends)
    return padding


def may_be_measured(slice_: Slice, scale: tuple[float, float] | None) -> bool:
    """Whether the HU of declared padding can also be measured: above -1024.

    Parameters
    ----------
    slice_ : Slice
        A CT slice.
    scale : tuple of float, optional
        Slope and intercept of the slice; None if it has a Modality LUT instead.
    """
    ends = _ends(slice_)
    if ends is None:
        return False
    if scale is None:
        return True
    signed = slice_.integer("PixelRepresentation", 0)
    slope, intercept = scale
    range_ = padding_range(*ends, np.dtype(np.int16) if signed else np.dtype(np.uint16))
    return any(slope * end + intercept > HU_MIN for end in range_)


def amid_measured(padding: Mask, decoded: Decoded) -> tuple[Mask, int]:
    """Separate padding around the field from measured pixels that hold the padding value.

    Parameters
    ----------
    padding : ndarray of bool
        Pixels found by `declared_padding`.
    decoded : Decoded
        The slice.

    Returns
    -------
    around : ndarray of bool
        Pixels connected to the border of the slice by padding along their row or column.
    amid : int
        Number of the other pixels, and of those in the middle of the field; 0 for a constant slice.
    """
    if int(decoded.stored.min()) == int(decoded.stored.max()):
        return padding, 0
    around = np.zeros_like(padding)
    for axis in (0, 1):
        for direction in (slice(None), slice(None, None, -1)):
            view = (direction, slice(None)) if axis == 0 else (slice(None), direction)
            around[view] |= np.logical_and.accumulate(padding[view], axis=axis)
    middle = squared_radius(*padding.shape) < MIDDLE**2
    return around, int(np.count_nonzero(padding & (~around | middle)))


def _ends(slice_: Slice) -> tuple[int, int] | None:
    """Return PixelPaddingValue and PixelPaddingRangeLimit; None without a padding value."""
    value = _first(slice_, "PixelPaddingValue")
    if value is None:
        return None
    limit = _first(slice_, "PixelPaddingRangeLimit")
    return value, value if limit is None else limit


def _first(slice_: Slice, keyword: str) -> int | None:
    """Return the first value of a tag; None if it is not a number, which marks no pixel."""
    with suppress(ValueError, OverflowError):
        return int(float(slice_.text(keyword).partition("\\")[0]))
    return None
