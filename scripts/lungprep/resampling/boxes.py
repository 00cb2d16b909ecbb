"""The samples behind a tile of the result: a small box of the scan, and how it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lungprep.resampling.axes import Axis
from lungprep.resampling.kernels import Floats
from lungprep.resampling.separable import Samples, dense
from lungprep.resampling.taps import Indices, Taps, coefficient_taps, spline_taps, taps


@dataclass(frozen=True)
class Scan:
    """A scan in units of its own samples.

    Attributes
    ----------
    hu : ndarray of int16
        Shape (z, y, x).
    axes : sequence of Axis
        How each array axis is read.
    slices : int
        The array axis along which slices follow.
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
        """Whether points are read alike along an array axis, whichever slice they are read from."""
        return not (self.shifts.any() if axis == self.slices else self.shifted(axis))

    def by_coefficients(self, axis: int) -> bool:
        """Whether samples become coefficients of splines along an array axis.

        Not along shifted slices: each of them is interpolated in its own plane before.
        """
        cubic = self.axes[axis].interpolation == "cubic"
        return cubic and (axis != self.slices or self.fixed(axis))


class Reading(NamedTuple):
    """Entries of a box behind some points, along one axis: `Taps` into the box, in float32.

    Attributes
    ----------
    indices : ndarray of int64, shape (entries, *points)
        Into the box.
    weights : ndarray of float32, same shape
        Of each entry.
    """

    indices: Indices
    weights: Samples


class Along(NamedTuple):
    """What a box holds along one axis.

    Attributes
    ----------
    columns : slice
        Samples of the scan that are read.
    matrix : ndarray of float32, optional
        What makes entries of these samples, where they are not taken as they are.
    start : int
        Which sample, or coefficient, entry 0 is.
    reading : Reading
        How all points of the tile are read; of no use where that differs from slice to slice.
    made : bool
        Whether the entries are the points of the tile.
    """

    columns: slice
    matrix: Samples | None
    start: int
    reading: Reading
    made: bool


def read_box(scan: Scan, points: Sequence[Floats]) -> tuple[Samples, list[Along]]:
    """Read the samples that a tile needs, and do with them what is the same for many points.

    Along an axis of the scan that runs along one of the tile, the entries are the points
    themselves, made by one matrix product. Along others a cubic kernel has its coefficients made,
    of which a point needs four.

    Parameters
    ----------
    scan : Scan
        The scan.
    points : sequence of ndarray of float64
        Index of each point along each array axis of the scan, to be broadcast to the tile's shape;
        of size one along the axes on which it doesn't depend.

    Returns
    -------
    box : ndarray of float32, shape (z, y, x)
        Entries.
    along : list of Along
        What they are along each axis.
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
    """How points are read along one axis of a box, those beyond the scan at its rim.

    Parameters
    ----------
    scan : Scan
        The scan.
    axis : int
        Its array axis.
    places : ndarray of float64
        Index of each point along it, less the slice's shift.
    start : int
        Which sample, or coefficient, entry 0 of the box is.
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
