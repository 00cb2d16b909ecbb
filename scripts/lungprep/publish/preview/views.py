"""Choose the planes that show whether a lung mask is right, and the margin around the lungs.

These are one coronal plane through the middle of both lungs, one sagittal plane through the middle
of each lung, and three axial planes. Errors at the apex, the hila or the diaphragm show in at least
one of them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation import Lungs
from lungprep.image.volume import Volume

Profile = NDArray[np.int64]

# Margins in array order: feet and head, front and back, right and left. Masks often miss
# consolidation or fluid, which lie below and behind the rest of the lungs.
_MARGINS_MM = ((40.0, 20.0), (20.0, 60.0), (20.0, 20.0))
# A coarse lattice of voxels is enough to choose the planes.
_LATTICE_MM = (4.0, 2.0, 2.0)
# Fractions of the lungs' volume below the axial planes.
_LEVELS = {"upper": 0.85, "middle": 0.5, "lower": 0.15}
_SIDES = {"right": 1, "left": 2}


@dataclass(frozen=True)
class View:
    """A plane as seen by the viewer.

    Attributes
    ----------
    name : str
        Name of the plane, for the reader.
    marks : str
        Directions at the left, right, upper and lower edge, one letter each of R, L, A, P, H and
        F. Empty if the plane is empty.
    hu : ndarray of int16
        HU, axes (down, across).
    labels : ndarray of uint8
        Labels, same shape: 0 outside, 1 right lung, 2 left lung.
    spacing_mm : tuple of float
        Pixel spacing (down, across).
    levels_mm : tuple of float
        Distances of the axial planes from the upper edge.
    """

    name: str
    marks: str
    hu: NDArray[np.int16]
    labels: NDArray[np.uint8]
    spacing_mm: tuple[float, float]
    levels_mm: tuple[float, ...] = ()

    @property
    def size_mm(self) -> tuple[float, float]:
        """Height and width, mm."""
        (rows, columns), (down, across) = self.hu.shape, self.spacing_mm
        return rows * down, columns * across


def views(volume: Volume, lungs: Lungs) -> list[View]:
    """Cut the planes to show.

    Parameters
    ----------
    volume : Volume
        HU, canonical axes (z, y, x).
    lungs : Lungs
        Lungs found in `volume`.

    Returns
    -------
    list of View
        Coronal plane; sagittal planes through the right and the left lung; axial planes from head
        to feet.
    """
    dz, dy, dx = lungs.grid.spacing_mm
    each = {name: _profiles(lungs, side) for name, side in _SIDES.items()}
    both = [right + left for right, left in zip(*each.values(), strict=True)]
    zs, ys, xs = (
        _window(*axis) for axis in zip(both, lungs.grid.spacing_mm, _MARGINS_MM, strict=True)
    )
    if "lopsided_lungs" in lungs.flags:
        # Show the whole width, so that the reader sees the other lung.
        xs = slice(0, lungs.grid.shape[2])
    upright = slice(zs.stop - 1, zs.start - 1 if zs.start else None, -1)
    levels = {name: _quantile(both[0], share) for name, share in _LEVELS.items()}
    levels_mm = tuple((zs.stop - 0.5 - z) * dz for z in levels.values())

    coronal = np.s_[upright, _quantile(both[1], 0.5), xs]
    shown = [
        View("coronal", "RLHF", volume.hu[coronal], lungs.labels[coronal], (dz, dx), levels_mm)
    ]
    for name, (_, _, columns) in each.items():
        if columns.any():
            view = np.s_[upright, ys, _quantile(columns, 0.5)]
            hu, labels = volume.hu[view], lungs.labels[view]
            shown.append(View(f"sagittal, {name} lung", "APHF", hu, labels, (dz, dy), levels_mm))
        else:
            nothing = np.empty((0, 0), np.int16)
            shown.append(View(f"no {name} lung", "", nothing, nothing.view(np.uint8), (dz, dy)))
    for name, z in levels.items():
        axial = np.s_[z, ys, xs]
        shown.append(
            View(f"axial, {name}", "RLAP", volume.hu[axial], lungs.labels[axial], (dy, dx))
        )
    return shown


def _profiles(lungs: Lungs, side: int) -> list[Profile]:
    """Count the voxels of a lung per index of each axis, on a lattice; 0 between its points."""
    steps = [
        max(round(wanted / step), 1)
        for wanted, step in zip(_LATTICE_MM, lungs.grid.spacing_mm, strict=True)
    ]
    mask = lungs.labels[tuple(slice(None, None, step) for step in steps)] == side
    columns = mask.sum(axis=0, dtype=np.int64)
    profiles = [np.zeros(size, np.int64) for size in lungs.grid.shape]
    profiles[0][:: steps[0]] = mask.sum(axis=(1, 2))
    profiles[1][:: steps[1]] = columns.sum(axis=1)
    profiles[2][:: steps[2]] = columns.sum(axis=0)
    return profiles


def _window(profile: Profile, step_mm: float, margins_mm: tuple[float, float]) -> slice:
    """Return the range of the lungs along an axis, with its margins."""
    inside = np.flatnonzero(profile)
    if not inside.size:
        return slice(0, profile.size)
    before, after = (round(mm / step_mm) for mm in margins_mm)
    return slice(max(int(inside[0]) - before, 0), min(int(inside[-1]) + after + 1, profile.size))


def _quantile(profile: Profile, share: float) -> int:
    up_to = np.cumsum(profile)
    return int(np.searchsorted(up_to, share * up_to[-1]))
