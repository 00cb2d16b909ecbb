"""Convert Hounsfield units to stored values, with the scale that converts them back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lungprep.image.output.options import DType, ExportOptions

_UINT8_MAX = 255


@dataclass(frozen=True)
class Scale:
    """A linear map from HU to stored values.

    Attributes
    ----------
    dtype : {"int16", "uint8", "float32"}
        Type of the stored values.
    window_hu : tuple of float, optional
        HU that become 0 and 1 (0 and 255 in uint8); None stores HU.
    zero_centre : float
        Value subtracted after the window is applied.
    """

    dtype: DType = "int16"
    window_hu: tuple[float, float] | None = None
    zero_centre: float = 0.0

    @classmethod
    def of(cls, options: ExportOptions) -> "Scale":
        """Make the scale that the options describe."""
        if options.window_hu == "keep":
            return cls(options.dtype)
        low, high = (float(hu) for hu in options.window_hu)
        return cls(options.dtype, (low, high), options.zero_centre)

    @property
    def slope_hu(self) -> float:
        """HU per unit of stored value."""
        if self.window_hu is None:
            return 1.0
        low, high = self.window_hu
        return (high - low) / (_UINT8_MAX if self.dtype == "uint8" else 1)

    @property
    def intercept_hu(self) -> float:
        """HU of the stored value 0."""
        if self.window_hu is None:
            return 0.0
        return self.window_hu[0] + self.zero_centre * self.slope_hu

    def store(self, hu: NDArray[np.int16]) -> NDArray[Any]:
        """Convert HU to stored values.

        Parameters
        ----------
        hu : ndarray of int16
            HU, any shape.

        Returns
        -------
        ndarray of `dtype`
            A new array in C order; uint8 is rounded down.

        Examples
        --------
        >>> scale = Scale("uint8", window_hu=(-1000.0, 400.0))
        >>> scale.store(np.array([[-1024, -300, 400]], np.int16))
        array([[  0, 127, 255]], dtype=uint8)
        """
        if self.window_hu is None:
            return np.array(hu, dtype=self.dtype, order="C")
        table = self._table(*self.window_hu)
        stored = np.empty(hu.shape, self.dtype)
        # mode="clip" skips numpy's index check and its copy; the table covers all of uint16.
        for part, place in zip(hu, stored, strict=True):
            index = np.ascontiguousarray(part).view(np.uint16)
            np.take(table, index, out=place, mode="clip")
        return stored

    def store_one(self, hu: int) -> int | float:
        """Convert one HU value to a stored value, as a plain number."""
        value: int | float = self.store(np.array([[hu]], np.int16))[0, 0].item()
        return value

    def _table(self, low: float, high: float) -> NDArray[Any]:
        """Tabulate the stored value of every int16, indexed by its bits, computed in float64."""
        hu = np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.float64)
        unit = np.clip((hu - low) / (high - low), 0, 1)
        if self.dtype == "uint8":
            return (unit * _UINT8_MAX).astype(np.uint8)
        return (unit - self.zero_centre).astype(self.dtype)
