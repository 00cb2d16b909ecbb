"""Recognise computed slices: a volume that was resampled and written as DICOM again."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lungprep.image.coherence.alternation import unevenness
from lungprep.image.coherence.pairs import Floats
from lungprep.image.hounsfield.scale import HU_MIN

SliceHU = Callable[[int], NDArray[np.int16]]

#: In soft tissue, differences between adjacent pixels are noise.
SOFT_HU = 300
LEAST_PIXELS = 50
#: Number of slices, in the middle of the stack, that are examined.
SLICES = 40
#: A computed mean differs by rounding only, HU: half a unit per slice, twice that for the middle.
ROUNDING_HU = 2
#: With noise of 10 HU, only a tenth of the measured pixels comes as close.
ON_LINE = 0.9


def noise_unevenness(slice_hu: SliceHU, count: int) -> float:
    """Measure how much larger every second step of the noise between slices is.

    If slices are interpolated at a quarter and three quarters of a gap, every second step lies
    within a gap, and is larger than a step across a measured slice. The effect is stronger for
    noise, which is independent in each measured slice, than for anatomy, which is continuous. In
    two interleaved scans, the anatomy alternates and the noise does not.

    Parameters
    ----------
    slice_hu : callable
        Function that returns the HU (rows, columns) of a slice.
    count : int
        Number of slices in the stack.

    Returns
    -------
    float
        Ratio of the steps; 1 if the noise does not alternate, or if the slices have none.
    """
    first = max(0, (count - SLICES) // 2)
    looked = (_soft_noise(slice_hu(k)) for k in range(first, min(count, first + SLICES)))
    steps = []
    for (noise, soft), (other, other_soft) in pairwise(looked):
        both = soft & other_soft
        told = np.count_nonzero(both) >= LEAST_PIXELS
        steps.append(float(np.median(np.abs(other - noise)[both])) if told else 0.0)
    return unevenness(np.array(steps))


def _soft_noise(hu: NDArray[np.int16]) -> tuple[Floats, NDArray[np.bool_]]:
    values = hu.astype(np.float32)
    return np.diff(values, axis=1), np.abs(values[:, 1:]) < SOFT_HU


def on_a_line(slice_hu: SliceHU, count: int) -> bool:
    """Whether a slice is the mean of its neighbours, pixel by pixel: no scanner measures that."""
    before, here = slice_hu(0).astype(np.int32), slice_hu(1).astype(np.int32)
    for k in range(2, count):
        after = slice_hu(k).astype(np.int32)
        # Clipped values are not on a line.
        told = np.minimum(np.minimum(before, here), after) > HU_MIN
        told &= before != after
        off_line = np.abs(2 * here - before - after)[told]
        on_line = np.count_nonzero(off_line <= ROUNDING_HU)
        if on_line > ON_LINE * max(off_line.size, LEAST_PIXELS):
            return True
        before, here = here, after
    return False
