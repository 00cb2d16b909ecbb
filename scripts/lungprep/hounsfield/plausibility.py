"""Whether the values of a chest scan look like Hounsfield units.

Headers lie: an intercept that is lost shifts all tissue by 1024 HU, and a negative film inverts it.
In a chest there is air of about -1000 HU, in the lungs if nowhere else, and most of what is denser
is soft tissue, within a few hundred HU of water. The bounds lie between what was found on two real
scans and two phantoms (air from 30 %, soft tissue from 80 % of all that is denser) and on the same
scans shifted, scaled and inverted (air at most 1 %, or soft tissue at most 25 %). A real scan whose
HU are all doubled, -1000 becoming -2000, passes.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from lungprep.hounsfield.scale import HU_MAX, HU_MIN

#: Samples along each axis, at most twice as many: enough for shares, and no cost.
SAMPLES = 32
#: Air and aerated lung lie below, all tissue above.
AIR_BELOW_HU = -600
LEAST_AIR = 0.02
#: Fat, muscle, blood and most contrast medium.
SOFT_TISSUE_HU = 200
LEAST_SOFT_TISSUE = 0.4
LEAST_DENSE = 0.02
#: Muscle and blood; what is left of air in an inverted scan is at most 1024 - 1000 HU.
MUSCLE_ABOVE_HU = 30
LEAST_MUSCLE = 0.1
#: The median between neighbouring slices is at most 16 HU in the real scans at hand.
LARGEST_STEP_HU = 300
#: Ends of the histogram: this share of the range between these percentiles.
END = 0.15
PERCENTILES = (0.3, 99.7)


def doubts(hu: NDArray[np.int16]) -> list[str]:
    """Look at the histogram of a chest scan.

    Parameters
    ----------
    hu : ndarray of int16
        Shape (z, y, x), HU clipped as `lungprep.hounsfield.scale.to_hu` does, padding included.

    Returns
    -------
    list of str
        Empty, or one of: ``inverted_hu``, what should be dark is bright; ``implausible_hu``, there
        is no air near -1000 HU or no soft tissue near 0, by a wrong slope or intercept.
    """
    steps = tuple(slice(None, None, max(1, length // SAMPLES // 2)) for length in hu.shape)
    samples = hu[steps]
    # Padding lies at the lowest value, together with the noisiest air; the rest was measured.
    measured = samples[samples > HU_MIN]
    if not measured.size:
        return ["implausible_hu"]
    if _is_plausible(measured):
        return []
    return ["inverted_hu"] if _is_inverted(measured) else ["implausible_hu"]


def _is_plausible(measured: NDArray[np.int16]) -> bool:
    """Whether there is air, and mostly soft tissue besides, of which some is denser than water."""
    dense = measured[measured > AIR_BELOW_HU]
    air = 1 - dense.size / measured.size
    if not LEAST_AIR <= air <= 1 - LEAST_DENSE:
        return False
    soft = np.count_nonzero(np.abs(dense) < SOFT_TISSUE_HU) / dense.size
    muscle = np.count_nonzero(dense > MUSCLE_ABOVE_HU) / dense.size
    return bool(soft >= LEAST_SOFT_TISSUE and muscle >= LEAST_MUSCLE)


def disagree(acquired: NDArray[np.int16], changes: Iterable[int]) -> bool:
    """Whether slices with another rescale than the one before are on another scale in truth.

    Most voxels of a slice differ little from the ones beside them in the next; under a wrong
    intercept or sign all do.

    Parameters
    ----------
    acquired : ndarray of int16
        HU, slices first.
    changes : iterable of int
        Slices whose header scales differently from the one before.
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
    """Whether the histogram is heavy at the upper end.

    Below there is an end of air; above, little bone trails off over a wide range. That holds under
    any slope and intercept, and the other way round under a negative slope.
    """
    # What is clipped at the highest value has lost its place: metal, or a slope far too large.
    values = measured[measured < HU_MAX]
    if not values.size:
        return False
    low, high = np.percentile(values, PERCENTILES)
    width = END * (high - low)
    at_bottom = np.count_nonzero(values < low + width)
    at_top = np.count_nonzero(values > high - width)
    # Noise alone is symmetric.
    return bool(at_top > 1.5 * at_bottom)
