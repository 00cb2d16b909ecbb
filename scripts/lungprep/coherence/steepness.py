"""Steps between slices, by the steps around them."""

from collections.abc import Iterable

import numpy as np

from lungprep.coherence.pairs import Floats

#: Steps on either side that tell the usual one.
AROUND = 6
LEAST_AROUND = 3
#: A usual step is no less, HU: where there is air only, any noise would be steep.
LEAST_USUAL_HU = 1.0


def steepness(steps: Floats, left_out: Iterable[int] = ()) -> Floats:
    """Each step between two slices as a multiple of the median of the six before and behind it.

    Parameters
    ----------
    steps : ndarray, shape (n,)
        Difference of each slice from the next, HU.
    left_out : iterable of int
        Steps that tell nothing.

    Returns
    -------
    ndarray, shape (n,)
        0 for the steps left out, and where fewer than three others are near.
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
