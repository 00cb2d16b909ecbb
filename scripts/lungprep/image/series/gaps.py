"""Check the gaps between slices: even, with missing slices, or uneven."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lungprep.errors import MissingSlices, UnevenGaps
from lungprep.image.series.geometry import Floats
from lungprep.image.series.policy import LoadOptions
from lungprep.image.volume import POSITION_TOLERANCE_MM

# Jitter of the table up to this fraction of the usual gap is not a defect: the true positions are
# used.
GAP_TOLERANCE = 0.02
# Wider gaps can't be interpolated reliably.
MAX_REPAIRED_GAP_MM = 10.0
# This number of equal gaps in a row is a planned change, even if the gap is a multiple of the usual
# one.
IN_A_ROW = 3


@dataclass(frozen=True)
class Gaps:
    """Positions of sorted slices along their normal.

    Attributes
    ----------
    usual_mm : float
        Distance between neighbours; the most frequent one if it varies.
    start_mm : float
        Height of the first slice.
    positions_mm : ndarray of float64 or None
        Heights above the first slice; None if all gaps equal the usual gap.
    flags : dict of str to float
        Repairs: the number of interpolated slices, or the widest gap, mm.
    """

    usual_mm: float
    start_mm: float
    positions_mm: Floats | None = None
    flags: dict[str, float] = field(default_factory=dict)


def check_gaps(heights: Floats, keys: list[str], options: LoadOptions) -> Gaps:
    """Measure the gaps between slices, and repair or refuse uneven ones.

    Parameters
    ----------
    heights : ndarray of float64, shape (n,)
        Increasing positions of the slices, mm.
    keys : list of str
        Names of the slices, for messages.
    options : LoadOptions
        Policy for missing slices and uneven gaps.

    Returns
    -------
    Gaps
        The usual gap, the positions, and the repairs.

    Raises
    ------
    MissingSlices
        If some gaps are multiples of the usual gap and may not be interpolated.
    UnevenGaps
        If gaps differ in another way and may not be resampled.
    """
    gaps = np.diff(heights)
    usual = _usual_gap(gaps)
    tolerance = max(POSITION_TOLERANCE_MM, GAP_TOLERANCE * usual)
    steps = np.rint(gaps / usual).astype(int)
    multiples = (steps >= 1) & (np.abs(gaps - steps * usual) <= 2 * tolerance)
    whole = bool(multiples.all()) and not _gap_changes(steps)
    numbers = np.concatenate([[0], np.cumsum(steps)]) if whole else np.arange(len(heights))
    gap, start = (float(v) for v in np.polyfit(numbers, heights, 1))
    off = float(np.abs(heights - start - gap * numbers).max())
    if off > tolerance:
        return _uneven(heights, usual, options)
    flags = {}
    if len(heights) < numbers[-1] + 1:
        flags = _missing(numbers, gaps, gap, keys, options)
    if off > POSITION_TOLERANCE_MM:
        return _at_true_places(heights, usual, flags)
    if flags:
        return Gaps(gap, start, np.asarray(gap * numbers, dtype=np.float64), flags)
    return Gaps(gap, start)


def _gap_changes(steps: NDArray[np.int64]) -> bool:
    """Whether several equal wide gaps follow each other: planned so, without missing slices."""
    wider = (steps[:-1] > 1) & (steps[1:] == steps[:-1])
    in_a_row = np.convolve(wider, np.ones(IN_A_ROW - 1, dtype=int), "valid") == IN_A_ROW - 1
    return bool(in_a_row.any())


def _missing(
    numbers: NDArray[np.int64], gaps: Floats, usual: float, keys: list[str], options: LoadOptions
) -> dict[str, float]:
    """Accept or refuse missing slices; `numbers` counts all slices, including the missing ones."""
    holes = np.diff(numbers) - 1
    after, total = int(holes.argmax()), int(holes.sum())
    if options.on_missing_slices == "error" or holes.max() > options.max_missing_slices:
        key = "set load.on_missing_slices to repair"
        if options.on_missing_slices == "repair":
            key = f"raise load.max_missing_slices ({options.max_missing_slices})"
        raise MissingSlices(
            f"{total} of {numbers[-1] + 1} slices are missing, such as {holes[after]} between "
            f"{keys[after]} and {keys[after + 1]} ({gaps[after]:.2f} mm apart where {usual:.2f} mm "
            "is usual)",
            f"upload the missing slices, or {key}",
        )
    return {"missing_slices_interpolated": total}


def _uneven(heights: Floats, usual: float, options: LoadOptions) -> Gaps:
    gaps = np.diff(heights)
    found = f"the gaps between slices range from {gaps.min():.3f} to {gaps.max():.3f} mm"
    if options.on_uneven_gaps == "error":
        raise UnevenGaps(
            found, "supply a series with even gaps, or set load.on_uneven_gaps to repair"
        )
    if gaps.max() > max(MAX_REPAIRED_GAP_MM, usual * (1 + options.max_missing_slices)):
        raise UnevenGaps(
            f"{found}, wider than can be interpolated ({MAX_REPAIRED_GAP_MM:g} mm)",
            "supply a series without holes",
        )
    return _at_true_places(heights, usual, {})


def _at_true_places(heights: Floats, usual: float, flags: dict[str, float]) -> Gaps:
    widest = round(float(np.diff(heights).max()), 3)
    flags = {**flags, "uneven_gaps_resampled": widest}
    return Gaps(usual, float(heights[0]), heights - heights[0], flags)


def _usual_gap(gaps: Floats) -> float:
    """Return the most frequent gap, the smaller one in a tie; a median could lie between two."""
    counts = Counter(np.round(gaps, 1).tolist())
    most = max(counts.values())
    usual = min(gap for gap, count in counts.items() if count == most)
    near = gaps[np.abs(gaps - usual) <= 0.051]
    return float(near.mean())
