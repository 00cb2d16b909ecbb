"""Compare two slices: by how much they differ, and whether in scale, position, size or side."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

#: The blocks that differ most are ignored: arms, metal or the table come and go. With wide gaps,
#: ribs do so too.
KEPT = 0.95
WITHOUT_RIBS = 0.7
#: Another intercept moves tissue and also air, as far as the clip at -1024 HU allows. These are the
#: bounds of tissue and air.
TISSUE_HU = (-300, 250)
AIR_BELOW_HU = -700
PADDING_HU = -1020
LEAST_SHARE = 0.02
LEAST_OFFSET_HU = 20
LEAST_AIR_OFFSET_HU = 10
CLIPPED_HU = -1010
#: Air outside the body is below this; lung is above. Tissue is denser than air by DENSER_HU.
OUTSIDE_HU = -950
DENSER_HU = 400
#: If left and right differ by less, HU, mirroring can't be recognised.
LEAST_ASYMMETRY_HU = 15
#: A shift or zoom must explain at least this fraction of the change's square.
LEAST_EXPLAINED = 0.2
#: Unmirroring a mirrored slice leaves at most this fraction of the difference; measured: 0.8.
MIRRORED_SHARE = 0.85
#: Slices with a smaller standard deviation have no content.
LEAST_DEVIATION_HU = 20.0
AT_A_TIME = 32


@dataclass(frozen=True)
class Pairs:
    """Differences of the second slice from the first in each pair.

    Attributes
    ----------
    difference_hu : ndarray, shape (n,)
        Mean absolute difference of the blocks, without the 5 % that differ most.
    without_ribs_hu : ndarray, shape (n,)
        The same without the 30 % that differ most.
    offset_hu : ndarray, shape (n,)
        Median difference within tissue if air differs in the same direction, a sign of another
        intercept; otherwise 0.
    shift_blocks : ndarray, shape (n, 2)
        Best shift (down, across) from the first to the second slice, in blocks.
    zoom : ndarray, shape (n,)
        Best relative enlargement; 0 for none.
    mirrored : ndarray, shape (n,)
        Correlation of the asymmetric parts; -1 for a mirrored slice, 1 if it can't be determined.
    outline : ndarray, shape (n,)
        Fraction of the blocks that are air in one slice and far denser in the other. Lungs do not
        count as air, so this is a change in the outline of body and table.
    contrast : ndarray, shape (n,)
        Logarithm of the ratio of standard deviations, a sign of another scale.
    """

    difference_hu: Floats
    without_ribs_hu: Floats
    offset_hu: Floats
    shift_blocks: Floats
    zoom: Floats
    mirrored: Floats
    outline: Floats
    contrast: Floats


def differences(one: Floats, other: Floats, kept: float = KEPT) -> Floats:
    """Return the mean absolute difference of thumbnails, pair by pair, HU.

    Parameters
    ----------
    one, other : ndarray of float32, shape (n, rows, columns)
        Thumbnails to compare.
    kept : float
        Fraction of the blocks to compare: the blocks with the smallest differences.
    """
    blocks = np.abs(one - other).reshape(len(one), one.shape[1] * one.shape[2])
    count = max(1, int(kept * blocks.shape[1]))
    blocks.partition(count - 1, axis=1)
    means: Floats = blocks[:, :count].mean(axis=1)
    return means


def neighbours(thumbnails: Floats) -> Pairs:
    """Compare each slice with the next, in chunks that limit the memory.

    Parameters
    ----------
    thumbnails : ndarray of float32, shape (n, rows, columns)
        Thumbnails of the slices, in order of the stack.
    """
    stops = [*range(AT_A_TIME, len(thumbnails) - 1, AT_A_TIME), len(thumbnails) - 1]
    chunks = [
        compare(thumbnails[start:stop], thumbnails[start + 1 : stop + 1])
        for start, stop in zip([0, *stops], stops, strict=False)
    ]
    names = [field.name for field in fields(Pairs)]
    return Pairs(*(np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in names))


def compare(one: Floats, other: Floats) -> Pairs:
    """Compare thumbnails, pair by pair.

    Shift and zoom are least-squares solutions over the whole slice for small values (Lucas and
    Kanade, IJCAI 1981, 674-679). Larger values are underestimated.

    Parameters
    ----------
    one, other : ndarray of float32, shape (n, rows, columns)
        Thumbnails to compare.
    """
    change = other - one
    down, across = (np.asarray(slopes) for slopes in np.gradient(one, axis=(1, 2)))
    return Pairs(
        differences(one, other),
        differences(one, other, WITHOUT_RIBS),
        _offsets(one, other),
        np.stack([-_fit(down, change), -_fit(across, change)], axis=1),
        -_fit(_radial(down, across), change),
        _side(one, other),
        ((np.minimum(one, other) < OUTSIDE_HU) & (np.abs(change) > DENSER_HU)).mean(axis=(1, 2)),
        _contrast(other) - _contrast(one),
    )


def _contrast(slices: Floats) -> Floats:
    logs: Floats = np.log(np.maximum(slices.std(axis=(1, 2)), LEAST_DEVIATION_HU))
    return logs


def _offsets(one: Floats, other: Floats) -> Floats:
    """Return the offset of each pair; 0 if less than half of the tissue changes noticeably."""
    low, high = TISSUE_HU
    tissue = (np.minimum(one, other) > low) & (np.maximum(one, other) < high)
    changed = tissue & (np.abs(other - one) >= LEAST_OFFSET_HU)
    counts, most = (np.count_nonzero(part, axis=(1, 2)) for part in (tissue, changed))
    offsets = np.zeros(len(one))
    for k in np.flatnonzero((2 * most >= counts) & (counts >= LEAST_SHARE * one[0].size)):
        offsets[k] = _offset(one[k], other[k], tissue[k])
    return offsets


def _offset(one: Floats, other: Floats, tissue: NDArray[np.bool_]) -> float:
    change = other - one
    air = np.minimum(one, other) < AIR_BELOW_HU
    air &= np.maximum(one, other) > PADDING_HU
    if np.count_nonzero(air) < LEAST_SHARE * one.size:
        return 0.0
    offset, of_air = (float(np.median(change[part])) for part in (tissue, air))
    clipped = min(float(np.median(part[air])) for part in (one, other)) <= CLIPPED_HU
    least_hu = LEAST_AIR_OFFSET_HU if clipped else abs(offset) / 2
    return offset if np.sign(offset) * of_air >= least_hu else 0.0


def _radial(down: Floats, across: Floats) -> Floats:
    rows, columns = down.shape[1:]
    y = (np.arange(rows, dtype=np.float32) - (rows - 1) / 2)[:, None]
    x = np.arange(columns, dtype=np.float32) - (columns - 1) / 2
    return np.asarray(down * y + across * x)


def _fit(pattern: Floats, change: Floats) -> Floats:
    """Return the multiple of a pattern that best fits a change; 0 if it explains too little."""
    power = np.maximum(np.einsum("nij,nij->n", pattern, pattern), 1)
    product = np.einsum("nij,nij->n", pattern, change)
    explained = product**2 / (power * np.maximum(np.einsum("nij,nij->n", change, change), 1))
    fitted: Floats = np.where(explained >= LEAST_EXPLAINED, product / power, 0.0)
    return fitted


def _side(one: Floats, other: Floats) -> Floats:
    odd = [slices - slices[:, :, ::-1] for slices in (one, other)]
    powers = [np.einsum("nij,nij->n", part, part) for part in odd]
    product = np.einsum("nij,nij->n", *odd)
    least = LEAST_ASYMMETRY_HU**2 * one[0].size
    told = np.minimum(*powers) >= least
    sides: Floats = np.where(told, product / np.sqrt(np.maximum(powers[0] * powers[1], 1)), 1.0)
    # Where one lung ends and the dome of the other side begins, the sides correlate negatively
    # too, but unmirroring hardly makes the slices more alike.
    turned = np.flatnonzero(sides < 0)
    as_they_are = differences(one[turned], other[turned])
    nearer = differences(one[turned], other[turned, :, ::-1]) < MIRRORED_SHARE * as_they_are
    sides[turned[~nearer]] = 0.0
    return sides
