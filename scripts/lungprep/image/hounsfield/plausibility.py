"""Whether the values of a chest scan look like Hounsfield units.

Headers can be wrong: a lost intercept shifts all tissue by 1024 HU, and a negative film inverts it.
A chest contains air of about -1000 HU, at least in the lungs, and most of the denser voxels are
soft tissue, within a few hundred HU of water. The bounds lie between two sets of measurements: two
real scans and two phantoms (at least 30 % air; at least 80 % of the rest is soft tissue), and the
same scans shifted, scaled and inverted (at most 1 % air, or at most 25 % soft tissue). The check
does not notice a real scan with all HU doubled, from -1000 to -2000.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lungprep.image.hounsfield.scale import HU_MAX, HU_MIN

#: Samples along each axis, at most twice as many: enough to measure fractions, at little cost.
SAMPLES = 32
#: Air and aerated lung are below, tissue is above.
AIR_BELOW_HU = -600
LEAST_AIR = 0.02
#: Fat, muscle, blood and most contrast medium.
SOFT_TISSUE_HU = 200
LEAST_SOFT_TISSUE = 0.4
LEAST_DENSE = 0.02
#: Muscle and blood are above; the air of an inverted scan is at most 1024 - 1000 HU.
MUSCLE_ABOVE_HU = 30
LEAST_MUSCLE = 0.1
#: The median step between neighbouring slices is at most 16 HU in the real scans that were tried.
LARGEST_STEP_HU = 300
#: Each end of the histogram is this fraction of the range between these percentiles.
END = 0.15
PERCENTILES = (0.3, 99.7)


def doubts(hu: NDArray[np.int16]) -> list[str]:
    """Check the histogram of a chest scan.

    Parameters
    ----------
    hu : ndarray of int16
        Shape (z, y, x), HU clipped as `scale.to_hu` does, padding included.

    Returns
    -------
    list of str
        Empty, or one flag: ``inverted_hu`` if dark and bright are exchanged; ``implausible_hu`` if
        air near -1000 HU or soft tissue near 0 HU is missing, because slope or intercept is wrong.
    """
    steps = tuple(slice(None, None, max(1, length // SAMPLES // 2)) for length in hu.shape)
    samples = hu[steps]
    # Padding has the lowest value, together with the noisiest air; all other values were measured.
    measured = samples[samples > HU_MIN]
    if not measured.size:
        return ["implausible_hu"]
    if _is_plausible(measured):
        return []
    return ["inverted_hu"] if _is_inverted(measured) else ["implausible_hu"]


def _is_plausible(measured: NDArray[np.int16]) -> bool:
    """Whether the scan has air and mostly soft tissue besides, some of it denser than water."""
    dense = measured[measured > AIR_BELOW_HU]
    air = 1 - dense.size / measured.size
    if not LEAST_AIR <= air <= 1 - LEAST_DENSE:
        return False
    soft = np.count_nonzero(np.abs(dense) < SOFT_TISSUE_HU) / dense.size
    muscle = np.count_nonzero(dense > MUSCLE_ABOVE_HU) / dense.size
    return bool(soft >= LEAST_SOFT_TISSUE and muscle >= LEAST_MUSCLE)


def disagree(acquired: NDArray[np.int16], changes: Iterable[int]) -> bool:
    """Whether the scale of the HU really changes between slices with different rescale tags.

    Most voxels of a slice differ little from their neighbours in the next slice. Under a wrong
    intercept or sign, all of them differ much.

    Parameters
    ----------
    acquired : ndarray of int16
        HU, slices along axis 0.
    changes : iterable of int
        Slices whose rescale differs from that of the slice before.
    """
    rows, columns = (max(1, length // SAMPLES) for length in acquired.shape[1:])
    for k in changes:
        before, after = acquired[k - 1 : k + 1, ::rows, ::columns]
        measured = (before > HU_MIN) & (after > HU_MIN)
        steps = after[measured].astype(np.int32) - before[measured]
        if steps.size and abs(np.median(steps)) > LARGEST_STEP_HU:
            return True
    return False


def _is_inverted(measured: NDArray[np.int16]) -> bool:
    """Whether the histogram is heavier at its upper end.

    A sound histogram has much air at its lower end and little bone, over a wide range, at its upper
    end. This holds under any slope and intercept; a negative slope exchanges the ends.
    """
    # Values clipped at the maximum, by metal or a far too large slope, say nothing.
    values = measured[measured < HU_MAX]
    if not values.size:
        return False
    low, high = np.percentile(values, PERCENTILES)
    width = END * (high - low)
    at_bottom = np.count_nonzero(values < low + width)
    at_top = np.count_nonzero(values > high - width)
    # Noise alone is symmetric.
    return bool(at_top > 1.5 * at_bottom)
