"""Find single slices that do not fit between their two neighbours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.coherence.pairs import KEPT, WITHOUT_RIBS, Floats, Pairs, differences
from lungprep.image.coherence.steepness import steepness

#: Smaller changes are noise, HU.
LEAST_CHANGE_HU = 3.0


@dataclass(frozen=True)
class Limits:
    """Values of a measure from which slices are doubtful, and from which they are surely wrong."""

    doubtful: float
    certain: float


@dataclass(frozen=True)
class Measure(Limits):
    """One way in which a slice can differ from its neighbours.

    Attributes
    ----------
    words : str
        Text for a message; may quote the value.
    """

    words: str


#: The measures are ordered from the most specific to the most general. In four real scans, thinned
#: to gaps of 1.25 to 16 mm and with noise of up to 100 HU, offsets from both neighbours stay below
#: 1 HU, shifts below 1 mm and zooms below 0.001; the correlation stays above 0.2.
MIRRORED = Measure(0.3, 0.5, "is mirrored")
OFFSET_HU = Measure(25.0, 60.0, "is offset by {:.0f} HU")
ZOOM = Measure(0.03, 0.08, "has another size")
SHIFT_MM = Measure(4.0, 10.0, "is shifted by {:.0f} mm")
#: Difference of a slice from its neighbours, divided by their difference from each other: 0.5 to
#: 0.92 in these scans, 1 for pure noise, 1.2 to 2 for two exchanged slices, 2 to 20 for a slice of
#: another scale, position or person.
RATIO = Measure(1.25, 2.0, "stands out")
#: If the steps to both neighbours are far steeper than the steps around, a lower ratio is enough:
#: in sound scans it is 0.5 then.
STEEP_STEPS, STEEP_RATIO = 1.8, 1.1
#: Change of contrast against both neighbours, with or without metal: 0.03 in sound scans, 0.2 at
#: twice the slope.
CONTRAST = Measure(0.06, 0.12, "has another scale")
#: The neighbours of a slice may be almost equal if a breath moves the body back by two gaps. The
#: slice then differs from them no more than the slices around differ from their neighbours.
LEAST_STEEPNESS = 1.05
#: Streaks of metal may fill one slice and not the next.
METAL_FACTOR = 2.0


@dataclass(frozen=True)
class Stray:
    """A slice that does not fit.

    Attributes
    ----------
    index : int
        Index of the slice in the stack.
    reason : str
        Difference from its neighbours, for a message.
    certain : bool
        Whether the slice is surely wrong.
    """

    index: int
    reason: str
    certain: bool


def ratios(thumbnails: Floats, pairs: Pairs) -> Floats:
    """Divide each slice's difference from its neighbours by their difference from each other.

    Parameters
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
        Thumbnails of the slices, in order of the stack.
    pairs : Pairs
        Comparison of each slice with the next.

    Returns
    -------
    ndarray, shape (n - 2,)
        Ratios of all slices but the first and last: the lower one of two, with and without the
        blocks that ribs may change. 0 for slices that equal their neighbours.
    """
    found = []
    for kept, steps in ((KEPT, pairs.difference_hu), (WITHOUT_RIBS, pairs.without_ribs_hu)):
        apart = (steps[:-1] + steps[1:]) / 2
        skips = differences(thumbnails[:-2], thumbnails[2:], kept)
        share = apart / np.maximum(skips, LEAST_CHANGE_HU)
        found.append(np.where(apart >= LEAST_CHANGE_HU, share, 0.0))
    return np.minimum(*found)


def find_strays(
    pairs: Pairs, ratio: Floats, block_mm: tuple[float, float], metal: NDArray[np.bool_]
) -> list[Stray]:
    """Find single slices that do not fit.

    Parameters
    ----------
    pairs : Pairs
        Comparison of each slice with the next.
    ratio : ndarray, shape (n - 2,)
        Result of `ratios`.
    block_mm : tuple of float
        Height and width of a block.
    metal : ndarray of bool, shape (n,)
        Slices with metal.

    Returns
    -------
    list of Stray
        Strays in order of the stack, at most one per slice.
    """
    shift_mm = np.hypot(*(_own(pairs.shift_blocks[:, k]) * block_mm[k] for k in (0, 1)))
    steep = steepness(pairs.difference_hu)
    ratio = np.where((steep[:-1] + steep[1:]) / 2 < LEAST_STEEPNESS, 0.0, ratio)
    apart = (np.minimum(steep[:-1], steep[1:]) >= STEEP_STEPS) & (ratio >= STEEP_RATIO)
    ratio[apart] = np.maximum(ratio[apart], RATIO.doubtful)
    ratio[metal[:-2] | metal[1:-1] | metal[2:]] /= METAL_FACTOR
    ratio[_in_pairs(ratio >= RATIO.doubtful)] = 0
    measured = (
        (MIRRORED, -np.maximum(pairs.mirrored[:-1], pairs.mirrored[1:])),
        (OFFSET_HU, np.abs(_own(pairs.offset_hu))),
        (ZOOM, np.abs(_own(pairs.zoom))),
        (SHIFT_MM, shift_mm),
        (RATIO, ratio),
        (CONTRAST, np.abs(_own(pairs.contrast))),
    )
    found: dict[int, Stray] = {}
    for measure, values in measured:
        for k in np.flatnonzero(values >= measure.doubtful).tolist():
            certain = bool(values[k] >= measure.certain)
            if k not in found or (certain and not found[k].certain):
                found[k] = Stray(k + 1, measure.words.format(values[k]), certain)
    return [found[k] for k in sorted(found)]


def _in_pairs(which: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark slices that are next to another marked slice, and so are not single strays.

    A breath folds the stack, and both slices at the fold stand out. Two exchanged slices are found
    by their order, and two slices of other content differ from one neighbour only.
    """
    beside = np.zeros_like(which)
    beside[1:] |= which[:-1]
    beside[:-1] |= which[1:]
    return which & beside


def _own(steps: Floats) -> Floats:
    """Return the part of the steps to and from a slice that is undone by the second step."""
    there, back = steps[:-1], -steps[1:]
    smaller = np.where(np.abs(there) < np.abs(back), there, back)
    return np.where(there * back > 0, smaller, 0.0)
