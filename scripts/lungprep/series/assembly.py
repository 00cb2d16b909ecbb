"""Decoding the chosen slices into one array."""

import numpy as np

from lungprep.hounsfield.plausibility import disagree, doubts
from lungprep.hounsfield.rescale import slice_hu
from lungprep.series.candidates import Candidate
from lungprep.series.geometry import canonical_layout
from lungprep.volume import Volume

SCALE = ("RescaleSlope", "RescaleIntercept", "PixelRepresentation")


def assemble(candidate: Candidate, *, assume_hu: bool) -> tuple[Volume, dict[str, float]]:
    """Decode slices into a volume in canonical axes.

    Parameters
    ----------
    candidate : Candidate
        Each slice is dropped once decoded, so that compressed and decoded pixels are not held at
        the same time: its list is empty afterwards.
    assume_hu : bool
        Take stored values as HU where the rescale tags are absent.

    Returns
    -------
    volume : Volume
        int16 HU, C order, (z, y, x) towards the head, the back and the patient's left.
    flags : dict of str to float
        What was found in the pixels, each with its largest measure.

    Raises
    ------
    DataError
        Where a slice can't be decoded or lacks its rescale tags.
    """
    stack, slices = candidate.stack, candidate.slices
    layout = canonical_layout(stack)
    hu = np.empty(layout.grid.shape, dtype=np.int16)
    # A view in the order of acquisition: writing slice k into it lands at the canonical place.
    acquired = np.flip(hu, layout.flips).transpose(np.argsort(layout.axes))
    flags: dict[str, float] = {}
    scales = [tuple(slice_.text(keyword) for keyword in SCALE) for slice_ in slices]
    changes = [k for k in range(1, len(scales)) if scales[k] != scales[k - 1]]
    slices.reverse()
    for k in range(stack.shape[0]):
        acquired[k], found = slice_hu(slices.pop(), assume_hu=assume_hu)
        for name, measure in found.items():
            flags[name] = max(measure, flags.get(name, 0))
    suspicions = doubts(hu) or (["implausible_hu"] if disagree(acquired, changes) else [])
    flags |= dict.fromkeys(suspicions, 1.0)
    return Volume(hu, layout.grid, layout.slicing), flags
