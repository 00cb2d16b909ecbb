"""Labels of a coarse grid on a finer one."""

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from lungprep.image.segmentation.networks.regridding import labels_onto
from lungprep.image.volume import Grid

FINE = Grid((20, 24, 30), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))


def coarse_grid(spacing, origin):
    return Grid((14, 16, 20), (spacing,) * 3, (origin,) * 3)


def slow(labels, coarse, grid):
    """Each lung by scipy's linear interpolation, one half as the limit, the larger part wins."""
    places = np.indices(grid.shape).reshape(3, -1).T
    xyz = places[:, ::-1] * grid.spacing_mm[::-1] + grid.origin_mm
    index = (xyz - coarse.origin_mm)[:, ::-1] / coarse.spacing_mm
    right, left = (
        map_coordinates((labels == side) * 1000.0, index.T, order=1, mode="nearest").round()
        for side in (1, 2)
    )
    return np.where(right + left >= 500, np.where(left > right, 2, 1), 0).reshape(grid.shape)


@pytest.mark.parametrize(("spacing", "origin"), [(1.5, 0.25), (1.5, 0.0), (2.0, -0.5), (1.0, 0.0)])
def test_agrees_with_scipy(spacing, origin):
    coarse = coarse_grid(spacing, origin)
    labels = np.random.default_rng(3).integers(0, 3, coarse.shape).astype(np.uint8)
    found = labels_onto(labels, coarse, FINE)
    assert found.dtype == np.uint8
    # Sums that lie on the limit may round to either side of it.
    assert np.count_nonzero(found != slow(labels, coarse, FINE)) < 0.002 * found.size


def test_the_same_grid_gives_the_same_labels():
    labels = np.random.default_rng(4).integers(0, 3, FINE.shape).astype(np.uint8)
    assert np.array_equal(labels_onto(labels, FINE, FINE), labels)


def test_where_the_lungs_touch_nothing_is_lost_between_them():
    coarse = coarse_grid(1.5, 0.25)
    labels = np.ones(coarse.shape, np.uint8)
    labels[:, :, 10:] = 2
    found = labels_onto(labels, coarse, FINE)
    assert np.all(found[:, :, :15] == 1)
    assert np.all(found[:, :, 15:] == 2)
