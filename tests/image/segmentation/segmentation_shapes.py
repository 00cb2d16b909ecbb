"""Simple shapes on blocks."""

import numpy as np

from lungprep.image.segmentation.blocks import Blocks

ISOTROPIC = (2.0, 2.0, 2.0)
# Lungs of ellipsoids end higher at the back than in the middle, as above an effusion.
ROUND = "dense_disease"


def blocks_of(hu, spacing=ISOTROPIC):
    """Blocks that are the voxels of HU (z, y, x)."""
    hu = np.asarray(hu, np.int16)
    return Blocks(hu, (1, 1, 1), spacing, hu.shape)


def ellipsoid(shape, centre, radii, spacing=ISOTROPIC):
    """Mask of an ellipsoid, or ball, in mm (z, y, x) from the corner of the array."""
    steps = zip(shape, spacing, strict=True)
    mm = np.meshgrid(*[(np.arange(n) + 0.5) * s for n, s in steps], indexing="ij", sparse=True)
    parts = zip(mm, centre, np.broadcast_to(radii, 3), strict=True)
    return sum(((p - c) / r) ** 2 for p, c, r in parts) <= 1


def share(part, whole):
    """How much of one mask lies in another."""
    return np.count_nonzero(part & whole) / np.count_nonzero(whole)
