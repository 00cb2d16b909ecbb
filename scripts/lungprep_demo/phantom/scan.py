"""Geometry and encoding of a phantom's CT series."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from lungprep.image.volume import Grid, Matrix, Triple
from lungprep_demo.phantom.chest import Phantom

#: Image orientation (PS3.3 C.7.6.2.1.1: along a row, then down a column) by patient position (PS3.3
#: C.7.3.1.1.2), for images that show the room from the foot of the table, gravity downwards; and
#: two reformatted orientations.
ORIENTATIONS = MappingProxyType(
    {
        "HFS": (1, 0, 0, 0, 1, 0),
        "HFP": (-1, 0, 0, 0, -1, 0),
        "HFDR": (0, 1, 0, -1, 0, 0),
        "HFDL": (0, -1, 0, 1, 0, 0),
        "FFS": (-1, 0, 0, 0, 1, 0),
        "FFP": (1, 0, 0, 0, -1, 0),
        "FFDR": (0, -1, 0, -1, 0, 0),
        "FFDL": (0, 1, 0, 1, 0, 0),
        "sagittal": (0, 1, 0, 0, 0, -1),
        "coronal": (1, 0, 0, 0, 0, -1),
    }
)


def _no_offset(index: int) -> Triple:
    return (0.0, 0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class Scan:
    """Geometry and encoding of a series. Callables receive the slice's index along the normal.

    Attributes
    ----------
    gap_mm : float
        Distance between slice centres, mm.
    count : int, optional
        Number of slices; by default enough to cover the phantom.
    shape : tuple of int
        Rows and columns.
    spacing_mm : tuple of float
        Distance between the centres of rows, and of columns, mm.
    orientation : str or tuple of float
        Key of `ORIENTATIONS`, or the six direction cosines of ImageOrientationPatient.
    patient_position : str, optional
        PatientPosition; by default the orientation's name, or HFS if that is not a position.
    instance_order : {'along', 'against', 'shuffled'}
        Direction of InstanceNumber and file names in relation to the slice normal.
    offset_mm : callable
        Shift (x, y, z) of a slice from its regular position, mm, applied to the header and to the
        tissue: for uneven gaps or a tilted stack.
    signed : bool or callable
        Whether stored values are signed (PixelRepresentation).
    bits_stored : int
        Up to 16, of 16 allocated; stored values are clipped to this range.
    slope, intercept : float or callable
        RescaleSlope and RescaleIntercept.
    padding : int, callable or None
        Stored value outside the circle that fits the field; PixelPaddingValue. None: no circle.
    noise_hu : float
        Standard deviation of the noise; with 0, Hounsfield units are exact.
    transfer_syntax : str
        UID; uncompressed, deflated, or a lossless syntax that pydicom can compress to.
    seed : int
        Seed of UIDs, noise and shuffling.
    edit : callable, optional
        Called with each complete dataset and its index before it is written, to corrupt headers.
    """

    gap_mm: float = 2.5
    count: int | None = None
    shape: tuple[int, int] = (256, 256)
    spacing_mm: tuple[float, float] = (1.40625, 1.40625)
    orientation: str | tuple[float, ...] = "HFS"
    patient_position: str | None = None
    instance_order: str = "along"
    offset_mm: Callable[[int], Triple] = _no_offset
    signed: bool | Callable[[int], bool] = True
    bits_stored: int = 16
    slope: float | Callable[[int], float] = 1.0
    intercept: float | Callable[[int], float] = -1024.0
    padding: int | Callable[[int], int] | None = None
    noise_hu: float = 0.0
    transfer_syntax: str = ExplicitVRLittleEndian
    seed: int = 0
    edit: Callable[[Dataset, int], None] | None = None

    @property
    def cosines(self) -> NDArray[np.float64]:
        """Direction cosines along a row and down a column, 2×3."""
        values = (
            ORIENTATIONS[self.orientation]
            if isinstance(self.orientation, str)
            else self.orientation
        )
        return np.array(values, dtype=float).reshape(2, 3)

    @property
    def position_name(self) -> str:
        """Value of PatientPosition."""
        if self.patient_position is not None:
            return self.patient_position
        named = isinstance(self.orientation, str) and self.orientation.isupper()
        return str(self.orientation) if named else "HFS"

    def grid(self, phantom: Phantom) -> Grid:
        """Grid of the voxels: index z along the slice normal, y down columns, x along rows.

        The field is centred on the phantom. `offset_mm` is not applied.
        """
        along_row, down_column = self.cosines
        normal = np.cross(along_row, down_column)
        count = self.count or ceil(2 * float(abs(normal) @ phantom.half_mm) / self.gap_mm)
        shape = (count, *self.shape)
        spacing = (self.gap_mm, *self.spacing_mm)
        directions = np.stack([along_row, down_column, normal], axis=1)
        middle = [(n - 1) / 2 * step for n, step in zip(shape, spacing, strict=True)]
        x, y, z = (float(v) for v in phantom.centre_mm - directions @ middle[::-1])
        return Grid(shape, spacing, (x, y, z), _matrix(directions))

    def instance_numbers(self, count: int) -> list[int]:
        """InstanceNumber of each slice along the normal."""
        numbers = list(range(1, count + 1))
        if self.instance_order == "against":
            numbers.reverse()
        elif self.instance_order == "shuffled":
            np.random.default_rng(self.seed).shuffle(numbers)
        return numbers

    def field(self) -> NDArray[np.bool_]:
        """Whether a pixel (row, column) lies in the circle that fits the field."""
        rows, columns = (
            ((np.arange(n) - (n - 1) / 2) * step) ** 2
            for n, step in zip(self.shape, self.spacing_mm, strict=True)
        )
        radius = min(n * step for n, step in zip(self.shape, self.spacing_mm, strict=True)) / 2
        inside: NDArray[np.bool_] = rows[:, None] + columns <= radius**2
        return inside


def _matrix(values: NDArray[np.float64]) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = ((float(v) for v in row) for row in values)
    return (a, b, c), (d, e, f), (g, h, i)
