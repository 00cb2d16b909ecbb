"""Slices of two scans in turn: every second step between them is larger than the others."""

import numpy as np
from numpy.typing import NDArray

from lungprep.coherence.pairs import Floats

#: Two scans, one of them shifted by a fifth of its gap, step by 0.3 and 0.7 of that in turn. In
#: four real scans, thinned to gaps of 1.25 to 16 mm, every second step is larger by 1.07 at most.
DOUBTFUL = 1.25
CERTAIN = 1.45
#: Steps of less are noise, and alike in any case.
LEAST_STEP_HU = 1.0
#: Where every second step is larger by chance, it is so among few slices.
LEAST_SLICES = 16
#: Fewer steps of a kind tell nothing.
LEAST_ALIKE = 3


def unevenness(steps: Floats, kinds: NDArray[np.int64] | None = None) -> float:
    """By how much every second step is larger than those before and behind it, in the middle.

    Parameters
    ----------
    steps : ndarray, shape (n,)
        Difference of each slice from the next, HU; six or more.
    kinds : ndarray of int, shape (n,), optional
        Which steps are alike; by default, every second one.

    Returns
    -------
    float
        1 for steps that do not alternate.
    """
    logs = np.log(np.maximum(steps, LEAST_STEP_HU))
    above = logs[1:-1] - (logs[:-2] + logs[2:]) / 2
    kinds = np.arange(len(steps)) % 2 if kinds is None else kinds
    counts = zip(*np.unique(kinds[1:-1], return_counts=True), strict=True)
    medians = [np.median(above[kinds[1:-1] == kind]) for kind, n in counts if n >= LEAST_ALIKE]
    return float(np.exp((max(medians) - min(medians)) / 2)) if medians else 1.0
