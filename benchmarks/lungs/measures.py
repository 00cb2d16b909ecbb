"""How well a mask agrees with the truth."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def dice(truth: Mask, found: Mask) -> float:
    """Overlap of two masks: 1 if equal, 0 if disjoint; 1 if both are empty."""
    total = np.count_nonzero(truth) + np.count_nonzero(found)
    return 2 * np.count_nonzero(truth & found) / total if total else 1.0


def swapped(truth: Labels, found: Labels) -> float:
    """Share of the true lungs that carries the other side's label."""
    lungs = (truth == 1) | (truth == 2)
    wrong = ((truth == 1) & (found == 2)) | ((truth == 2) & (found == 1))
    return np.count_nonzero(wrong) / max(np.count_nonzero(lungs), 1)


def share(part: Mask, whole: Mask) -> float:
    """Part of `whole` that lies in `part`; 0 if there is no whole."""
    return np.count_nonzero(part & whole) / max(np.count_nonzero(whole), 1)


def covered(lesions: Sequence[Mask], found: Mask) -> list[float]:
    """Share of each lesion that the mask holds; lesions without a voxel are passed over."""
    return [share(found, lesion) for lesion in lesions if lesion.any()]


def included(shares: Sequence[float], least: float = 0.5) -> float:
    """Share of the lesions of which the mask holds at least half; 1 if there is none."""
    return sum(s >= least for s in shares) / len(shares) if shares else 1.0
