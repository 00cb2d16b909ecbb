"""Find stretches of slices whose positions contradict their content."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from lungprep.image.coherence.pairs import KEPT, WITHOUT_RIBS, Floats, Pairs, differences
from lungprep.image.coherence.steepness import steepness

Indices = NDArray[np.int64]

#: A stretch is in reverse order if reversing it shortens the steps at its ends to this fraction,
#: and leaves only usual steps there. For two or three slices, which are close to each other in
#: either order, the limits are looser.
SHORTER, SHORTER_FEW = 0.8, 0.85
USUAL, USUAL_FEW = 1.4, 1.7
FEW = 3
#: Only stretches between steps that are steeper than this are tried.
STEEP = 1.2
LEAST_STEP_HU = 3.0
MOST_STEPS = 40
#: If steps within the stretch are nearly as large, the anatomy causes them: ribs come and go.
ALIKE = 0.8


def find_reversals(thumbnails: Floats, pairs: Pairs) -> list[tuple[int, int]]:
    """Find stretches of two or more slices in reverse order.

    The sum of the steps between slices is smallest in their true order. This search is the 2-opt
    exchange of two edges of a tour (Croes, Operations Research 6, 1958, 791-812).

    Parameters
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
        Thumbnails of the slices, in order of the stack.
    pairs : Pairs
        Comparison of each slice with the next.

    Returns
    -------
    list of tuple of int
        First and last slice of each stretch, in order of the stack; stretches do not overlap.
    """
    steps = pairs.difference_hu
    steep = np.where(steps >= LEAST_STEP_HU, steepness(steps), 0.0)
    steepest = np.argsort(steep)[::-1][:MOST_STEPS]
    candidates = sorted(int(k) for k in steepest if steep[k] >= STEEP)
    turns = [
        (a, b)
        for a, b in combinations(candidates, 2)
        if b - a >= 2 and steps[a + 1 : b].max() < ALIKE * min(steps[a], steps[b])
    ]
    if not turns:
        return []
    a, b = np.array(turns).T
    usual = np.stack([steps[k] / steep[k] for k in (a, b)])
    turned = _turned(thumbnails, a, b, KEPT)
    shares = turned.sum(axis=0) / (steps[a] + steps[b])
    few = b - a <= FEW
    shares[(turned > np.where(few, USUAL_FEW, USUAL) * usual).any(axis=0)] = np.inf
    without_ribs = pairs.without_ribs_hu[a] + pairs.without_ribs_hu[b]
    bare = _turned(thumbnails, a, b, WITHOUT_RIBS).sum(axis=0) / np.maximum(without_ribs, 1)
    shares = np.where(without_ribs >= 2 * LEAST_STEP_HU, np.maximum(shares, bare), np.inf)
    shares /= np.where(few, SHORTER_FEW, SHORTER)
    found: list[tuple[int, int]] = []
    for n in np.argsort(shares):
        first, last = turns[n][0] + 1, turns[n][1]
        if shares[n] > 1:
            break
        if all(last < other[0] or first > other[1] for other in found):
            found.append((first, last))
    return sorted(found)


def _turned(thumbnails: Floats, a: Indices, b: Indices, kept: float) -> Floats:
    """Return the steps at both ends of the stretches from a + 1 to b after reversing them."""
    ends = ((a, b), (a + 1, b + 1))
    return np.stack([differences(thumbnails[one], thumbnails[other], kept) for one, other in ends])
