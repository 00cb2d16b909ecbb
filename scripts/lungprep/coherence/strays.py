"""Slices that do not fit between their two neighbours."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.coherence.pairs import KEPT, WITHOUT_RIBS, Floats, Pairs, differences
from lungprep.coherence.steepness import steepness

#: Changes of less are noise, HU.
LEAST_CHANGE_HU = 3.0


@dataclass(frozen=True)
class Limits:
    """From where on a measure makes slices doubtful, and from where on sure to be wrong."""

    doubtful: float
    certain: float


@dataclass(frozen=True)
class Measure(Limits):
    """One way in which a slice is set off.

    Attributes
    ----------
    words : str
        What is wrong then; may quote the measure.
    """

    words: str


#: The measures go from the most telling to the most general. In four real scans, thinned to gaps of
#: 1.25 to 16 mm and with noise of up to 100 HU, slices stay below 1 HU, 1 mm and 0.001 against both
#: neighbours, and the correlation above 0.2.
MIRRORED = Measure(0.3, 0.5, "is mirrored")
OFFSET_HU = Measure(25.0, 60.0, "lies {:.0f} HU off")
ZOOM = Measure(0.03, 0.08, "is of another size")
SHIFT_MM = Measure(4.0, 10.0, "lies {:.0f} mm aside")
#: How far a slice lies from its neighbours, as a share of how far they lie from one another: 0.5 to
#: 0.92 in these scans, 1 where all is noise, 1.2 to 2 for two slices that changed places, 2 to 20
#: for a slice of another scale, place or person.
RATIO = Measure(1.25, 2.0, "does not fit")
#: Where the steps to both neighbours are far steeper than those around, less of a share will do: in
#: sound scans it is 0.5 then.
STEEP_STEPS, STEEP_RATIO = 1.8, 1.1
#: By so much a slice varies more or less than both its neighbours, metal or not: 0.03 in sound
#: scans, 0.2 at twice the slope.
CONTRAST = Measure(0.06, 0.12, "is of another scale")
#: A slice that its neighbours show almost alike, as where a breath moves the body back by two gaps,
#: lies no farther from them than slices around it from theirs.
LEAST_STEEPNESS = 1.05
#: Streaks of metal may fill a slice and spare the next.
METAL_FACTOR = 2.0


@dataclass(frozen=True)
class Stray:
    """A slice that does not fit.

    Attributes
    ----------
    index : int
        Its place in the stack.
    reason : str
        What sets it off from its neighbours, for a message.
    certain : bool
        Whether it is sure to be wrong.
    """

    index: int
    reason: str
    certain: bool


def ratios(thumbnails: Floats, pairs: Pairs) -> Floats:
    """How far each slice lies from its neighbours, as a share of how far they lie apart.

    Parameters
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
    pairs : Pairs
        Each slice and the next.

    Returns
    -------
    ndarray, shape (n - 2,)
        Of all slices but the first and last; the lower value of all blocks and of those without
        ribs. 0 where nothing changes.
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
    """Look for single slices that do not fit.

    Parameters
    ----------
    pairs : Pairs
        Each slice and the next.
    ratio : ndarray, shape (n - 2,)
        From `ratios`.
    block_mm : tuple of float
        Height and width of a block.
    metal : ndarray of bool, shape (n,)
        Slices with metal in them.

    Returns
    -------
    list of Stray
        In order of the stack, at most one for each slice.
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
    """Which have a neighbour: a breath folds the stack, and both slices at the fold seem to stray.

    Two slices that changed places are found by their order; two of other content differ from one
    neighbour only.
    """
    beside = np.zeros_like(which)
    beside[1:] |= which[:-1]
    beside[:-1] |= which[1:]
    return which & beside


def _own(steps: Floats) -> Floats:
    """The part of the steps to and from a slice that is the slice's own: there and back again."""
    there, back = steps[:-1], -steps[1:]
    smaller = np.where(np.abs(there) < np.abs(back), there, back)
    return np.where(there * back > 0, smaller, 0.0)
