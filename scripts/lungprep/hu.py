"""From stored pixel values to Hounsfield units (PS3.3 C.11.1.1.2, Modality LUT)."""

import numpy as np
from numpy.typing import NDArray

HU_MIN = -1024
HU_MAX = 3071

Stored = NDArray[np.int16] | NDArray[np.uint16]


def to_hu(
    stored: Stored,
    slope: float,
    intercept: float,
    padding: tuple[int, int] | None = None,
) -> NDArray[np.int16]:
    """Rescale one slice.

    Parameters
    ----------
    stored : ndarray of int16 or uint16
        Stored values, any shape.
    slope, intercept : float
        RescaleSlope and RescaleIntercept of this slice.
    padding : tuple of int, optional
        PixelPaddingValue and PixelPaddingRangeLimit, in either order, as stored values (PS3.3
        C.7.5.1.1.2). Pixels between them, ends included, were never measured: they become `HU_MIN`.

    Returns
    -------
    ndarray of int16
        ``slope * stored + intercept``, rounded half to even and clipped to [-1024, 3071] HU:
        below is padding, above is metal, and 12 bits are what scanners store.
    """
    if slope == 1 and float(intercept).is_integer():
        hu = _shifted(stored, int(intercept))
    else:
        # One slice in float64 is 2 MB; float32 would round products of 16-bit values differently.
        exact = stored.astype(np.float64) * slope + intercept
        hu = np.clip(np.rint(exact), HU_MIN, HU_MAX).astype(np.int16)
    if padding is not None:
        low, high = sorted(_as_stored(value, stored.dtype) for value in padding)
        np.copyto(hu, HU_MIN, where=(stored >= low) & (stored <= high))
    return hu


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
