"""Find two interleaved scans: every second step between slices is larger than the others."""

import numpy as np
from numpy.typing import NDArray

from lungprep.image.coherence.pairs import Floats

#: If one of two scans is shifted by a fifth of its gap, steps of 0.3 and 0.7 gaps alternate. In
#: four real scans, thinned to gaps of 1.25 to 16 mm, the ratio of such steps is at most 1.07.
DOUBTFUL = 1.25
CERTAIN = 1.45
#: Smaller steps are noise and are treated as equal.
LEAST_STEP_HU = 1.0
#: In a small stack, every second step may be larger by chance.
LEAST_SLICES = 16
#: The median of fewer steps is unreliable.
LEAST_ALIKE = 3


def unevenness(steps: Floats, kinds: NDArray[np.int64] | None = None) -> float:
    """Measure how much larger every second step is than the steps around it (median ratio).

    Parameters
    ----------
    steps : ndarray, shape (n,)
        Difference of each slice from the next, HU; six or more.
    kinds : ndarray of int, shape (n,), optional
        Group of each step; by default even and odd steps.

    Returns
    -------
    float
        Ratio of the groups; 1 for steps that do not alternate.
    """
    logs = np.log(np.maximum(steps, LEAST_STEP_HU))
    above = logs[1:-1] - (logs[:-2] + logs[2:]) / 2
    kinds = np.arange(len(steps)) % 2 if kinds is None else kinds
    counts = zip(*np.unique(kinds[1:-1], return_counts=True), strict=True)
    medians = [np.median(above[kinds[1:-1] == kind]) for kind, n in counts if n >= LEAST_ALIKE]
    return float(np.exp((max(medians) - min(medians)) / 2)) if medians else 1.0
