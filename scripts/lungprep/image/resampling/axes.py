"""The samples of a scan along one of its axes."""

from dataclasses import dataclass

import numpy as np

from lungprep.image.resampling.kernels import Floats, Interpolation


@dataclass(frozen=True)
class Axis:
    """Samples along one axis of a scan, and the kernel that interpolates them.

    Attributes
    ----------
    places : ndarray of float64, shape (n,)
        Positions of the samples, increasing from 0, in units of the usual distance between them.
    even : bool
        Whether ``places`` is 0, 1, 2 ...
    interpolation : {"linear", "cubic", "nearest"}
        The kernel; never cubic on an uneven axis.
    stretch : float
        Factor by which the kernel is widened, at least 1.
    """

    places: Floats
    even: bool
    interpolation: Interpolation
    stretch: float

    @property
    def size(self) -> int:
        """Number of samples."""
        return len(self.places)

    @property
    def limits(self) -> tuple[float, float]:
        """Ends of the scanned range: half a usual distance beyond the outermost samples."""
        return -0.5, float(self.places[-1]) + 0.5


def read_axis(places: Floats, step: float, interpolation: Interpolation, antialias: bool) -> Axis:
    """Describe an axis that is interpolated at points a given step apart.

    Parameters
    ----------
    places : ndarray of float64, shape (n,)
        Positions of the samples, in units of the usual distance between them.
    step : float
        Distance between neighbouring points, in the same unit.
    interpolation : {"linear", "cubic", "nearest"}
        The kernel. Cubic becomes linear along an uneven axis: the spline needs even samples.
    antialias : bool
        Whether the kernel is widened if the step is longer than 1.

    Returns
    -------
    Axis
        The axis, with ``stretch`` equal to the step if the kernel is widened, otherwise 1.
    """
    even = bool(np.allclose(places, np.arange(len(places)), rtol=0, atol=1e-4))
    stretch = step if antialias and step > 1 + 1e-6 else 1.0
    if interpolation == "cubic" and not even:
        interpolation = "linear"
    return Axis(places, even, interpolation, stretch)
