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
        Pixels that were never measured; they become `HU_MIN`.

    Returns
    -------
    ndarray of int16
        ``slope * stored + intercept``, rounded half to even and clipped to [-1024, 3071] HU, the
        12 bits that scanners store: lower values are padding, higher ones are metal.

    Examples
    --------
    >>> import numpy as np
    >>> stored = np.array([[0, 1024], [1064, 5000]], dtype=np.uint16)
    >>> to_hu(stored, slope=1, intercept=-1024)
    array([[-1024,     0],
           [   40,  3071]], dtype=int16)
    >>> to_hu(stored, slope=1, intercept=-1024, padding=stored == 1064)
    array([[-1024,     0],
           [-1024,  3071]], dtype=int16)
    """
    if slope == 1 and float(intercept).is_integer():
        hu = _shifted(stored, int(intercept))
    else:
        hu = np.clip(_exact(stored, slope, intercept), HU_MIN, HU_MAX).astype(np.int16)
    if padding is not None:
        np.copyto(hu, HU_MIN, where=padding)
    return hu


def is_padding(stored: Stored, value: int, limit: int) -> NDArray[np.bool_]:
    """Mark the pixels that hold declared padding (PS3.3 C.7.5.1.1.2).

    Parameters
    ----------
    stored : ndarray of int16 or uint16
        Stored values, any shape.
    value, limit : int
        PixelPaddingValue and PixelPaddingRangeLimit, in either order, both included. They are
        stored values: before the rescale, with the sign of the pixels whatever their own VR is.
    """
    low, high = padding_range(value, limit, stored.dtype)
    return (stored >= low) & (stored <= high)


def padding_range(
    value: int, limit: int, dtype: np.dtype[np.int16] | np.dtype[np.uint16]
) -> tuple[int, int]:
    """Return the lowest and the highest stored value of declared padding, as in `is_padding`."""
    low, high = sorted(_as_stored(v, dtype) for v in (value, limit))
    return low, high


def saturated(
    stored: Stored,
    slope: float,
    intercept: float,
    padding: NDArray[np.bool_] | None = None,
) -> int:
    """Count the pixels whose HU would not fit in 16 bits, which is a sign of a wrong header.

    Parameters
    ----------
    stored, slope, intercept, padding
        As in `to_hu`. Padding is not counted.
    """
    limits = np.iinfo(stored.dtype)
    # Two multiplications suffice for nearly all slices; the others need their extremes.
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
    # An absurd slope gives infinity, which is clipped like any value that is too large.
    with np.errstate(over="ignore"):
        return np.rint(stored.astype(np.float64) * slope + intercept)


def _shifted(stored: Stored, intercept: int) -> NDArray[np.int16]:
    """Add an integer in 16 bits, after clipping to what fits: 30 times faster than in float64."""
    limits = np.iinfo(stored.dtype)
    low = min(max(HU_MIN - intercept, limits.min), limits.max)
    high = min(max(HU_MAX - intercept, limits.min), limits.max)
    # Addition modulo 2^16 is exact, because the true sum of clipped values fits in int16.
    shift = np.array(intercept % 65536, dtype=np.uint16)
    wrapped = np.clip(stored, low, high).view(np.uint16) + shift
    hu: NDArray[np.int16] = wrapped.view(np.int16)
    if HU_MIN - intercept > limits.max:
        hu.fill(HU_MIN)
    elif HU_MAX - intercept < limits.min:
        hu.fill(HU_MAX)
    return hu


def _as_stored(value: int, dtype: np.dtype[np.int16] | np.dtype[np.uint16]) -> int:
    """Read a 16-bit tag with the sign of the pixels: its VR often has the wrong sign."""
    return int(np.array(value % 65536, dtype=np.uint16).view(dtype))
