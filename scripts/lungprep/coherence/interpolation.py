"""Slices that were computed from others: a volume that was resampled and written again."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lungprep.coherence.alternation import unevenness
from lungprep.coherence.pairs import Floats
from lungprep.hounsfield.scale import HU_MIN

SliceHU = Callable[[int], NDArray[np.int16]]

#: In soft tissue, differences between pixels side by side are noise.
SOFT_HU = 300
LEAST_PIXELS = 50
#: So many slices in the middle of the stack tell.
SLICES = 40
#: What is on a line misses it by rounding only, HU: half in each, and the middle one counts twice.
ROUNDING_HU = 2
#: Of noise of 10 HU, a tenth misses it by no more.
ON_LINE = 0.9


def noise_unevenness(slice_hu: SliceHU, count: int) -> float:
    """By how much every second step of the noise between slices is larger.

    Where slices are interpolated at a quarter and three quarters of a gap, every second step lies
    within a gap, and is larger than the one across a measured slice: for noise, which is new in
    each measured slice, more so than for anatomy, which goes on. In two scans in turn the anatomy
    alternates and the noise does not.

    Parameters
    ----------
    slice_hu : callable
        Gives the HU (rows, columns) of a slice.
    count : int
        Slices in the stack.

    Returns
    -------
    float
        1 for noise that does not alternate, and where there is none.
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
    """Whether a slice is the mean of its neighbours, pixel by pixel, as no scanner measures."""
    before, here = slice_hu(0).astype(np.int32), slice_hu(1).astype(np.int32)
    for k in range(2, count):
        after = slice_hu(k).astype(np.int32)
        # What is clipped is on no line.
        told = np.minimum(np.minimum(before, here), after) > HU_MIN
        told &= before != after
        off_line = np.abs(2 * here - before - after)[told]
        on_line = np.count_nonzero(off_line <= ROUNDING_HU)
        if on_line > ON_LINE * max(off_line.size, LEAST_PIXELS):
            return True
        before, here = here, after
    return False
