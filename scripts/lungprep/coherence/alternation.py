"""Slices of two scans in turn: every second step between them is larger than the others."""

import numpy as np

from lungprep.coherence.pairs import Floats

#: Two scans, one of them shifted by a fifth of its gap, step by 0.3 and 0.7 of that in turn. In
#: sound scans the steps differ by chance only: by a tenth over 40 slices.
DOUBTFUL = 1.25
CERTAIN = 1.45
#: Steps of less are noise, and alike in any case.
LEAST_STEP_HU = 1.0


def unevenness(steps: Floats) -> float:
    """By how much every second step is larger than those before and behind it, in the middle.

    Parameters
    ----------
    steps : ndarray, shape (n,)
        Difference of each slice from the next, HU; six or more.

    Returns
    -------
    float
        1 for steps that do not alternate.
    """
    logs = np.log(np.maximum(steps, LEAST_STEP_HU))
    above = logs[1:-1] - (logs[:-2] + logs[2:]) / 2
    return float(np.exp(abs(np.median(above[::2]) - np.median(above[1::2])) / 2))
