"""Check by their pixels whether parts of a series that fill each other's gaps are one scan."""

import numpy as np

from lungprep.image.coherence.alternation import CERTAIN, LEAST_SLICES, unevenness
from lungprep.image.coherence.pairs import differences, neighbours
from lungprep.image.coherence.thumbnails import thumbnail
from lungprep.image.dicom.slices import Slice
from lungprep.image.hounsfield.rescale import slice_hu
from lungprep.image.series.policy import LoadOptions

#: Largest ratio of the difference between neighbours from different parts to that between
#: neighbours within a part, which are farther apart. In one scan the ratio is smaller, in two scans
#: larger; in pure noise it is 1.
MOST_APART = 1.0
#: A larger offset between parts means different scans, HU.
LARGEST_OFFSET_HU = 25.0


def belong_together(parts: list[list[Slice]], options: LoadOptions) -> bool:
    """Whether the volume of all slices is as smooth along the stack as the volumes of its parts.

    All slices are decoded, one after the other. The cost is acceptable because alternating tags are
    rare.

    Parameters
    ----------
    parts : list of list of Slice
        Parts of one series, each in order of its stack; together they form an even stack.
    options : LoadOptions
        Policy that says whether HU may be assumed.

    Raises
    ------
    DataError
        If a slice can't be decoded.
    """
    labelled = [(slice_, label) for label, part in enumerate(parts) for slice_ in part]
    cosines = np.array(parts[0][0].numbers("ImageOrientationPatient", 6))
    normal = np.cross(cosines[:3], cosines[3:])
    labelled.sort(key=lambda item: float(normal @ item[0].numbers("ImagePositionPatient", 3)))
    labels = np.array([label for _, label in labelled])
    small = np.stack([thumbnail(slice_hu(s, assume_hu=options.assume_hu)[0]) for s, _ in labelled])
    pairs = neighbours(small)
    across = labels[:-1] != labels[1:]
    if not across.any():
        return True
    alone = [small[labels == label] for label in range(len(parts))]
    within = np.concatenate([differences(part[:-1], part[1:]) for part in alone])
    farther = np.median(pairs.difference_hu[across]) > MOST_APART * np.median(within)
    offset_hu = np.median(np.abs(pairs.offset_hu[across]))
    kinds = labels[:-1] * len(parts) + labels[1:]
    uneven = len(labels) > LEAST_SLICES and unevenness(pairs.difference_hu, kinds) >= CERTAIN
    return not (farther or uneven or offset_hu >= LARGEST_OFFSET_HU)
