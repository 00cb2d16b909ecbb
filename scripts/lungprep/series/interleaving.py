"""Whether parts of a series that fill each other's gaps are one scan, told from their pixels."""

from collections import defaultdict

import numpy as np

from lungprep.coherence.alternation import CERTAIN, LEAST_STEP_HU
from lungprep.coherence.pairs import Floats, compare, differences
from lungprep.coherence.thumbnails import thumbnail
from lungprep.dicom.slices import Slice
from lungprep.hounsfield.rescale import slice_hu
from lungprep.series.policy import LoadOptions

#: Places along the series that are looked at, and slices of each part at each.
PLACES = 8
OF_EACH = 2
#: Neighbours of one scan are more alike than those of one part, which lie farther apart; of two
#: scans less. Where all is noise they are equal.
MOST_APART = 1.0
#: Another scale is another scan, HU.
LARGEST_OFFSET_HU = 25.0


def belong_together(parts: list[list[Slice]], options: LoadOptions) -> bool:
    """Whether the volume of all slices is as smooth along the stack as those of its parts.

    Parameters
    ----------
    parts : list of list of Slice
        Of one series, each in order of its stack; together they are an even stack.
    options : LoadOptions
        Says whether HU may be assumed.

    Raises
    ------
    DataError
        Where a slice can't be decoded.
    """
    labelled = [(slice_, label) for label, part in enumerate(parts) for slice_ in part]
    normal = _normal(parts[0][0])
    labelled.sort(key=lambda item: float(normal @ item[0].numbers("ImagePositionPatient", 3)))
    length = min(len(labelled), OF_EACH * len(parts) + 1)
    starts = np.unique(np.linspace(0, len(labelled) - length, PLACES).round().astype(int))
    across, within, offsets = [], [], []
    steps: dict[tuple[int, int], list[float]] = defaultdict(list)
    for start in starts:
        window = labelled[start : start + length]
        small = np.stack(
            [thumbnail(slice_hu(s, assume_hu=options.assume_hu)[0]) for s, _ in window]
        )
        labels = [label for _, label in window]
        other = [k for k in range(length - 1) if labels[k] != labels[k + 1]]
        same = [(k, m) for k in range(length) for m in _next_alike(labels, k)]
        if other and same:
            neighbours = compare(small[other], small[[k + 1 for k in other]])
            across.append(float(np.mean(neighbours.difference_hu)))
            offsets.append(float(np.median(np.abs(neighbours.offset_hu))))
            firsts, seconds = np.array(same).T
            within.append(float(np.mean(differences(small[firsts], small[seconds]))))
            for k, step in zip(other, neighbours.difference_hu.tolist(), strict=True):
                steps[labels[k], labels[k + 1]].append(step)
    if not across:
        return True
    alike = sum(across) <= MOST_APART * sum(within) and _evenly(list(steps.values()))
    return alike and float(np.median(offsets)) < LARGEST_OFFSET_HU


def _evenly(steps: list[list[float]]) -> bool:
    """Whether the steps from one part to another are as large as those back."""
    sums = [float(np.mean(each)) for each in steps if len(each) >= PLACES // 2]
    return max(sums, default=1.0) <= CERTAIN * max(min(sums, default=1.0), LEAST_STEP_HU)


def _next_alike(labels: list[int], k: int) -> list[int]:
    """The next slice of the same part, if there is one."""
    return [m for m in range(k + 1, len(labels)) if labels[m] == labels[k]][:1]


def _normal(slice_: Slice) -> Floats:
    cosines = np.array(slice_.numbers("ImageOrientationPatient", 6))
    return np.cross(cosines[:3], cosines[3:])
