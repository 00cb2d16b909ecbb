"""Padding that the header declares, and whether to believe it (PS3.3 C.7.5.1.1.2).

PixelPaddingValue "shall not be present" where its value occurs in the image itself. Tools that
rewrite stored values leave the tag as it was: each voxel of, say, 0 HU would then become a hole.
"""

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from lungprep.dicom.slices import Slice
from lungprep.hounsfield.padding import squared_radius
from lungprep.hounsfield.scale import HU_MIN, Stored, is_padding, padding_range
from lungprep.pixels.stored import Decoded

Mask = NDArray[np.bool_]

#: Sound padding leaves the middle of the field alone: the inner half of its radius.
MIDDLE = 0.5


def declared_padding(slice_: Slice, decoded: Decoded) -> Mask | None:
    """Pixels (rows, columns) that hold PixelPaddingValue, or lie in its range; None without one."""
    ends = _ends(slice_)
    if ends is None:
        return None
    padding = is_padding(decoded.stored, *ends)
    if decoded.beyond is not None:
        # Padding is often written in all 16 bits, though fewer are stored.
        signed = decoded.stored.dtype == np.int16
        raw: Stored = decoded.cells.view(np.int16) if signed else decoded.cells
        padding |= decoded.beyond & is_padding(raw, *ends)
    return padding


def may_be_measured(slice_: Slice, scale: tuple[float, float] | None) -> bool:
    """Whether declared padding lies among the HU that are told apart: above -1024.

    Parameters
    ----------
    slice_ : Slice
        A CT slice.
    scale : tuple of float, optional
        Its slope and intercept; None where a table takes their place.
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
    """Part padding around the field from pixels of its value amid what was measured.

    Parameters
    ----------
    padding : ndarray of bool
        From `declared_padding`.
    decoded : Decoded
        The slice.

    Returns
    -------
    around : ndarray of bool
        Padding that reaches the border of the slice along its row or column.
    amid : int
        Pixels that do not, or that lie in the middle of the field; 0 for a slice of one value.
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
    """PixelPaddingValue and PixelPaddingRangeLimit; None where there is no padding."""
    value = _first(slice_, "PixelPaddingValue")
    if value is None:
        return None
    limit = _first(slice_, "PixelPaddingRangeLimit")
    return value, value if limit is None else limit


def _first(slice_: Slice, keyword: str) -> int | None:
    """The first value of a tag; None where that is no number, which marks nothing then."""
    with suppress(ValueError, OverflowError):
        return int(float(slice_.text(keyword).partition("\\")[0]))
    return None
