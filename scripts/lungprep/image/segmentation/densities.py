"""How dense the lungs are: mean, emphysema index and percentile, all from one exact histogram."""

import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.scale import HU_MAX, HU_MIN
from lungprep.image.segmentation.labels import LEFT, RIGHT

Histogram = NDArray[np.int64]

_EMPHYSEMA_HU = -950
_PERCENT = 15


def histograms(hu: NDArray[np.int16], labels: NDArray[np.uint8]) -> tuple[Histogram, Histogram]:
    """Voxels per HU, from `HU_MIN` to `HU_MAX`, in the right and in the left lung.

    Parameters
    ----------
    hu : ndarray of int16
        Axes (z, y, x), from `HU_MIN` to `HU_MAX` inside the lungs.
    labels : ndarray of uint8
        Same shape: 0 outside, 1 right lung, 2 left lung.
    """
    size = HU_MAX - HU_MIN + 1
    counts = np.zeros((2, size), np.int64)
    for values, slice_ in zip(hu, labels, strict=True):
        sides = (RIGHT, LEFT) if np.count_nonzero(slice_) else ()
        for side in sides:
            inside = values[slice_ == side] - np.int16(HU_MIN)
            counts[side - RIGHT] += np.bincount(inside, minlength=size)
    return counts[0], counts[1]


def mean_hu(histogram: Histogram) -> float | None:
    """Mean, to 0.1 HU; None of no voxels."""
    voxels = int(histogram.sum())
    total = int(histogram @ np.arange(HU_MIN, HU_MAX + 1))
    return round(total / voxels, 1) if voxels else None


def emphysema_percent(histogram: Histogram) -> float | None:
    """Share of the voxels below -950 HU, in percent; None of no voxels.

    The density mask is of Müller et al., Chest 94(4), 1988, its limit for thin slices of Gevenois
    et al., Am J Respir Crit Care Med 154(1), 1996. Noise and sharp kernels spread the HU and so
    raise the share; thick slices lower it.
    """
    voxels = int(histogram.sum())
    below = int(histogram[: _EMPHYSEMA_HU - HU_MIN].sum())
    return round(100 * below / voxels, 2) if voxels else None


def perc15_hu(histogram: Histogram) -> int | None:
    """The lowest HU that at least 15 % of the voxels do not exceed; None of no voxels."""
    up_to = np.cumsum(histogram)
    if not up_to[-1]:
        return None
    return int(np.searchsorted(100 * up_to, _PERCENT * up_to[-1])) + HU_MIN
