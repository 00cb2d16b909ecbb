"""The box of samples that a tile of the result needs, and how to interpolate in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lungprep.image.resampling.axes import Axis
from lungprep.image.resampling.kernels import Floats
from lungprep.image.resampling.separable import Samples, dense
from lungprep.image.resampling.taps import Indices, Taps, coefficient_taps, spline_taps, taps


@dataclass(frozen=True)
class Scan:
    """A scan in units of its own samples.

    Attributes
    ----------
    hu : ndarray of int16
        HU, shape (z, y, x).
    axes : sequence of Axis
        Samples and kernel along each array axis.
    slices : int
        The array axis along which the slices are stacked.
    shifts : ndarray of float64, shape (slices, 3)
        Shift of each slice along the array axes, in samples.
    """

    hu: NDArray[np.int16]
    axes: Sequence[Axis]
    slices: int
    shifts: Floats

    @property
    def planar(self) -> tuple[int, int]:
        """The array axes within a slice."""
        a, b = (axis for axis in range(3) if axis != self.slices)
        return a, b

    def shifted(self, axis: int) -> bool:
        """Whether slices are shifted along an array axis."""
        return bool(self.shifts[:, axis].any())

    def fixed(self, axis: int) -> bool:
        """Whether a point has the same place along an array axis in every slice."""
        return not (self.shifts.any() if axis == self.slices else self.shifted(axis))

    def by_coefficients(self, axis: int) -> bool:
        """Whether samples become spline coefficients along an array axis.

        Never along the stack of shifted slices: each is first interpolated in its own plane.
        """
        cubic = self.axes[axis].interpolation == "cubic"
        return cubic and (axis != self.slices or self.fixed(axis))


class Reading(NamedTuple):
    """Entries of a box that make the values at some points along one axis: `Taps` in float32.

    Attributes
    ----------
    indices : ndarray of int64, shape (entries, *points)
        Indices into the box.
    weights : ndarray of float32, same shape
        Weight of each entry.
    """

    indices: Indices
    weights: Samples


class Along(NamedTuple):
    """The entries of a box along one axis.

    Attributes
    ----------
    columns : slice
        Samples of the scan that are read.
    matrix : ndarray of float32, optional
        Matrix that turns these samples into entries; None if the samples are the entries.
    start : int
        Index of the sample, or of the coefficient, that is entry 0.
    reading : Reading
        Entries and weights of all points of the tile; unused if they differ from slice to slice.
    made : bool
        Whether the entries are already the points of the tile.
    """

    columns: slice
    matrix: Samples | None
    start: int
    reading: Reading
    made: bool


def read_box(scan: Scan, points: Sequence[Floats]) -> tuple[Samples, list[Along]]:
    """Read the samples that a tile needs, and do the work that many points share.

    If an axis of the scan is parallel to an axis of the tile, one matrix product makes the points
    themselves, which are then the entries. Along the other axes, a cubic kernel first makes its
    coefficients, of which a point needs four.

    Parameters
    ----------
    scan : Scan
        The scan.
    points : sequence of ndarray of float64
        Index of each point along each array axis of the scan. Each array broadcasts to the tile's
        shape, and has size one along the axes on which it does not depend.

    Returns
    -------
    box : ndarray of float32, shape (z, y, x)
        Entries.
    along : list of Along
        Description of the entries along each axis.
    """
    found: dict[int, Along] = {scan.slices: _along(scan, scan.slices, points[scan.slices])}
    for a in scan.planar:
        if scan.fixed(a):
            found[a] = _along(scan, a, points[a])
        else:
            shifts = scan.shifts[found[scan.slices].columns, a]
            ends = [points[a].min() - shifts.max(), points[a].max() - shifts.min()]
            found[a] = _across(scan, a, np.array(ends))
    along = [found[a] for a in range(3)]
    box = scan.hu[tuple(a.columns for a in along)].astype(np.float32)
    for k, held in enumerate(along):
        if held.matrix is not None:
            box = np.moveaxis(np.tensordot(held.matrix, box, (1, k)), 0, k)
    return np.ascontiguousarray(box), along


def read(scan: Scan, axis: int, places: Floats, start: int) -> Reading:
    """Find the entries and weights of points along one axis of a box.

    Points beyond the scan are moved to its edge.

    Parameters
    ----------
    scan : Scan
        The scan.
    axis : int
        Array axis of the scan.
    places : ndarray of float64
        Index of each point along the axis, less the slice's shift.
    start : int
        Index of the sample, or of the coefficient, that is entry 0 of the box.

    Returns
    -------
    Reading
        Entries of the box and their weights.
    """
    return _into_box(_taps(scan, axis, places), start)


def _along(scan: Scan, axis: int, places: Floats) -> Along:
    if places.size > places.shape[axis] or not scan.fixed(axis):
        return _across(scan, axis, places)
    found = taps(scan.axes[axis], np.clip(places.ravel(), *scan.axes[axis].limits))
    columns = _range(found.indices)
    entries = np.arange(places.size).reshape(1, *places.shape)
    reading = Reading(entries, np.ones(entries.shape, dtype=np.float32))
    return Along(columns, dense(found, columns), 0, reading, True)


def _across(scan: Scan, axis: int, places: Floats) -> Along:
    found = _taps(scan, axis, places)
    entries = _range(found.indices)
    columns, matrix = entries, None
    if scan.by_coefficients(axis):
        made_of = coefficient_taps(scan.axes[axis], np.arange(entries.start, entries.stop))
        columns = _range(made_of.indices)
        matrix = dense(made_of, columns)
    return Along(columns, matrix, entries.start, _into_box(found, entries.start), False)


def _into_box(found: Taps, start: int) -> Reading:
    return Reading(found.indices - start, found.weights.astype(np.float32))


def _taps(scan: Scan, axis: int, places: Floats) -> Taps:
    inside = np.clip(places, *scan.axes[axis].limits)
    make = spline_taps if scan.by_coefficients(axis) else taps
    return make(scan.axes[axis], inside)


def _range(indices: Indices) -> slice:
    return slice(int(indices.min()), int(indices.max()) + 1)
