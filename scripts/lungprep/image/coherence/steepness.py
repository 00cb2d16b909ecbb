"""Measure steps between slices relative to the steps around them."""

from collections.abc import Iterable

import numpy as np

from lungprep.image.coherence.pairs import Floats

#: Number of steps on either side that define the usual step.
AROUND = 6
LEAST_AROUND = 3
#: Least usual step, HU: in pure air, any noise would otherwise be steep.
LEAST_USUAL_HU = 1.0


def steepness(steps: Floats, left_out: Iterable[int] = ()) -> Floats:
    """Divide each step between two slices by the median of the six steps before and after it.

    Parameters
    ----------
    steps : ndarray, shape (n,)
        Difference of each slice from the next, HU.
    left_out : iterable of int
        Steps to ignore.

    Returns
    -------
    ndarray, shape (n,)
        Ratios; 0 for ignored steps, and for steps with fewer than three others near.
    """
    kept = np.full(len(steps), True)
    kept[list(left_out)] = False
    steep = np.zeros(len(steps))
    for k in np.flatnonzero(kept):
        near = np.arange(max(0, int(k) - AROUND), min(len(steps), int(k) + AROUND + 1))
        usual = steps[near[kept[near] & (near != k)]]
        if len(usual) >= LEAST_AROUND:
            steep[k] = steps[k] / max(float(np.median(usual)), LEAST_USUAL_HU)
    return steep
