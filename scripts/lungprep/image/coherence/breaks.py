"""Find places where the slices above do not continue the slices below."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.coherence.pairs import Floats, Pairs, differences
from lungprep.image.coherence.steepness import steepness
from lungprep.image.coherence.strays import CONTRAST, METAL_FACTOR, MIRRORED, Limits

#: A step is suspicious if it is this many times the usual step around it, and the outline of the
#: body changes with it. In four real scans, thinned to gaps of 1.25 to 16 mm, steps reach 2.3 and
#: changes of the outline 0.033; between two of these scans the outline changes by 0.12 or more. The
#: base of a lung may begin within a gap, but this leaves the outline unchanged.
STEEP = Limits(3.5, 5.0)
OUTLINE = Limits(0.04, 0.08)
#: Slices within this distance of a step show how much the anatomy changes with distance. With wide
#: gaps, the distance is this number of gaps.
REACH_MM = 40.0
REACH_GAPS = 8
TELLING_MM = 25.0
#: Breathing and movement shift the body by far less.
DOUBTFUL_MM = 50.0
#: An offset of the whole scale that no change of anatomy causes, HU.
OFFSET_HU = 60.0
OFFSET_STEEP = 1.4
#: A first or last slice has one neighbour only. Steps of sound scans stay below 1.4 there.
END_STEEP = 1.8


@dataclass(frozen=True)
class Break:
    """A slice that does not continue the slice before.

    Attributes
    ----------
    index : int
        Index of the slice above the break.
    reason : str
        Difference from the slice below, for a message.
    certain : bool
        Whether the slices can't be neighbours; if false, the patient may have moved.
    """

    index: int
    reason: str
    certain: bool


def find_breaks(
    thumbnails: Floats,
    pairs: Pairs,
    heights_mm: Floats,
    strays: set[int],
    metal: NDArray[np.bool_],
) -> list[Break]:
    """Find places where a stack does not continue.

    Parameters
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
        Thumbnails of the slices, in order of the stack.
    pairs : Pairs
        Comparison of each slice with the next.
    heights_mm : ndarray, shape (n,)
        Increasing positions along the stack.
    strays : set of int
        Slices that are known not to fit.
    metal : ndarray of bool, shape (n,)
        Slices with metal, whose streaks may explain a step.

    Returns
    -------
    list of Break
        Breaks in order of the stack.
    """
    left_out = {k for stray in strays for k in (stray - 1, stray)}
    steep = steepness(pairs.difference_hu, (k for k in left_out if 0 <= k < len(pairs.offset_hu)))
    steep[metal[:-1] | metal[1:]] /= METAL_FACTOR
    offsets = np.abs(pairs.offset_hu - np.median(pairs.offset_hu))
    found = []
    for k in range(len(steep)):
        if k in left_out:
            continue
        if pairs.mirrored[k] <= -MIRRORED.certain:
            found.append(Break(k + 1, "one of them is mirrored", True))
        elif offsets[k] >= OFFSET_HU and steep[k] >= OFFSET_STEEP:
            found.append(Break(k + 1, f"their scales differ by {offsets[k]:.0f} HU", True))
        elif (
            k in (0, len(steep) - 1)
            and steep[k] >= END_STEEP
            and abs(pairs.contrast[k]) >= CONTRAST.doubtful
        ):
            found.append(Break(k + 1, "one of them has another scale", False))
        elif steep[k] >= STEEP.doubtful and pairs.outline[k] >= OUTLINE.doubtful:
            apart_mm = displacement_mm(thumbnails, heights_mm, k, float(pairs.difference_hu[k]))
            if apart_mm >= DOUBTFUL_MM:
                certain = steep[k] >= STEEP.certain and pairs.outline[k] >= OUTLINE.certain
                certain = bool(certain and np.isinf(apart_mm))
                found.append(Break(k + 1, _in_words(apart_mm), certain))
    return found


def _in_words(apart_mm: float) -> str:
    if np.isinf(apart_mm):
        return "they differ more than any slices around them"
    return f"they differ as much as slices {apart_mm:.0f} mm apart"


def displacement_mm(thumbnails: Floats, heights_mm: Floats, step: int, change_hu: float) -> float:
    """Find the distance at which nearby slices differ as much as the two slices of a step.

    Parameters
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
        Thumbnails of the slices.
    heights_mm : ndarray, shape (n,)
        Increasing positions along the stack.
    step : int
        Index of the slice below the step.
    change_hu : float
        Difference across the step.

    Returns
    -------
    float
        Distance, mm; infinite if no nearby slices on one side of the step differ as much; 0 if too
        few slices are near.
    """
    reach_mm = max(REACH_MM, REACH_GAPS * float(np.median(np.diff(heights_mm))))
    near = np.flatnonzero(np.abs(heights_mm - heights_mm[step]) <= reach_mm + 1e-6)
    first, stop = int(near[0]), int(near[-1]) + 1
    farthest_mm = 0.0
    for count in range(1, stop - first):
        below = np.arange(first, stop - count)
        pairs = below[(below + count <= step) | (below > step)]
        if len(pairs) < 2:
            break
        apart = differences(thumbnails[pairs], thumbnails[pairs + count])
        farthest_mm = float(np.median(heights_mm[pairs + count] - heights_mm[pairs]))
        if np.median(apart) >= change_hu:
            return farthest_mm
    return np.inf if farthest_mm >= TELLING_MM else 0.0
