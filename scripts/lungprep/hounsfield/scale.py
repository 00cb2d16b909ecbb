"""From stored pixel values to Hounsfield units (PS3.3 C.11.1.1.2, Modality LUT)."""

import numpy as np
from numpy.typing import NDArray

HU_MIN = -1024
HU_MAX = 3071
INT16 = np.iinfo(np.int16)

Stored = NDArray[np.int16] | NDArray[np.uint16]


def to_hu(
    stored: Stored,
    slope: float,
    intercept: float,
    padding: NDArray[np.bool_] | None = None,
) -> NDArray[np.int16]:
    """Rescale one slice.

    Parameters
    ----------
    stored : ndarray of int16 or uint16
        Stored values, any shape.
    slope, intercept : float
        RescaleSlope and RescaleIntercept of this slice.
    padding : ndarray of bool, optional
        Pixels that were never measured: they become `HU_MIN`.

    Returns
    -------
    ndarray of int16
        ``slope * stored + intercept``, rounded half to even and clipped to [-1024, 3071] HU:
        below is padding, above is metal, and 12 bits are what scanners store.
    """
    if slope == 1 and float(intercept).is_integer():
        hu = _shifted(stored, int(intercept))
    else:
        hu = np.clip(_exact(stored, slope, intercept), HU_MIN, HU_MAX).astype(np.int16)
    if padding is not None:
        np.copyto(hu, HU_MIN, where=padding)
    return hu


def is_padding(stored: Stored, value: int, limit: int) -> NDArray[np.bool_]:
    """Which pixels hold declared padding (PS3.3 C.7.5.1.1.2).

    Parameters
    ----------
    stored : ndarray of int16 or uint16
        Stored values, any shape.
    value, limit : int
        PixelPaddingValue and PixelPaddingRangeLimit, ends included, in either order, as stored
        values: before the rescale, and with the sign of the pixels whatever their VR says.
    """
    low, high = padding_range(value, limit, stored.dtype)
    return (stored >= low) & (stored <= high)


def padding_range(
    value: int, limit: int, dtype: np.dtype[np.int16] | np.dtype[np.uint16]
) -> tuple[int, int]:
    """The lowest and the highest stored value of declared padding, as `is_padding` takes them."""
    low, high = sorted(_as_stored(v, dtype) for v in (value, limit))
    return low, high


def saturated(
    stored: Stored,
    slope: float,
    intercept: float,
    padding: NDArray[np.bool_] | None = None,
) -> int:
    """Count the pixels whose HU would not fit in 16 bits: the sign of a wrong header.

    Parameters
    ----------
    stored, slope, intercept, padding
        As in `to_hu`. Padding does not count.
    """
    limits = np.iinfo(stored.dtype)
    # Two multiplications settle it for nearly all slices, and a search for the extremes for others.
    if _fit(slope * limits.min + intercept, slope * limits.max + intercept):
        return 0
    if _fit(slope * int(stored.min()) + intercept, slope * int(stored.max()) + intercept):
        return 0
    exact = _exact(stored, slope, intercept)
    outside = (exact < INT16.min) | (exact > INT16.max)
    if padding is not None:
        outside &= ~padding
    return int(np.count_nonzero(outside))


def _fit(*values: float) -> bool:
    return all(INT16.min <= value <= INT16.max for value in values)


def _exact(stored: Stored, slope: float, intercept: float) -> NDArray[np.float64]:
    """Rescale in float64, rounded; float32 would round products of 16-bit values differently."""
    # A slope beyond all reason gives infinity, which is clipped like all that is too large.
    with np.errstate(over="ignore"):
        return np.rint(stored.astype(np.float64) * slope + intercept)


def _shifted(stored: Stored, intercept: int) -> NDArray[np.int16]:
    """Add an integer: clipping first keeps the sum in 16 bits; a thirtieth of float's CPU."""
    limits = np.iinfo(stored.dtype)
    low = min(max(HU_MIN - intercept, limits.min), limits.max)
    high = min(max(HU_MAX - intercept, limits.min), limits.max)
    # Addition modulo 2^16 is right: after the clip the true sum fits in int16.
    shift = np.array(intercept % 65536, dtype=np.uint16)
    wrapped = np.clip(stored, low, high).view(np.uint16) + shift
    hu: NDArray[np.int16] = wrapped.view(np.int16)
    if HU_MIN - intercept > limits.max:
        hu.fill(HU_MIN)
    elif HU_MAX - intercept < limits.min:
        hu.fill(HU_MAX)
    return hu


def _as_stored(value: int, dtype: np.dtype[np.int16] | np.dtype[np.uint16]) -> int:
    """Read a 16-bit tag as the pixels are read: its VR often has the wrong sign."""
    return int(np.array(value % 65536, dtype=np.uint16).view(dtype))
