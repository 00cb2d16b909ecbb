import numpy as np
import pytest
from segmentation_shapes import ISOTROPIC, blocks_of, ellipsoid, share

from lungprep.image.segmentation.juxtapleural import include_juxtapleural
from lungprep.image.segmentation.refine import solid_sides

SIZE_MM = (220.0, 200.0, 140.0)
WALL_MM = 20.0
ISO, THICK = ISOTROPIC, (5.0, 2.0, 2.0)


def room(spacing=ISO):
    """Shape of an array, and its positions in mm."""
    shape = tuple(round(size / step) for size, step in zip(SIZE_MM, spacing, strict=True))
    return shape, [
        (np.arange(n).reshape([-1 if a == i else 1 for i in range(3)]) + 0.5) * s
        for a, (n, s) in enumerate(zip(shape, spacing, strict=True))
    ]


def flat_lung(spacing=ISO):
    """A box with walls of 20 mm around it, the costal one at the lowest x."""
    shape, mm = room(spacing)
    lung = np.ones(shape, bool)
    for positions, size in zip(mm, SIZE_MM, strict=True):
        lung &= (positions > WALL_MM) & (positions < size - WALL_MM)
    return lung


def round_lung(spacing=ISO):
    shape, _ = room(spacing)
    return ellipsoid(shape, (110, 100, 70), (90, 80, 50), spacing)


def grown(solid, barred, airways, blocks):
    """By the disks alone."""
    return include_juxtapleural(solid, solid, barred, airways, blocks)


def grown_as_in_the_pipeline(solid, barred, airways, blocks):
    notched = solid_sides(solid, barred, blocks, closing_mm=4.0)
    dented = include_juxtapleural(solid, notched, barred, airways, blocks)
    return solid_sides(dented, barred, blocks, closing_mm=8.0)


def paired(lung):
    """Beside its mirror image, 40 mm apart, so that what lies between them is no chest wall."""
    return np.concatenate([lung, lung[:, :, ::-1]], axis=2)


def included(lung, dense, spacing=ISO, hu=40, barred=None, airways=None, through=grown):
    """Take `dense` out of the right one of two lungs; what comes in there and what in the left."""
    nothing = np.zeros(lung.shape, bool)
    right = paired(np.ones(lung.shape, bool))
    right[:, :, lung.shape[2] :] = False
    rest = paired(lung) & ~(paired(dense) & right)
    solid = np.where(right, 1, 2).astype(np.uint8) * rest
    values = np.where(rest, -860, 40)
    values[paired(dense) & right] = hu
    barred = paired(nothing if barred is None else barred) & right
    airways = paired(nothing if airways is None else airways) & right
    found = through(solid, barred, airways, blocks_of(values, spacing))
    assert np.array_equal(found[rest], solid[rest])
    assert not found[barred & ~rest].any()
    half = lung.shape[2]
    assert not (found[:, :, :half] == 2).any()
    return (found[:, :, :half] > 0) & ~rest[:, :, :half]


@pytest.mark.parametrize("spacing", [ISO, THICK])
@pytest.mark.parametrize("diameter", [20, 30, 40, 60])
def test_half_balls_on_a_flat_chest_wall_come_in(diameter, spacing):
    lung = flat_lung(spacing)
    ball = ellipsoid(lung.shape, (110, 100, WALL_MM), diameter / 2, spacing)
    added = included(lung, ball & lung, spacing)
    assert share(added, ball & lung) >= 0.5
    assert not added[~ellipsoid(lung.shape, (110, 100, WALL_MM), diameter / 2 + 8, spacing)].any()


@pytest.mark.parametrize(
    ("diameter", "least"), [(6, 0.5), (8, 0.5), (10, 0.5), (12, 0.25), (14, 0.35), (16, 0.5)]
)
def test_small_half_balls_come_in_by_ball_and_disks_together(diameter, least):
    """Those of 12 and 14 mm on a flat wall only in part; on a wall that curves it is most."""
    lung = flat_lung()
    ball = ellipsoid(lung.shape, (110, 100, WALL_MM), diameter / 2) & lung
    added = included(lung, ball, through=grown_as_in_the_pipeline)
    assert share(added, ball) >= least


