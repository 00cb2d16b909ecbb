"""Collect the objections that the pixels raise against a stack of slices."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lungprep.image.coherence import alternation
from lungprep.image.coherence.alternation import unevenness
from lungprep.image.coherence.breaks import find_breaks
from lungprep.image.coherence.contents import LEAST_SLICES, partly_lost
from lungprep.image.coherence.interpolation import SliceHU, noise_unevenness
from lungprep.image.coherence.orders import find_reversals
from lungprep.image.coherence.pairs import Floats, neighbours
from lungprep.image.coherence.strays import find_strays, ratios

#: In two interleaved scans, most slices differ more from both neighbours than these from each
#: other.
ALTERNATING_RATIO = 1.1
#: In interpolated slices, noise alternates at least as much as the whole image; in two interleaved
#: scans, at most 0.9 times as much.
AS_UNEVEN = 0.95
#: More stretches in reverse order, also as a fraction of the slices, mean two interleaved scans.
MOST_REVERSALS = 2
REVERSED_SHARE = 0.05
#: Fraction of sagittal and coronal slices, at either end of the stack, where the body may begin.
RIM = 0.1


@dataclass(frozen=True)
class Evidence:
    """Data of n slices, in order of the stack.

    Attributes
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
        Thumbnails, each at its true position in the plane.
    heights_mm : ndarray, shape (n,)
        Increasing positions along the stack.
    block_mm : tuple of float
        Height and width of a block.
    metal : ndarray of bool, shape (n,)
        Slices with metal.
    empty : ndarray of bool, shape (n,)
        Slices without content.
    along_body : bool
        Whether the stack runs along the body, which does not begin within a gap.
    slice_hu : callable, optional
        Function that returns the HU (rows, columns) of a slice, used if thumbnails do not suffice.
    plausible : bool
        Whether the values look like Hounsfield units; if not, contrast is ignored.
    """

    thumbnails: Floats
    heights_mm: Floats
    block_mm: tuple[float, float]
    metal: NDArray[np.bool_]
    empty: NDArray[np.bool_]
    along_body: bool = True
    slice_hu: SliceHU | None = None
    plausible: bool = True


@dataclass(frozen=True)
class Objection:
    """An objection against some slices.

    Attributes
    ----------
    first, last : int
        First and last of the slices, in order of the stack.
    found : str
        The fault; in a message it follows the names of the slices.
    certain : bool
        Whether the volume is surely wrong; if false, it is doubtful.
    """

    first: int
    last: int
    found: str
    certain: bool


def objections(evidence: Evidence) -> list[Objection]:
    """Compare each slice with its neighbours.

    Returns
    -------
    list of Objection
        Objections in order of the stack; empty if the slices are too few to judge.
    """
    thumbnails, metal = evidence.thumbnails, evidence.metal
    if len(thumbnails) < LEAST_SLICES:
        return []
    pairs = neighbours(thumbnails)
    if not evidence.plausible:
        pairs = replace(pairs, contrast=np.zeros_like(pairs.contrast))
    ratio = ratios(thumbnails, pairs)
    told = ratio[ratio > 0]
    natural = _natural(evidence)
    # The beginning and the end of a body look the same in either order.
    reversals = [ends for ends in find_reversals(thumbnails, pairs) if not natural.issuperset(ends)]
    alternate = len(told) >= LEAST_SLICES and bool(np.median(told) >= ALTERNATING_RATIO)
    alternate |= len(reversals) > max(MOST_REVERSALS, REVERSED_SHARE * len(thumbnails))
    # Ribs may come and go from slice to slice; other anatomy does not.
    uneven = min(unevenness(steps) for steps in (pairs.difference_hu, pairs.without_ribs_hu))
    uneven = uneven if len(thumbnails) > alternation.LEAST_SLICES else 1.0
    if uneven >= alternation.DOUBTFUL and evidence.slice_hu is not None:
        noise = noise_unevenness(evidence.slice_hu, len(thumbnails))
        computed = noise >= AS_UNEVEN * uneven
        uneven = 1.0 if computed else uneven
    if alternate or uneven >= alternation.DOUBTFUL:
        certain = bool(alternate or uneven >= alternation.CERTAIN)
        words = "alternate between two states of the body"
        return [Objection(0, len(thumbnails) - 1, words, certain)]
    found = [
        Objection(first, last, "are in the reverse order of their positions", True)
        for first, last in reversals
    ]
    judged = natural | _covered(found)
    lost = set((np.flatnonzero(partly_lost(thumbnails)) + 1).tolist()) - judged
    found += [Objection(k, k, "is truncated", True) for k in sorted(lost)]
    judged |= lost
    found += [
        Objection(
            stray.index, stray.index, f"{stray.reason} compared with its neighbours", stray.certain
        )
        for stray in find_strays(pairs, ratio, evidence.block_mm, metal)
        if stray.index not in judged
    ]
    judged |= _covered(found)
    found += [
        Objection(b.index - 1, b.index, f"do not continue each other: {b.reason}", b.certain)
        for b in find_breaks(thumbnails, pairs, evidence.heights_mm, judged, metal)
    ]
    return sorted(found, key=lambda objection: objection.first)


def _natural(evidence: Evidence) -> set[int]:
    """Return the slices next to which a body or a table may begin within a gap."""
    count = len(evidence.empty)
    natural = {k + step for k in np.flatnonzero(evidence.empty).tolist() for step in (-1, 0, 1)}
    if evidence.along_body:
        return natural
    rim = max(1, round(RIM * count))
    return natural | {*range(rim), *range(count - rim, count)}


def _covered(found: Iterable[Objection]) -> set[int]:
    return {k for objection in found for k in range(objection.first, objection.last + 1)}
