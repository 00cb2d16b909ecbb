import numpy as np
import pytest
from segmentation_shapes import blocks_of, ellipsoid, share

from lungprep.image.segmentation.gas import free_gas, gas_limit_hu

SHAPE = (110, 90, 80)  # blocks of 2 mm
LUNG, AIR, TISSUE = -860.0, -1000.0, 40.0
MIDDLE = (120.0, 90.0, 80.0)
CAVITY = ellipsoid(SHAPE, MIDDLE, (90, 70, 60))
LIMIT = -982.0


def scan(hu, noise=0, seed=3):
    """Means of 8 voxels, each with its own noise, clipped as a scan's; and the air among them."""
    random = np.random.default_rng(seed)
    draws = 8 if noise else 1
    voxels = (
        np.clip(hu + noise * random.standard_normal(SHAPE, np.float32), -1024, 3071)
        for _ in range(draws)
    )
    blocks = blocks_of(np.rint(sum(voxels) / draws))
    return blocks, blocks.hu < -400


def found(hu, noise):
    """Free gas with the limit of a trachea under the same noise, and the air."""
    limit = gas_limit_hu(scan(np.full(SHAPE, AIR), noise, 4)[0], ellipsoid(SHAPE, MIDDLE, 10))
    blocks, air = scan(hu, noise)
    return free_gas(blocks, air, limit), air


def chest():
    return np.where(CAVITY, LUNG, TISSUE)


def stomach(hu, wall_hu=-600.0):
    """A bubble below the lung's base, under a diaphragm of less than a block."""
    dome = ellipsoid(SHAPE, (20, 90, 80), (45, 60, 50))
    bubble = ellipsoid(SHAPE, (20, 90, 80), (42, 57, 47))
    hu[dome] = wall_hu
    hu[bubble] = AIR
    return bubble


@pytest.mark.parametrize("noise", [0, 20, 80])
def test_nothing_in_a_plain_lung(noise):
    assert not found(chest(), noise)[0].where.any()


@pytest.mark.parametrize("noise", [0, 80])
@pytest.mark.parametrize("wall_hu", [40.0, -480.0, -600.0])
def test_a_stomach_under_a_thin_diaphragm_is_told_from_lung(wall_hu, noise):
    """A diaphragm of 1 mm between air and lung is -480 HU in a block of 2 mm."""
    hu = chest()
    bubble = stomach(hu, wall_hu)
    gas, air = found(hu, noise)
    assert share(gas.where, bubble & air) > 0.95
    # The blurred rim may go either way.
    assert share(gas.where, CAVITY & air & ~ellipsoid(SHAPE, (20, 90, 80), (51, 66, 56))) < 0.002
    assert gas.pleural_ml == 0
    assert (gas.base_ml > 100) == (wall_hu < -400)


@pytest.mark.parametrize("noise", [0, 80])
def test_bullae_in_a_lung_are_lung(noise):
    hu = chest()
    for centre in ((150, 80, 60), (90, 90, 100), (130, 120, 80)):
        hu[ellipsoid(SHAPE, centre, 22)] = AIR
    assert not found(hu, noise)[0].where.any()


def test_emphysema_is_lung():
    hu = chest()
    random = np.random.default_rng(5)
    hu[CAVITY & (random.random(SHAPE) < 0.6)] = AIR
    hu[ellipsoid(SHAPE, (170, 90, 80), (30, 40, 35))] = -960.0
    assert not found(hu, 0)[0].where.any()


@pytest.mark.parametrize("noise", [0, 80])
def test_gas_along_the_wall_is_free_and_measured(noise):
    """A lung that has sunk back by 30 mm; the pleura is a line of -500 HU."""
    hu = chest()
    sunk = ellipsoid(SHAPE, (120, 120, 80), (90, 70, 60))
    rim = CAVITY & ~ellipsoid(SHAPE, (120, 118, 80), (90, 70, 60))
    hu[CAVITY & ~sunk] = -500.0
    hu[rim] = AIR
    gas, _ = found(hu, noise)
    true_ml = np.count_nonzero(rim) * 0.008
    assert share(gas.where, rim) > 0.85
    assert share(gas.where, CAVITY & sunk) < 0.02
    assert 0.4 * true_ml < gas.pleural_ml < true_ml
    assert gas.base_ml == 0


def test_no_air_and_specks_of_gas_are_nothing():
    hu = chest()
    hu[ellipsoid(SHAPE, (20, 90, 80), 8)] = AIR
    blocks, air = scan(hu)
    for where in (air, air & False):
        gas = free_gas(blocks, where, LIMIT)
        assert not gas.where.any()
        assert (gas.pleural_ml, gas.base_ml) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("lumen_hu", "expected"),
    [(-1000, -982), (-990, -972), (-1020, -992), (-930, -942)],
)
def test_the_limit_is_the_tracheas_own_air_within_reason(lumen_hu, expected):
    hu = np.full((30, 30, 30), 40)
    trachea = ellipsoid(hu.shape, (30, 30, 30), (100, 9, 9))
    hu[trachea] = lumen_hu
    # The blurred rim does not count.
    hu[trachea & ~ellipsoid(hu.shape, (30, 30, 30), (100, 7, 7))] = -500
    assert gas_limit_hu(blocks_of(hu), trachea) == expected


def test_without_a_trachea_the_limit_is_the_usual_one():
    hu = np.full((30, 30, 30), 40)
    assert gas_limit_hu(blocks_of(hu), np.zeros(hu.shape, bool)) == -972.0


def raised_stomach(hu):
    """A bubble of gas with a level under a raised dome; lung beside and behind reaches below it."""
    hu[ellipsoid(SHAPE, (90, 75, 80), (50, 50, 44))] = TISSUE
    gas = ellipsoid(SHAPE, (90, 75, 80), (46, 46, 40))
    gas[:, 45:] = False
    hu[gas] = AIR
    return gas


@pytest.mark.parametrize("noise", [0, 80])
def test_a_bubble_under_a_raised_dome_is_no_lung_though_lung_reaches_below_it(noise):
    hu = chest()
    bubble = raised_stomach(hu)
    heart = ellipsoid(SHAPE, (150, 70, 80), (40, 30, 30))
    hu[heart] = TISSUE
    gas, air = found(hu, noise)
    assert share(gas.where, bubble & air) > 0.99
    assert share(gas.where, CAVITY & air & ~bubble) < 0.002


def test_arms_and_rims_of_bowel_go_with_its_core():
    hu = chest()
    bubble = raised_stomach(hu)
    arm = np.zeros(SHAPE, bool)
    arm[42:46, 30:45, 22:60] = True
    hu[ellipsoid(SHAPE, (88, 75, 80), (16, 60, 70)) & CAVITY] = TISSUE
    hu[bubble | arm] = AIR
    gas, air = found(hu, 0)
    assert share(gas.where, (bubble | arm) & air) > 0.99


def test_a_large_bulla_that_lung_carries_is_lung():
    hu = chest()
    hu[ellipsoid(SHAPE, (140, 90, 80), (50, 50, 40))] = AIR
    assert not found(hu, 0)[0].where.any()


def test_noise_that_the_scales_end_cuts_off_raises_the_limit():
    """Single voxels of 80 HU noise: their median stays, the mean that cores have does not."""
    noisy = AIR + 80 * np.random.default_rng(1).standard_normal((20, 40, 40))
    hu = np.clip(noisy, -1024, 3071)
    lumen = np.ones(hu.shape, bool)
    assert np.median(hu) < -995
    assert gas_limit_hu(blocks_of(hu), lumen) == pytest.approx(hu.mean() + 18, abs=3)
