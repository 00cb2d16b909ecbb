"""A CT volume and the grid that it is sampled on."""

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

# Positions in headers are good to this much: they are often written with one decimal, so that each
# may be off by 0.05 mm.
POSITION_TOLERANCE_MM = 0.06
IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


@dataclass(frozen=True)
class Grid:
    """Where the voxels of an array lie in the patient.

    Attributes
    ----------
    shape : tuple of int
        Voxels per axis, (z, y, x).
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
        """Volume of one voxel in millilitres."""
        return float(np.prod(self.spacing_mm)) / 1000

    def position_mm(self, index_zyx: tuple[float, float, float]) -> Triple:
        """Patient coordinates (x, y, z) of a, possibly fractional, array index (z, y, x)."""
        x, y, z = (self.affine @ [*index_zyx[::-1], 1.0])[:3]
        return float(x), float(y), float(z)

    @property
    def skew_mm(self) -> float:
        """How far the axes lead a corner of the grid away from the patient's own axes."""
        extent = np.array(self.shape[::-1]) * self.spacing_mm[::-1]
        return float(np.abs((np.array(self.direction) - np.eye(3)) * extent).sum(axis=1).max())

    @property
    def is_oblique(self) -> bool:
        """Whether the axes are turned from the patient's by more than rounding."""
        return self.skew_mm > POSITION_TOLERANCE_MM

    def window(self, start: tuple[int, int, int], stop: tuple[int, int, int]) -> "Grid":
        """Grid of ``array[start[0]:stop[0], start[1]:stop[1], start[2]:stop[2]]``."""
        sz, sy, sx = (int(b - a) for a, b in zip(start, stop, strict=True))
        return replace(self, shape=(sz, sy, sx), origin_mm=self.position_mm(start))

    def to_json(self) -> dict[str, Any]:
        """The attributes as plain lists and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Grid":
        """Inverse of `to_json`."""
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
    """Where the slices of a scan lie that do not stack evenly: uneven gaps, a tilted gantry.

    Attributes
    ----------
    axis : int
        Array axis along which the slices follow: 0 (z), 1 (y) or 2 (x).
    positions_mm : tuple of float
        Place of each slice along that axis, counted from voxel 0 of the grid; increasing, from 0.
    shifts_mm : tuple of tuple of float
        How far each slice is shifted from the grid along the other two array axes, in their order.
    """

    axis: int
    positions_mm: tuple[float, ...]
    shifts_mm: tuple[tuple[float, float], ...]

    @classmethod
    def from_json(cls, fields: dict[str, Any] | None) -> "Slicing | None":
        """Inverse of ``dataclasses.asdict``; None stands for even slices."""
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
        Shape ``grid.shape``, axes (z, y, x).
    grid : Grid
        Where the voxels lie.
    slicing : Slicing, optional
        What of that holds only on average, for a scan that is not resampled yet: the spacing of the
        grid along ``slicing.axis`` is then the usual gap.
    """

    hu: NDArray[np.int16]
    grid: Grid
    slicing: Slicing | None = None

    def save(self, path: str | Path) -> None:
        """Write the array as ``.npy``; the grid goes into the step's record."""
        save_array(path, self.hu)

    @classmethod
    def load(cls, path: str | Path, grid: Grid, slicing: Slicing | None = None) -> "Volume":
        """Map the array of `save` read-only: pages are read as they are used."""
        return cls(np.load(path, mmap_mode="r", allow_pickle=False), grid, slicing)


def extent(labels: NDArray[np.uint8]) -> Box:
    """The smallest box around what is not 0.

    Parameters
    ----------
    labels : ndarray of uint8
        Axes (z, y, x); at least one voxel is not 0.
    """
    columns = labels.max(axis=0)
    y, x = (np.flatnonzero(columns.any(axis=axis)) for axis in (1, 0))
    rows, places = slice(y[0], y[-1] + 1), slice(x[0], x[-1] + 1)
    z = np.flatnonzero([plane[rows, places].any() for plane in labels])
    start = (int(z[0]), int(y[0]), int(x[0]))
    return start, (int(z[-1]) + 1, int(y[-1]) + 1, int(x[-1]) + 1)


def save_array(path: str | Path, array: NDArray[Any]) -> None:
    """Write an array as ``.npy``, complete before it has its name.

    A job that outlives a killed run may still be writing when the next run makes the same file.

    Raises
    ------
    OSError
        With its ``errno``, which `numpy.save` drops when a disk is full.
    """
    array = np.ascontiguousarray(array)
    unfinished = Path(f"{path}.{os.getpid()}")
    with unfinished.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.data)
    unfinished.replace(path)


def triple(values: Any) -> Triple:
    """Three plain floats."""
    # Adding zero turns -0.0 into 0.0, which JSON would show.
    a, b, c = (float(v) + 0.0 for v in values)
    return a, b, c
