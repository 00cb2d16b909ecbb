"""Patient coordinates and voxels of a published array, in both directions.

Two orders meet here, and each function says which one it takes and gives: **points are (x, y, z)**
in mm, as DICOM writes them, while **voxels are (z, y, x)**, as the published arrays are indexed.
Points are DICOM patient coordinates (PS3.3 C.7.6.2.1.1): x grows to the patient's left, y to the
back, z to the head (LPS).
"""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lungprep.cohort import RECEIPT
from lungprep.errors import DataError
from lungprep.volume import Grid, Triple, triple

Floats = NDArray[np.float64]

# No scanner's room is a kilometre wide; beyond, the products below could overflow.
FARTHEST_MM = 1e6
# Axes that span less than this share of a box of their lengths lie in one plane.
FLAT = 1e-3


def to_voxel(affine: Grid | ArrayLike, points_mm: ArrayLike) -> Floats:
    """Voxels of points.

    Parameters
    ----------
    affine : Grid or array_like, shape (4, 4)
        The sidecar's ``affine``, from voxel (x, y, z, 1) to mm, or the grid itself.
    points_mm : array_like, shape (..., 3)
        Patient coordinates **(x, y, z)** in mm.

    Returns
    -------
    ndarray of float64, shape (..., 3)
        Fractional array indices **(z, y, x)**; whole numbers are voxel centres. A point outside of
        the array has an index outside of its shape: see `inside`.

    Raises
    ------
    ValueError
        If the affine is none, or can't be inverted, or points have not three coordinates.

    Notes
    -----
    The inverse of the equation of PS3.3 C.7.6.2.1.1.
    """
    matrix = _matrix(affine)
    offsets = _triples("points_mm", points_mm) - matrix[:3, 3]
    voxels: Floats = (offsets @ np.linalg.inv(matrix[:3, :3]).T)[..., ::-1]
    return voxels


def to_world(affine: Grid | ArrayLike, voxels_zyx: ArrayLike) -> Floats:
    """Points of voxels, the inverse of `to_voxel`.

    Parameters
    ----------
    affine : Grid or array_like, shape (4, 4)
        The sidecar's ``affine``, from voxel (x, y, z, 1) to mm, or the grid itself.
    voxels_zyx : array_like, shape (..., 3)
        Array indices **(z, y, x)**, whole or fractional.

    Returns
    -------
    ndarray of float64, shape (..., 3)
        Patient coordinates **(x, y, z)** in mm (PS3.3 C.7.6.2.1.1).

    Raises
    ------
    ValueError
        If the affine is none, or can't be inverted, or voxels have not three indices.
    """
    matrix = _matrix(affine)
    points: Floats = _triples("voxels_zyx", voxels_zyx)[..., ::-1] @ matrix[:3, :3].T
    return points + matrix[:3, 3]


def inside(shape: tuple[int, int, int], voxels_zyx: ArrayLike) -> NDArray[np.bool_]:
    """Whether each voxel rounds to one that the array has.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array, (z, y, x).
    voxels_zyx : array_like, shape (..., 3)
        Fractional indices **(z, y, x)**.

    Returns
    -------
    ndarray of bool, shape (...)
        True from half a voxel before the first centre, which counts, to half a voxel behind the
        last, which does not; `numpy.rint` of such an index is one of the array. NaN is not inside.

    Raises
    ------
    ValueError
        If voxels have not three indices.
    """
    voxels = _triples("voxels_zyx", voxels_zyx)
    return np.asarray(((voxels >= -0.5) & (voxels < np.array(shape) - 0.5)).all(axis=-1))


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the published array of a patient lies.

    Attributes
    ----------
    patient : str
        Id.
    series_uid : str
        SeriesInstanceUID of the scan that the array was made of; empty where it has none.
    shape : tuple of int
        Shape of the array, (z, y, x).
    affine : ndarray of float64, shape (4, 4)
        From voxel (x, y, z, 1) to patient mm.
    """

    patient: str
    series_uid: str
    shape: tuple[int, int, int]
    affine: Floats

    @property
    def spacing_mm(self) -> Triple:
        """Distance between voxel centres, (z, y, x)."""
        return triple(np.linalg.norm(self.affine[:3, :3], axis=0)[::-1])

    @classmethod
    def of(cls, patient: str, sidecar: bytes) -> "Placement":
        """Take the placement from a patient's sidecar.

        Raises
        ------
        DataError
            If this is not the sidecar of this patient, or lacks a valid value that is needed.
        """
        try:
            fields = json.loads(sidecar)
            owner, series_uid = fields["patient"], fields["series_instance_uid"]
            z, y, x = fields["shape"]
            affine = _matrix(np.array(fields["affine"], dtype=np.float64))
            if owner != patient:
                raise ValueError(f"it names patient {owner!r}")
            # Null where the slices name none.
            series_uid = "" if series_uid is None else series_uid
            if not isinstance(series_uid, str):
                raise TypeError(f"series_instance_uid is {series_uid!r}")
            if not all(type(size) is int and size > 0 for size in (z, y, x)):
                raise ValueError(f"shape is {fields['shape']!r}")
        except KeyError as error:
            raise _not_usable(patient, f"it has no {error}") from error
        # A file from a store may hold any JSON, nested too deep or with numbers too large as well.
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _not_usable(patient, str(error)) from error
        return cls(patient, series_uid, (z, y, x), affine)


def _matrix(affine: Grid | ArrayLike) -> Floats:
    """The affine as an array, if it maps a volume onto a volume."""
    matrix = np.asarray(affine.affine if isinstance(affine, Grid) else affine, dtype=np.float64)
    if matrix.shape != (4, 4) or (matrix[3] != (0, 0, 0, 1)).any():
        raise ValueError("the affine is not 4x4 with a last row of 0 0 0 1")
    # Written so that NaN is refused too.
    if not (np.abs(matrix) <= FARTHEST_MM).all():
        raise ValueError(f"the affine has numbers that are not finite or beyond {FARTHEST_MM:g} mm")
    axes = matrix[:3, :3]
    if abs(np.linalg.det(axes)) <= FLAT * np.prod(np.linalg.norm(axes, axis=0)):
        raise ValueError("the axes of the affine lie in one plane")
    return matrix


def _triples(name: str, values: ArrayLike) -> Floats:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != 3:
        raise ValueError(f"{name} has shape {array.shape} where (..., 3) is needed")
    return array


def _not_usable(patient: str, why: str) -> DataError:
    return DataError(
        f"{RECEIPT.format(patient=patient)} can't be used as a receipt ({why})",
        "publish the patient again",
    )
