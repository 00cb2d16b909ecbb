"""A chest of two lungs of different size and density, with exact truth."""

import numpy as np

from lungprep.image.volume import Grid, Volume

RIGHT_HU, LEFT_HU, TISSUE_HU, AIR_HU = -870, -680, 40, -1000


def two_lungs(shape=(64, 96, 120), spacing_mm=(4.0, 3.0, 3.0)):
    """Canonical axes; the right lung is larger, higher and further back: no flip looks alike."""
    z, y, x = (
        ((np.arange(n) + 0.5) / n).reshape([-1 if a == axis else 1 for a in range(3)])
        for axis, n in enumerate(shape)
    )
    right = ((z - 0.55) / 0.36) ** 2 + ((y - 0.55) / 0.28) ** 2 + ((x - 0.3) / 0.16) ** 2 <= 1
    left = ((z - 0.45) / 0.3) ** 2 + ((y - 0.48) / 0.22) ** 2 + ((x - 0.7) / 0.13) ** 2 <= 1
    body = np.broadcast_to(((y - 0.5) / 0.42) ** 2 + ((x - 0.5) / 0.45) ** 2 <= 1, shape)
    hu = np.full(shape, AIR_HU, np.int16)
    hu[body], hu[right], hu[left] = TISSUE_HU, RIGHT_HU, LEFT_HU
    truth = right.astype(np.uint8) + 2 * left.astype(np.uint8)
    return Volume(hu, Grid(shape, spacing_mm, (-110.0, -90.0, -60.0))), truth


def overlap(a, b):
    """Dice of two masks."""
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


def dice(found, truth):
    """Dice of the right and of the left lung."""
    return [overlap(found == side, truth == side) for side in (1, 2)]


def by_hu(hu, right, left):
    """What a model says that knows lungs by their density: the class of each voxel."""
    classes = np.zeros(hu.shape, np.uint8)
    classes[(hu > -800) & (hu < -500)] = left
    classes[(hu > -960) & (hu <= -800)] = right
    return classes
