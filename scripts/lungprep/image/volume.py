"""A CT volume and its grid."""

import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Triple = tuple[float, float, float]
Matrix = tuple[Triple, Triple, Triple]
#: Start and stop, each (z, y, x).
Box = tuple[tuple[int, int, int], tuple[int, int, int]]

# Accuracy of positions in headers: they are often written with one decimal, so each may be off by
# 0.05 mm.
POSITION_TOLERANCE_MM = 0.06
IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Grid:
    """Positions of an array's voxels in the patient.

    Attributes
    ----------
    shape : tuple of int
        Number of voxels per axis, (z, y, x).
    spacing_mm : tuple of float
        Distance between voxel centres, (z, y, x).
    origin_mm : tuple of float
        Centre of voxel [0, 0, 0] in DICOM patient coordinates, (x, y, z).
    direction : tuple of tuple of float
        3×3; column j is the patient direction in which index x (j = 0), y (1) or z (2) grows.
    """

    shape: tuple[int, int, int]
    spacing_mm: Triple
    origin_mm: Triple
    direction: Matrix = IDENTITY

    @property
    def affine(self) -> NDArray[np.float64]:
        """4×4 matrix from voxel (x, y, z, 1) to patient millimetres (PS3.3 C.7.6.2.1.1)."""
        matrix = np.eye(4)
        matrix[:3, :3] = np.array(self.direction) * self.spacing_mm[::-1]
        matrix[:3, 3] = self.origin_mm
        return matrix

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel, ml."""
        return float(np.prod(self.spacing_mm)) / 1000

    def position_mm(self, index_zyx: tuple[float, float, float]) -> Triple:
        """Convert an array index (z, y, x), whole or fractional, to patient coordinates (x, y, z).

        Examples
        --------
        >>> grid = Grid((2, 2, 2), (1.0, 0.5, 0.5), (-180.0, -160.0, 40.0))
        >>> grid.position_mm((1, 0, 0))
        (-180.0, -160.0, 41.0)
        """
        x, y, z = (self.affine @ [*index_zyx[::-1], 1.0])[:3]
        return float(x), float(y), float(z)

    @property
    def skew_mm(self) -> float:
        """Largest distance by which oblique axes displace a corner of the grid, mm."""
        extent = np.array(self.shape[::-1]) * self.spacing_mm[::-1]
        return float(np.abs((np.array(self.direction) - np.eye(3)) * extent).sum(axis=1).max())

    @property
    def is_oblique(self) -> bool:
        """Whether the axes differ from the patient's axes by more than rounding."""
        return self.skew_mm > POSITION_TOLERANCE_MM

    def window(self, start: tuple[int, int, int], stop: tuple[int, int, int]) -> "Grid":
        """Return the grid of ``array[start[0]:stop[0], start[1]:stop[1], start[2]:stop[2]]``."""
        sz, sy, sx = (int(b - a) for a, b in zip(start, stop, strict=True))
        return replace(self, shape=(sz, sy, sx), origin_mm=self.position_mm(start))

    def to_json(self) -> dict[str, Any]:
        """Return the attributes as plain lists and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Grid":
        """Make a grid from the result of `to_json`."""
        z, y, x = (int(n) for n in fields["shape"])
        return cls(
            shape=(z, y, x),
            spacing_mm=triple(fields["spacing_mm"]),
            origin_mm=triple(fields["origin_mm"]),
            direction=(
                triple(fields["direction"][0]),
                triple(fields["direction"][1]),
                triple(fields["direction"][2]),
            ),
        )


@dataclass(frozen=True)
class Slicing:
    """Positions of slices that do not form a regular grid: uneven gaps, or a tilted gantry.

    Attributes
    ----------
    axis : int
        Array axis along which the slices are stacked: 0 (z), 1 (y) or 2 (x).
    positions_mm : tuple of float
        Position of each slice along that axis, relative to voxel 0 of the grid; increasing, from 0.
    shifts_mm : tuple of tuple of float
        Shift of each slice from the grid along the other two array axes, in their order.
    """

    axis: int
    positions_mm: tuple[float, ...]
    shifts_mm: tuple[tuple[float, float], ...]

    @classmethod
    def from_json(cls, fields: dict[str, Any] | None) -> "Slicing | None":
        """Make a slicing from the result of ``dataclasses.asdict``; None means even slices."""
        if fields is None:
            return None
        positions = tuple(float(p) for p in fields["positions_mm"])
        shifts = tuple((float(a), float(b)) for a, b in fields["shifts_mm"])
        return cls(int(fields["axis"]), positions, shifts)


@dataclass(frozen=True)
class Volume:
    """Hounsfield units on a grid.

    Attributes
    ----------
    hu : ndarray of int16
        HU, shape ``grid.shape``, axes (z, y, x).
    grid : Grid
        Positions of the voxels.
    slicing : Slicing, optional
        True positions of uneven or shifted slices, in a scan that is not resampled yet. The spacing
        of the grid along ``slicing.axis`` is then the usual gap.
    """

    hu: NDArray[np.int16]
    grid: Grid
    slicing: Slicing | None = None

    def save(self, path: str | Path) -> None:
        """Write the array as ``.npy``; the step's record holds the grid."""
        save_array(path, self.hu)

    @classmethod
    def load(cls, path: str | Path, grid: Grid, slicing: Slicing | None = None) -> "Volume":
        """Map the array written by `save`, read-only: pages are read when they are used."""
        return cls(np.load(path, mmap_mode="r", allow_pickle=False), grid, slicing)


def extent(labels: NDArray[np.uint8]) -> Box:
    """Return the smallest box around the voxels that are not 0.

    Parameters
    ----------
    labels : ndarray of uint8
        Labels, axes (z, y, x); at least one voxel must not be 0.

    Returns
    -------
    Box
        Start and stop of the box, each (z, y, x).

    Examples
    --------
    >>> labels = np.zeros((4, 5, 6), np.uint8)
    >>> labels[1, 2, 3:5] = 1
    >>> extent(labels)
    ((1, 2, 3), (2, 3, 5))
    """
    columns = labels.max(axis=0)
    y, x = (np.flatnonzero(columns.any(axis=axis)) for axis in (1, 0))
    rows, places = slice(y[0], y[-1] + 1), slice(x[0], x[-1] + 1)
    z = np.flatnonzero([plane[rows, places].any() for plane in labels])
    start = (int(z[0]), int(y[0]), int(x[0]))
    return start, (int(z[-1]) + 1, int(y[-1]) + 1, int(x[-1]) + 1)


def save_array(path: str | Path, array: NDArray[Any]) -> None:
    """Write an array as ``.npy`` under a temporary name, then rename it.

    A job that outlives a killed run may still be writing when the next run makes the same file.

    Raises
    ------
    OSError
        If the file can't be written. The error keeps its ``errno``, which `numpy.save` drops when a
        disk is full.
    """
    array = np.ascontiguousarray(array)
    unfinished = Path(f"{path}.{os.getpid()}")
    with unfinished.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.data)
    unfinished.replace(path)


def triple(values: Any) -> Triple:
    """Convert three values to plain floats."""
    # Adding zero turns -0.0 into 0.0; JSON would show the sign.
    a, b, c = (float(v) + 0.0 for v in values)
    return a, b, c
