"""Planes of voxel centres, and the window of a plane that may intersect a solid."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lungprep.image.volume import Grid, Triple
from lungprep_demo.phantom.shapes import Array, Solid

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Plane:
    """Voxel centres of one slice.

    Attributes
    ----------
    origin : ndarray
        Position (x, y, z) of row 0, column 0.
    row_step, column_step : ndarray
        Vectors (x, y, z) from one row, or column, to the next; perpendicular to each other.
    shape : tuple of int
        Rows and columns.
    """

    origin: NDArray[np.float64]
    row_step: NDArray[np.float64]
    column_step: NDArray[np.float64]
    shape: tuple[int, int]

    @classmethod
    def of(cls, grid: Grid, index: int, centre_mm: Triple, scale: float) -> "Plane":
        """Slice `index` of `grid`, relative to `centre_mm`, in units of `scale` mm."""
        direction = np.array(grid.direction)
        position = np.array(grid.position_mm((index, 0, 0)))
        return cls(
            origin=(position - centre_mm) / scale,
            row_step=direction[:, 1] * grid.spacing_mm[1] / scale,
            column_step=direction[:, 0] * grid.spacing_mm[2] / scale,
            shape=grid.shape[1:],
        )

    @cached_property
    def normal(self) -> NDArray[np.float64]:
        """Vector (x, y, z) perpendicular to the plane."""
        return np.cross(self.row_step, self.column_step)

    def window(self, solid: Solid) -> Window | None:
        """Rows and columns that may contain points of the solid; None if the plane misses it."""
        centre, half = (np.array(value) for value in solid.box)
        steps = (self.row_step, self.column_step)
        if abs(_dot(self.normal, centre - self.origin)) > _dot(abs(self.normal), half):
            return None
        slices = []
        for step, length in zip(steps, self.shape, strict=True):
            middle = _dot(step, centre - self.origin) / (step @ step)
            reach = _dot(abs(step), half) / (step @ step)
            start, stop = np.clip(
                [np.floor(middle - reach), np.ceil(middle + reach) + 1], 0, length
            )
            slices.append(slice(int(start), int(stop)))
        return slices[0], slices[1]

    def points(self, window: Window) -> tuple[Array, Array, Array]:
        """Coordinates x, y, z of a window, each of the smallest shape that broadcasts to it."""
        rows, columns = (np.arange(part.start, part.stop, dtype=float) for part in window)
        x, y, z = (
            _along(rows[:, None], row) + _along(columns, column) + start
            for row, column, start in zip(self.row_step, self.column_step, self.origin, strict=True)
        )
        return x, y, z


def _along(index: Array, step: float) -> Array:
    """`index` times `step`; a single zero if the coordinate does not change in this direction."""
    return np.asarray(index * step if step else 0.0)


def _dot(weights: Array, values: Array) -> float:
    """Dot product in which a zero weight cancels an infinite value."""
    used = weights != 0
    return float(weights[used] @ values[used])