@pytest.mark.parametrize("diameter", [20, 30, 40, 60])
def test_balls_on_the_surface_of_a_round_lung_come_in(diameter):
    lung = round_lung()
    ball = ellipsoid(lung.shape, (120, 100, 20 + 0.15 * diameter), diameter / 2)
    added = included(lung, ball)
    assert share(added, ball & lung) >= 0.5


@pytest.mark.parametrize("spacing", [ISO, (1.4, 1.4, 1.4), THICK])
def test_nothing_is_added_to_a_smooth_lung(spacing):
    lung = round_lung(spacing)
    assert np.count_nonzero(included(lung, lung & False, spacing)) < 0.001 * np.count_nonzero(lung)


@pytest.mark.parametrize("hu", [200, 300, 1000])
def test_bone_and_vessels_with_contrast_stay_out(hu):
    lung = flat_lung()
    added, inner = (ellipsoid(lung.shape, (110, 100, WALL_MM), r) & lung for r in (10, 6))
    # Blocks beside the lung are averaged with it.
    assert not included(lung, added, hu=hu)[inner].any()


@pytest.mark.parametrize("radius", [8.0, 12.0, 16.0])
def test_a_vessel_beside_the_lung_stays_out(radius):
    """An aorta that runs down along the inner side, deep in the chest."""
    lung = flat_lung()
    _, (_, y, x) = room()
    aorta = np.broadcast_to((y - 100) ** 2 + (x - 120) ** 2 <= radius**2, lung.shape)
    assert share(included(lung, aorta & lung), aorta & lung) < 0.02


def test_a_heart_stays_out():
    lung = flat_lung()
    heart = ellipsoid(lung.shape, (110, 100, 130), 50)
    assert share(included(lung, heart & lung), heart & lung) < 0.05


@pytest.mark.parametrize(("radius", "comes_in"), [(12.0, False), (24.0, True)])
def test_what_lies_on_a_main_bronchus_has_to_be_large(radius, comes_in):
    lung = round_lung()
    mass = ellipsoid(lung.shape, (110, 100, 120 - 0.5 * radius), radius)
    airways = ellipsoid(lung.shape, (110, 100, 120), (12, 5, 5)) & ~lung
    assert share(included(lung, mass), mass & lung) >= 0.5
    added = included(lung, mass, airways=airways)
    taken = share(added, mass & lung)
    assert taken >= 0.5 if comes_in else taken == 0


def test_what_is_barred_stays_out():
    lung = flat_lung()
    ball = ellipsoid(lung.shape, (110, 100, WALL_MM), 10) & lung
    barred = ball & (np.arange(lung.shape[0]) < 55)[:, np.newaxis, np.newaxis]
    assert share(included(lung, ball, barred=barred), ball & ~barred) > 0.5


def test_the_left_lung_gets_its_own_and_the_same_again():
    lung = flat_lung()
    ball = ellipsoid(lung.shape, (110, 100, WALL_MM), 12) & lung
    solid = 2 * paired(lung).astype(np.uint8)
    solid[:, :, : lung.shape[2]] = lung & ~ball
    mirrored = 3 * (solid > 0) - solid
    blocks = blocks_of(np.where(solid > 0, -860, 40))
    nothing = np.zeros(solid.shape, bool)
    found = grown(solid, nothing, nothing, blocks)
    other = grown(mirrored.astype(np.uint8), nothing, nothing, blocks)
    assert share(found[:, :, : lung.shape[2]] == 1, ball) > 0.5
    assert np.array_equal(other, np.where(found > 0, 3 - found, 0))
    assert found.tobytes() == grown(solid, nothing, nothing, blocks).tobytes()
