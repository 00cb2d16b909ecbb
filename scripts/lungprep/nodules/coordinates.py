"""Convert between patient coordinates and voxels of a published array.

Points and voxels have opposite orders: **points are (x, y, z)** in mm, as in DICOM, and **voxels
are (z, y, x)**, the index of a published array. Points are DICOM patient coordinates (PS3.3
C.7.6.2.1.1): x grows to the patient's left, y to the back, z to the head (LPS).
"""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lungprep.cohort.patients import SIDECAR
from lungprep.errors import DataError
from lungprep.image.volume import Grid, Triple, triple

Floats = NDArray[np.float64]

# No scanner room is a kilometre wide; with larger numbers, products could overflow.
FARTHEST_MM = 1e6
# Axes are coplanar if their volume is less than this fraction of a box of their lengths.
FLAT = 1e-3


def to_voxel(affine: Grid | ArrayLike, points_mm: ArrayLike) -> Floats:
    """Convert points to voxels.

    Parameters
    ----------
    affine : Grid or array_like, shape (4, 4)
        The sidecar's ``affine``, from voxel (x, y, z, 1) to mm, or the grid itself.
    points_mm : array_like, shape (..., 3)
        Patient coordinates **(x, y, z)** in mm.

    Returns
    -------
    ndarray of float64, shape (..., 3)
        Fractional array indices **(z, y, x)**; whole numbers are voxel centres. A point outside
        the array has an index outside its shape: see `inside`.

    Raises
    ------
    ValueError
        If the affine is invalid or can't be inverted, or points do not have three coordinates.

    Notes
    -----
    This is the inverse of the equation in PS3.3 C.7.6.2.1.1.

    Examples
    --------
    >>> grid = Grid((300, 250, 320), (1.0, 1.0, 1.0), (-160.0, -120.0, -310.0))
    >>> to_voxel(grid, [-128.5, -100.0, -298.0])
    array([12. , 20. , 31.5])
    """
    matrix = _matrix(affine)
    offsets = _triples("points_mm", points_mm) - matrix[:3, 3]
    voxels: Floats = (offsets @ np.linalg.inv(matrix[:3, :3]).T)[..., ::-1]
    return voxels


def to_world(affine: Grid | ArrayLike, voxels_zyx: ArrayLike) -> Floats:
    """Convert voxels to points, the inverse of `to_voxel`.

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
        If the affine is invalid or can't be inverted, or voxels do not have three indices.

    Examples
    --------
    >>> grid = Grid((300, 250, 320), (1.0, 1.0, 1.0), (-160.0, -120.0, -310.0))
    >>> to_world(grid, [12, 20, 31.5])
    array([-128.5, -100. , -298. ])
    """
    matrix = _matrix(affine)
    points: Floats = _triples("voxels_zyx", voxels_zyx)[..., ::-1] @ matrix[:3, :3].T
    return points + matrix[:3, 3]


def inside(shape: tuple[int, int, int], voxels_zyx: ArrayLike) -> NDArray[np.bool_]:
    """Whether each fractional index rounds to a voxel of the array.

    Parameters
    ----------
    shape : tuple of int
        Shape of the array, (z, y, x).
    voxels_zyx : array_like, shape (..., 3)
        Fractional indices **(z, y, x)**.

    Returns
    -------
    ndarray of bool, shape (...)
        True from half a voxel before the first centre (included) to half a voxel after the last
        centre (excluded); `numpy.rint` of such an index is an index of the array. False for NaN.

    Raises
    ------
    ValueError
        If voxels do not have three indices.
    """
    voxels = _triples("voxels_zyx", voxels_zyx)
    return np.asarray(((voxels >= -0.5) & (voxels < np.array(shape) - 0.5)).all(axis=-1))


@dataclass(frozen=True, eq=False)
class Placement:
    """Position of a patient's published array.

    Attributes
    ----------
    patient : str
        Id of the patient.
    series_uid : str
        SeriesInstanceUID of the scan that the array was made from; empty if it has none.
    shape : tuple of int
        Shape of the array, (z, y, x).
    affine : ndarray of float64, shape (4, 4)
        Matrix from voxel (x, y, z, 1) to patient coordinates, mm.
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
        """Read the placement from a patient's sidecar.

        Raises
        ------
        DataError
            If this is not the sidecar of this patient, or a required value is absent or invalid.
        """
        try:
            fields = json.loads(sidecar)
            owner, series_uid = fields["patient"], fields["series_instance_uid"]
            z, y, x = fields["shape"]
            affine = _matrix(np.array(fields["affine"], dtype=np.float64))
            if owner != patient:
                raise ValueError(f"it names patient {owner!r}")
            # The UID is null if the slices have none.
            series_uid = "" if series_uid is None else series_uid
            if not isinstance(series_uid, str):
                raise TypeError(f"series_instance_uid is {series_uid!r}")
            if not all(type(size) is int and size > 0 for size in (z, y, x)):
                raise ValueError(f"shape is {fields['shape']!r}")
        except KeyError as error:
            raise _not_usable(patient, f"it has no {error}") from error
        # A file from a store may hold any JSON, even nested too deeply or with huge numbers.
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _not_usable(patient, str(error)) from error
        return cls(patient, series_uid, (z, y, x), affine)


def _matrix(affine: Grid | ArrayLike) -> Floats:
    """Return the affine as an array, and check that it maps a volume onto a volume."""
    matrix = np.asarray(affine.affine if isinstance(affine, Grid) else affine, dtype=np.float64)
    if matrix.shape != (4, 4) or (matrix[3] != (0, 0, 0, 1)).any():
        raise ValueError("the affine is not 4x4 with a last row of 0 0 0 1")
    # The negated comparison also refuses NaN.
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
        f"{SIDECAR.format(patient=patient)} can't be used as a sidecar ({why})",
        "publish the patient again",
    )
