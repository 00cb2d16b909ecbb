import numpy as np
import pytest
from segmentation_shapes import ellipsoid, share
from test_gas import AIR, CAVITY, LUNG, MIDDLE, SHAPE, TISSUE, chest, scan

from lungprep.image.segmentation.gas import gas_limit_hu
from lungprep.image.segmentation.scattered import scattered_gas

SCATTERED = -965.0
BASE = CAVITY & (np.arange(SHAPE[0]) < 40)[:, np.newaxis, np.newaxis]


def found(hu, noise=0):
    """Gas, its volume and all air, with the limit of a trachea under the same noise."""
    limit = gas_limit_hu(scan(np.full(SHAPE, AIR), noise, 4)[0], ellipsoid(SHAPE, MIDDLE, 10))
    blocks, air = scan(hu, noise)
    return (*scattered_gas(blocks, air, limit), air)


@pytest.mark.parametrize("noise", [0, 80])
def test_gas_that_scatter_makes_as_heavy_as_emphysema_is_told_by_having_nothing_inside(noise):
    hu = chest()
    hu[ellipsoid(SHAPE, (70, 75, 80), (70, 50, 44))] = TISSUE
    hu[ellipsoid(SHAPE, (150, 70, 80), (40, 30, 30))] = TISSUE
    bubble = ellipsoid(SHAPE, (90, 75, 80), (38, 36, 32))
    bubble[:, 45:] = False
    hu[bubble] = SCATTERED
    gas, ml, air = found(hu, noise)
    assert share(gas, bubble & air) > 0.99
    assert share(gas, CAVITY & air & ~bubble) < 0.002
    assert 0.5 * np.count_nonzero(bubble) * 0.008 < ml < np.count_nonzero(bubble) * 0.008


@pytest.mark.parametrize("noise", [0, 80])
@pytest.mark.parametrize("where", [BASE, CAVITY], ids=["of the base", "of both lungs"])
def test_emphysema_has_vessels_inside_and_is_lung(where, noise):
    hu = chest()
    hu[where] = SCATTERED
    vessels = np.zeros(SHAPE, bool)
    vessels[:, ::9, ::9] = True
    hu[where & vessels] = LUNG + 300
    gas, ml, _ = found(hu, noise)
    assert not gas.any()
    assert ml == 0


@pytest.mark.parametrize(
    "centre", [(140, 90, 80), (60, 90, 80)], ids=["with lung below", "at the base"]
)
def test_a_bulla_amid_lung_is_lung(centre):
    hu = chest()
    hu[ellipsoid(SHAPE, centre, (30, 40, 35))] = SCATTERED
    assert not found(hu)[0].any()


def test_no_air_at_all_is_nothing():
    gas, ml, _ = found(np.full(SHAPE, 40.0))
    assert not gas.any()
    assert ml == 0
