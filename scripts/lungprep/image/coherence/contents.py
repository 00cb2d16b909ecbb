"""Find slices without content, and slices that repeat another slice."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lungprep.image.coherence.pairs import Floats, differences
from lungprep.image.coherence.thumbnails import CEILING_HU

#: Standard deviation of the block means of a slice with content, HU. Noisy air has less, even with
#: a circle of padding.
LEAST_CONTRAST_HU = 20.0
#: A body that ends within a gap differs by this many usual steps.
ABRUPT = 3.0
CONSTANT_HU = 1.0
LEAST_STEP_HU = 10.0
#: Rows of blocks by which the blank rim of a truncated slice exceeds the rims of both neighbours: a
#: sixteenth of its height.
LEAST_LOST_ROWS = 2
#: The neighbours must differ from the blank rim by this much, HU: otherwise they show only air.
LEAST_LOST_HU = 50.0
EXACT_HU = 0.01
#: Fraction of neighbouring pixels that differ in every measured slice. Slices of a drawing without
#: noise may be equal.
LEAST_NOISE = 0.25
#: With fewer slices, the usual step is unknown.
LEAST_SLICES = 5


def is_empty(blocks: Floats) -> bool:
    """Whether a slice shows only air or a single value.

    Parameters
    ----------
    blocks : ndarray of float32, shape (rows, columns)
        Thumbnail of the slice, without a ceiling.
    """
    return bool(blocks.std() < LEAST_CONTRAST_HU)


def lost(thumbnails: Floats, empty: NDArray[np.bool_], *, along_body: bool) -> NDArray[np.bool_]:
    """Find empty slices that must have lost their content.

    These lie between other slices, or abruptly next to a full slice at an end of the stack. The
    ends of a stack may otherwise show only air.

    Parameters
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
        Thumbnails of the slices.
    empty : ndarray of bool, shape (n,)
        Slices without content.
    along_body : bool
        Whether the stack runs along the body, which does not end within a gap.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for slices that lost their content; all false if all slices are empty.
    """
    full = np.flatnonzero(~empty)
    if not len(full):
        return np.zeros_like(empty)
    found = empty.copy()
    first, last = int(full[0]), int(full[-1])
    steps = differences(thumbnails[full[:-1]], thumbnails[full[1:]])
    abrupt_hu = ABRUPT * float(np.median([LEAST_STEP_HU, *steps]))
    for end, inner in ((slice(0, first), first), (slice(last + 1, None), last)):
        constant = thumbnails[end].std(axis=(1, 2)) < CONSTANT_HU
        gap = differences(thumbnails[end], thumbnails[[inner]]).min(initial=np.inf)
        found[end] = constant & along_body & (gap >= abrupt_hu)
    if not along_body:
        for below, above in pairwise(full.tolist()):
            found[below + 1 : above] &= _amid_alike(thumbnails[below : above + 1])
    return found


def _amid_alike(thumbnails: Floats) -> bool:
    """Whether the first and last slice are more alike than either and the empty slices between.

    This is not so between a table and the body on it, where slices show only air.
    """
    ends, between = thumbnails[[0, -1]], thumbnails[1:-1]
    if not len(between):
        return True
    nearest = min(float(differences(between, ends[[k]]).min()) for k in (0, 1))
    return bool(differences(ends[:1], ends[1:])[0] < nearest / 2)


def partly_lost(thumbnails: Floats) -> NDArray[np.bool_]:
    """Find truncated slices: rows of one value where both neighbours have content.

    Parameters
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
        Thumbnails of the slices.

    Returns
    -------
    ndarray of bool, shape (n - 2,)
        True for truncated slices; without the first and last slice of the stack.
    """
    # A row at the ceiling also has one value, but is not blank.
    blank = (np.ptp(thumbnails, axis=2) < EXACT_HU) & (thumbnails[:, :, 0] < CEILING_HU)
    found = np.zeros(len(thumbnails) - 2, bool)
    for rows in (slice(None), slice(None, None, -1)):
        counts = np.logical_and.accumulate(blank[:, rows], axis=1).sum(axis=1)
        most = np.maximum(counts[:-2], counts[2:])
        for k in np.flatnonzero(counts[1:-1] - most >= LEAST_LOST_ROWS).tolist():
            lost_rows = thumbnails[k : k + 3, rows][:, most[k] : counts[k + 1]]
            apart = np.abs(lost_rows[[0, 2]] - lost_rows[1]).mean(axis=(1, 2))
            found[k] |= bool(apart.min() >= LEAST_LOST_HU)
    return found


def repeats(
    thumbnails: Floats, slice_hu: Callable[[int], NDArray[np.int16]]
) -> list[tuple[int, int]]:
    """Find slices with exactly the pixels of another slice: no scanner measures the same twice.

    Parameters
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
        Thumbnails of the slices.
    slice_hu : callable
        Function that returns the HU (rows, columns) of a slice.

    Returns
    -------
    list of tuple of int
        Pairs of the first slice with these pixels and a repetition, in order of the stack; empty
        for a stack that is too small to judge.
    """
    if len(thumbnails) < LEAST_SLICES:
        return []
    firsts: dict[bytes, int] = {}
    found = []
    for k, blocks in enumerate(thumbnails):
        first = firsts.setdefault(blocks.tobytes(), k)
        if first != k and np.array_equal(slice_hu(first), slice_hu(k)) and _has_noise(slice_hu(k)):
            found.append((first, k))
    return found


def _has_noise(hu: NDArray[np.int16]) -> bool:
    rows, columns = hu.shape
    middle = hu[rows // 4 : 3 * rows // 4, columns // 4 : 3 * columns // 4]
    return bool(np.count_nonzero(np.diff(middle, axis=1)) > LEAST_NOISE * middle.size)
