"""Synthetic chest whose Hounsfield units and lungs are known at every point."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lungprep.image.volume import Grid, Triple
from lungprep_demo.phantom.anatomy import AIR, BLOOD, Part, airways, lungs, organs, table, wall
from lungprep_demo.phantom.plane import Plane
from lungprep_demo.phantom.shapes import Array, Ellipsoid


@dataclass(frozen=True)
class Phantom:
    """Hounsfield units and lung labels as functions of a point in the patient.

    Attributes
    ----------
    parts : tuple of Part
        Tissues, in painting order.
    centre_mm : tuple of float
        Position (x, y, z), LPS, of the parts' origin in the patient.
    scale : float
        Size relative to the parts.
    background : float
        HU at `centre_mm` outside all parts.
    gradient : tuple of float
        Change of the HU outside all parts, in HU per mm along x, y and z.
    half_mm : tuple of float
        Half the extent (x, y, z), around `centre_mm`, that a scan should cover.
    """

    parts: tuple[Part, ...]
    centre_mm: Triple = (0.0, 0.0, 0.0)
    scale: float = 1.0
    background: float = AIR
    gradient: Triple = (0.0, 0.0, 0.0)
    half_mm: Triple = (170.0, 120.0, 150.0)

    def at(
        self, x: ArrayLike, y: ArrayLike, z: ArrayLike
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Evaluate at any points: exact, with every part at every point.

        Parameters
        ----------
        x, y, z : array_like
            Patient coordinates in mm (LPS), broadcast against each other.

        Returns
        -------
        hu : ndarray of float32
            Hounsfield units, in the broadcast shape.
        labels : ndarray of uint8
            0 outside the lungs, 1 right lung, 2 left lung.
        """
        points = [
            (np.asarray(values, dtype=float) - centre) / self.scale
            for values, centre in zip((x, y, z), self.centre_mm, strict=True)
        ]
        shape = np.broadcast_shapes(*(values.shape for values in points))
        hu, labels = self._outside(points, shape)
        for part in self.parts:
            _paint(part, points, hu, labels)
        return hu, labels

    def planes(self, grid: Grid) -> Iterator[tuple[NDArray[np.float32], NDArray[np.uint8]]]:
        """HU and labels, (y, x), of each slice of a grid with orthonormal direction.

        The values equal those of `at`, but each part is evaluated only in a window around it.
        """
        for index in range(grid.shape[0]):
            plane = Plane.of(grid, index, self.centre_mm, self.scale)
            field = (slice(0, plane.shape[0]), slice(0, plane.shape[1]))
            hu, labels = self._outside(plane.points(field), plane.shape)
            for part in self.parts:
                window = plane.window(part.solid)
                if window is not None:
                    _paint(part, plane.points(window), hu[window], labels[window])
            yield hu, labels

    def hu(self, grid: Grid) -> NDArray[np.float32]:
        """Hounsfield units at the voxel centres of a grid, (z, y, x)."""
        return np.stack([hu for hu, _ in self.planes(grid)])

    def labels(self, grid: Grid) -> NDArray[np.uint8]:
        """Lung labels (0, 1 right, 2 left) at the voxel centres of a grid, (z, y, x)."""
        return np.stack([labels for _, labels in self.planes(grid)])

    def _outside(
        self, points: Sequence[Array], shape: tuple[int, ...]
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        hu = np.full(shape, self.background, dtype=np.float32)
        for values, slope in zip(points, self.gradient, strict=True):
            if slope:
                hu += (values * (slope * self.scale)).astype(np.float32)
        return hu, np.zeros(shape, dtype=np.uint8)


def ramp(gradient: Triple, background: float = 0.0, centre_mm: Triple = (0.0, 0.0, 0.0)) -> Phantom:
    """Phantom whose HU are linear in position, so that linear interpolation is exact.

    Parameters
    ----------
    gradient : tuple of float
        Change of the HU, in HU per mm along x, y and z.
    background : float
        HU at `centre_mm`.
    centre_mm : tuple of float
        Patient point (x, y, z) that a scan is centred on.
    """
    return Phantom((), centre_mm, background=background, gradient=gradient)


def chest(
    *,
    scale: float = 1.0,
    centre_mm: Triple = (0.0, 0.0, 0.0),
    nodule: Ellipsoid | None = None,
    ribs: bool = True,
    lies_on: str | None = "back",
) -> Phantom:
    """Adult chest: right lung about 2.6 l and left about 2.2 l at scale 1, 260 mm high.

    Parameters
    ----------
    scale : float
        Size; volumes grow with its cube.
    centre_mm : tuple of float
        Patient point (x, y, z) of the middle of the chest.
    nodule : Ellipsoid, optional
        Soft tissue in a lung, at scale 1 and relative to the middle of the chest. It counts as
        lung where it lies in one.
    ribs : bool
        Whether there are ribs; without them segmentation is easier and painting faster.
    lies_on : {'back', 'front', None}
        The side of the patient that lies on the table (front: prone); None for no table.

    Returns
    -------
    Phantom
        Air outside, fat, muscle, spine, ribs, lungs with vessels, heart, diaphragm, airways, table.
    """
    parts = [*wall(ribs), *lungs(), *([] if nodule is None else [Part(nodule, BLOOD, None)])]
    parts += [*organs(), *airways(), *table(lies_on)]
    x, y, z = (half * scale for half in (174.0, 124.0, 146.0))
    return Phantom(tuple(parts), centre_mm, scale, half_mm=(x, y, z))


def _paint(
    part: Part, points: Sequence[Array], hu: NDArray[np.float32], labels: NDArray[np.uint8]
) -> None:
    inside = np.broadcast_to(part.solid.contains(*points), hu.shape)
    if part.label is None:
        inside = inside & (labels > 0)
    else:
        labels[inside] = part.label
    hu[inside] = part.hu
