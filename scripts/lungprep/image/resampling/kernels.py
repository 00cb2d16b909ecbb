"""Interpolation kernels, in units of the distance between samples.

A kernel h(x) is the weight of a sample at distance x in the interpolated value.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Interpolation = Literal["linear", "cubic", "nearest"]
Floats = NDArray[np.float64]

# Pole of the filter that turns samples into cubic B-spline coefficients.
POLE = 3**0.5 - 2
# The rest of the cardinal spline, beyond 13 samples, sums to 5e-8. For samples of up to 4095 HU
# this is less than 0.00024 HU, the step of float32 at 4000 HU.
CARDINAL_HALF_WIDTH = 13


def triangle(x: Floats) -> Floats:
    """Kernel of linear interpolation: ``h(x) = max(0, 1 - |x|)``.

    Parameters
    ----------
    x : ndarray of float64
        Distances, any shape.
    """
    kernel: Floats = np.maximum(0, 1 - np.abs(x))
    return kernel


def cubic_bspline(x: Floats) -> Floats:
    """The cubic B-spline, which weights coefficients instead of samples.

    ``beta3(x) = 2/3 - x^2 + |x|^3 / 2`` for |x| < 1, ``(2 - |x|)^3 / 6`` up to 2, otherwise 0
    (Unser, Splines: a perfect fit for signal and image processing, IEEE Signal Processing Magazine
    16(6), 1999, equation 3).

    Parameters
    ----------
    x : ndarray of float64
        Distances, any shape.
    """
    x = np.abs(x)
    rim = np.maximum(0, 2 - x)
    peak = np.maximum(0, 1 - x)
    # One expression for both pieces: (2 - x)^3 / 6 - 4 (1 - x)^3 / 6 is the inner cubic.
    kernel: Floats = (rim * rim * rim - 4 * peak * peak * peak) / 6
    return kernel


def spline_filter(k: NDArray[np.int64]) -> Floats:
    """Impulse response that turns samples into cubic B-spline coefficients.

    ``p_k = -6 z / (1 - z^2) * z^|k|`` with ``z = sqrt(3) - 2`` (Unser, Aldroubi and Eden, B-spline
    signal processing, IEEE Transactions on Signal Processing 41(2), 1993).

    Parameters
    ----------
    k : ndarray of int
        Distances in whole samples, any shape.
    """
    response: Floats = -6 * POLE / (1 - POLE**2) * POLE ** np.abs(k)
    return response


def cardinal_spline(x: Floats) -> Floats:
    """Kernel of cubic B-spline interpolation, applied to the samples themselves.

    ``eta3(x) = sum over k of p_k beta3(x - k)`` (Unser 1999, equation 10): 1 at 0, 0 at all other
    integers. `scipy.ndimage` with order 3 and SimpleITK's sitkBSpline compute the same with a
    recursive filter. The kernel decreases by a factor of 3.7 per sample, and is taken as 0 from
    `CARDINAL_HALF_WIDTH` on.

    Parameters
    ----------
    x : ndarray of float64
        Distances, any shape.
    """
    base = np.floor(x).astype(np.int64)
    taps = base + np.arange(-1, 3).reshape(4, *[1] * x.ndim)
    kernel: Floats = (spline_filter(taps) * cubic_bspline(x - taps)).sum(axis=0)
    kernel[np.abs(x) >= CARDINAL_HALF_WIDTH] = 0
    return kernel


def normalised(weights: Floats) -> Floats:
    """Scale the weights of each point, along axis 0, to a sum of one, so that constants persist."""
    scaled: Floats = weights / weights.sum(axis=0)
    return scaled


def balanced(weights: Floats, offsets: Floats) -> Floats:
    """Tilt the weights of each point until their first moment is zero, so that ramps persist.

    The samples under a widened kernel are not symmetric around the point. Their centre of mass is
    therefore off the point by up to 0.05 samples, alternating from voxel to voxel. Pillow and
    PyTorch do not correct this.

    Parameters
    ----------
    weights : ndarray of float64
        Weights, samples along axis 0, then the points; with a sum of one along axis 0.
    offsets : ndarray of float64
        Place of each sample minus that of the point, same shape.
    """
    share = np.abs(weights)
    lever = offsets - (share * offsets).sum(axis=0) / share.sum(axis=0)
    share *= lever
    spread = (share * lever).sum(axis=0)
    # A single sample has spread 0 and can't be tilted.
    share *= (weights * offsets).sum(axis=0) / np.where(spread > 0, spread, 1)
    return weights - share
