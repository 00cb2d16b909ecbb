"""Samples of an axis, and their weights, that make the value at a point."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lungprep.image.resampling.axes import Axis
from lungprep.image.resampling.kernels import (
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
# Places are computed: rounding errors must not decide a tie.
TIE = 1e-6


class Taps(NamedTuple):
    """Samples and weights of points: the value is ``sum(weights * samples[indices], axis=0)``.

    Attributes
    ----------
    indices : ndarray of int64, shape (samples, *points)
        Indices of samples, always within the axis; an index may occur more than once.
    weights : ndarray of float64, same shape
        Weights, with a sum of one along axis 0.
    """

    indices: Indices
    weights: Floats


def taps(axis: Axis, points: Floats) -> Taps:
    """Find samples and weights for points on an axis.

    * nearest: the nearest sample; half-way between two samples, the one with the higher index.
    * linear: the two neighbours. A widened kernel takes all samples under a triangle of half width
      ``w = stretch``, scaled to a sum of one and balanced (`kernels.balanced`). On an uneven axis w
      is at least the distance between the point's two neighbours, so that a wide gap is bridged as
      without widening; each sample is weighted by the length of its own cell, which reaches
      half-way to both neighbours.
    * cubic: ``eta3(x / stretch)``, scaled and balanced in the same way if it is widened.

    Beyond the outermost samples, the linear kernel repeats the border value: it is cut off at the
    end and scaled to a sum of one. The spline mirrors the samples without doubling the outermost
    one (``mode="mirror"`` of `scipy.ndimage`): weights beyond the end go to the mirror images.

    Parameters
    ----------
    axis : Axis
        The samples.
    points : ndarray of float64
        Places in the unit of ``axis.places``, any shape, within ``axis.limits`` or close to them.

    Returns
    -------
    Taps
        Indices of the samples and their weights.

    Examples
    --------
    >>> import numpy as np
    >>> from lungprep.image.resampling.axes import Axis
    >>> axis = Axis(np.array([0.0, 1.0, 2.0]), even=True, interpolation="linear", stretch=1.0)
    >>> found = taps(axis, np.array([0.25, 1.5]))
    >>> found.indices
    array([[0, 1],
           [1, 2]])
    >>> found.weights
    array([[0.75, 0.5 ],
           [0.25, 0.5 ]])
    """
    if axis.interpolation == "nearest":
        nearest = nearest_sample(axis, points)[None]
        return Taps(nearest, np.ones(nearest.shape))
    if axis.interpolation == "cubic":
        return _cardinal(axis, points)
    return _neighbours(axis, points) if axis.stretch == 1 else _widened(axis, points)


def nearest_sample(axis: Axis, points: Floats) -> Indices:
    """Return the index of the sample nearest to each point; the higher index in a tie."""
    if axis.even:
        index = np.floor(points + (0.5 + TIE)).astype(np.int64)
    else:
        middles = (axis.places[1:] + axis.places[:-1]) / 2
        index = np.searchsorted(middles, points + TIE, side="right")
    return np.clip(index, 0, axis.size - 1)


def spline_taps(axis: Axis, points: Floats) -> Taps:
    """Find the coefficients (`coefficient_taps`) around each point, and their weights."""
    indices = np.floor(points).astype(np.int64) + _column(-1, 3, points)
    return Taps(_mirrored(indices, axis.size), cubic_bspline(points - indices))


def coefficient_taps(axis: Axis, rows: Indices) -> Taps:
    """Find samples and weights that make the cubic B-spline coefficients of an even axis.

    If the kernel is widened, the samples are first averaged with the weights
    ``eta3(k / stretch)``, k whole, scaled to a sum of one. The spline through these averages needs
    four coefficients at any point, whereas `taps` needs 26 samples or more. Between samples its
    kernel differs slightly from the widened one; without widening they are the same.

    Parameters
    ----------
    axis : Axis
        An even axis.
    rows : ndarray of int, shape (n,)
        Indices of coefficients, from 0 up to the number of samples.

    Returns
    -------
    Taps
        Indices of the samples and their weights.
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
    """Return the index of the last sample at or below each point, at most the last but one."""
    if axis.even:
        index = np.floor(points).astype(np.int64)
    else:
        index = np.searchsorted(axis.places, points, side="right") - 1
    return np.clip(index, 0, max(axis.size - 2, 0))


def _widened(axis: Axis, points: Floats) -> Taps:
    """Find the taps of the widened triangle; on an even axis all cells have the same length."""
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
    """Reflect indices beyond either end, without doubling the outermost sample."""
    if size == 1:
        return np.zeros_like(indices)
    period = 2 * (size - 1)
    indices = np.abs(indices) % period
    return np.minimum(indices, period - indices)


def _column(start: int, stop: int, points: Floats) -> Indices:
    """Return ``start`` to ``stop`` along a new axis 0 that broadcasts with the points."""
    return np.arange(start, stop, dtype=np.int64).reshape(-1, *[1] * points.ndim)
