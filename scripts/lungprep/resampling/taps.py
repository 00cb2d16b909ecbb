"""Which samples of an axis make the value at a point, and with what weights."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lungprep.resampling.axes import Axis
from lungprep.resampling.kernels import (
    CARDINAL_HALF_WIDTH,
    Floats,
    balanced,
    cardinal_spline,
    cubic_bspline,
    normalised,
    spline_filter,
    triangle,
)

Indices = NDArray[np.int64]
# Places are computed, and a tie must not be decided by how they round.
TIE = 1e-6


class Taps(NamedTuple):
    """Samples behind some points: the value is ``sum(weights * samples[indices], axis=0)``.

    Attributes
    ----------
    indices : ndarray of int64, shape (samples, *points)
        Always within the axis; one may occur more than once.
    weights : ndarray of float64, same shape
        With a sum of one along axis 0.
    """

    indices: Indices
    weights: Floats


def taps(axis: Axis, points: Floats) -> Taps:
    """Samples and weights for points on an axis.

    * nearest: the nearest sample; half-way between two, the one with the higher index.
    * linear: the two neighbours. Widened, all samples under the triangle of half width
      ``w = stretch``, scaled to a sum of one and balanced (`kernels.balanced`). On an uneven axis w
      is at least the distance between the point's two neighbours, and each sample counts for the
      length of its own cell, half-way to both neighbours: a wide gap is bridged as before.
    * cubic: ``eta3(x / stretch)``, likewise scaled and balanced where it is widened.

    Beyond the outermost samples the linear kernel repeats the border value: it is cut off at the
    end and scaled to one. The spline mirrors the samples, the outermost one not doubled
    (`scipy.ndimage`'s ``mode="mirror"``): weights of samples beyond the end fall on their images.

    Parameters
    ----------
    axis : Axis
        The samples.
    points : ndarray of float64
        Places in the unit of ``axis.places``, any shape, within ``axis.limits`` or close by.
    """
    if axis.interpolation == "nearest":
        nearest = nearest_sample(axis, points)[None]
        return Taps(nearest, np.ones(nearest.shape))
    if axis.interpolation == "cubic":
        return _cardinal(axis, points)
    return _neighbours(axis, points) if axis.stretch == 1 else _widened(axis, points)


def nearest_sample(axis: Axis, points: Floats) -> Indices:
    """Index of the sample nearest to each point; of two, the higher."""
    if axis.even:
        index = np.floor(points + (0.5 + TIE)).astype(np.int64)
    else:
        middles = (axis.places[1:] + axis.places[:-1]) / 2
        index = np.searchsorted(middles, points + TIE, side="right")
    return np.clip(index, 0, axis.size - 1)


def spline_taps(axis: Axis, points: Floats) -> Taps:
    """Coefficients of `coefficient_taps`, instead of samples, and the weights to blend them."""
    indices = np.floor(points).astype(np.int64) + _column(-1, 3, points)
    return Taps(_mirrored(indices, axis.size), cubic_bspline(points - indices))


def coefficient_taps(axis: Axis, rows: Indices) -> Taps:
    """Samples behind the cubic B-spline coefficients of an even axis.

    Where the kernel is widened, the samples are first averaged with ``eta3(k / stretch)``, k whole,
    with a sum of one: the spline through these averages then needs four coefficients at any point,
    where `taps` needs 26 samples or more. Between two samples its kernel differs a little from the
    widened one; without widening both are the same.

    Parameters
    ----------
    axis : Axis
        An even axis.
    rows : ndarray of int, shape (n,)
        Indices of coefficients, from 0 up to the number of samples.
    """
    reach = int(np.ceil(CARDINAL_HALF_WIDTH * axis.stretch)) if axis.stretch > 1 else 0
    average = cardinal_spline(np.arange(-reach, reach + 1) / axis.stretch)
    poles = spline_filter(np.arange(-CARDINAL_HALF_WIDTH, CARDINAL_HALF_WIDTH + 1))
    response = normalised(np.convolve(average, poles))
    half = len(response) // 2
    indices = rows + np.arange(-half, half + 1)[:, None]
    weights = np.broadcast_to(response[:, None], indices.shape)
    return Taps(_mirrored(indices, axis.size), weights)


def _neighbours(axis: Axis, points: Floats) -> Taps:
    lower = _below(axis, points)
    upper = np.minimum(lower + 1, axis.size - 1)
    if axis.even:
        part = points - lower
    else:
        gap = axis.places[upper] - axis.places[lower]
        part = (points - axis.places[lower]) / np.where(upper > lower, gap, 1)
    part = np.clip(part, 0, 1)
    return Taps(np.stack([lower, upper]), np.stack([1 - part, part]))


def _below(axis: Axis, points: Floats) -> Indices:
    """Index of the last sample at or below each point, at most the last but one."""
    if axis.even:
        index = np.floor(points).astype(np.int64)
    else:
        index = np.searchsorted(axis.places, points, side="right") - 1
    return np.clip(index, 0, max(axis.size - 2, 0))


def _widened(axis: Axis, points: Floats) -> Taps:
    """Taps of the widened triangle; the cells of an even axis are all alike."""
    width: Floats | float = axis.stretch
    if axis.even:
        first = np.floor(points - width).astype(np.int64) + 1
        indices = first + _column(0, int(np.ceil(2 * width)), points)
    else:
        lower = _below(axis, points)
        upper = np.minimum(lower + 1, axis.size - 1)
        width = np.maximum(axis.places[upper] - axis.places[lower], axis.stretch)
        first = np.searchsorted(axis.places, points - width)
        last = np.searchsorted(axis.places, points + width)
        indices = first + _column(0, max(int((last - first).max()), 1), points)
    inside = (indices >= 0) & (indices < axis.size)
    indices = np.clip(indices, 0, axis.size - 1)
    offsets = (indices if axis.even else axis.places[indices]) - points
    weights = triangle(offsets / width) * inside
    if not axis.even:
        weights *= _cells(axis)[indices]
    weights = normalised(weights)
    whole = (points >= width) & (points <= axis.places[-1] - width)
    return Taps(indices, np.where(whole, balanced(weights, offsets), weights))


def _cells(axis: Axis) -> Floats:
    edges = (axis.places[1:] + axis.places[:-1]) / 2
    low, high = axis.limits
    return np.diff(np.concatenate([[low], edges, [high]]))


def _cardinal(axis: Axis, points: Floats) -> Taps:
    reach = CARDINAL_HALF_WIDTH * axis.stretch
    first = np.floor(points - reach).astype(np.int64) + 1
    indices = first + _column(0, int(np.ceil(2 * reach)), points)
    offsets = indices - points
    weights = normalised(cardinal_spline(offsets / axis.stretch))
    if axis.stretch > 1:
        weights = balanced(weights, offsets)
    return Taps(_mirrored(indices, axis.size), weights)


def _mirrored(indices: Indices, size: int) -> Indices:
    """Fold indices beyond either end back, the outermost sample not doubled."""
    if size == 1:
        return np.zeros_like(indices)
    period = 2 * (size - 1)
    indices = np.abs(indices) % period
    return np.minimum(indices, period - indices)


def _column(start: int, stop: int, points: Floats) -> Indices:
    """``start`` up to ``stop`` along a new axis 0, to be broadcast with the points."""
    return np.arange(start, stop, dtype=np.int64).reshape(-1, *[1] * points.ndim)
