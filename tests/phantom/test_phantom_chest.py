"""The synthetic patient is what it says, in its volumes and at every point."""

from dataclasses import replace
from math import pi

import numpy as np
import pytest

from lungprep.image.volume import Grid
from lungprep_demo.phantom import LEFT, RIGHT, Ellipsoid, Part, Phantom, chest, healthy, ramp, thick

COARSE = Grid((60, 72, 72), (5.0, 5.0, 5.0), (-177.5, -177.5, -147.5))
NODULE = Ellipsoid((-105.3, -20.7, 41.3), (7.3, 7.3, 7.3))


def faces(labels: np.ndarray) -> list[np.ndarray]:
    return [labels.take(end, axis) for axis in range(3) for end in (0, -1)]


def test_lungs_have_an_adults_volume_and_lie_on_their_sides():
    labels = chest().labels(COARSE)
    assert (labels == RIGHT).sum() * COARSE.voxel_ml == pytest.approx(2600, rel=0.02)
    assert (labels == LEFT).sum() * COARSE.voxel_ml == pytest.approx(2200, rel=0.02)
    x_mm = COARSE.origin_mm[0] + 5.0 * np.arange(COARSE.shape[2])
    assert x_mm[(labels == RIGHT).any(axis=(0, 1))].max() < 0
    assert x_mm[(labels == LEFT).any(axis=(0, 1))].min() > 0
    assert not any(face.any() for face in faces(labels))


def test_an_ellipsoid_has_the_volume_of_the_formula():
    ball = Phantom((Part(Ellipsoid((3.1, -2.3, 1.7), (50, 40, 70)), -850, RIGHT),))
    labels = ball.labels(COARSE)
    assert labels.sum() * COARSE.voxel_ml == pytest.approx(
        4 / 3 * pi * 50 * 40 * 70 / 1e3, rel=0.01
    )


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_planes_are_the_plain_evaluation_at_every_voxel(angle: float):
    c, s = np.cos(angle), np.sin(angle)
    turned = ((c, -s, 0.0), (s * c, c * c, -s), (s * s, c * s, c))
    grid = Grid((30, 40, 50), (9.0, 8.0, 7.0), (-160.0, -150.0, -130.0), turned)
    phantom = chest(nodule=NODULE, scale=0.9, centre_mm=(5.0, -7.0, 11.0))
    z, y, x = np.indices(grid.shape)
    points = np.tensordot(grid.affine, np.stack([x, y, z, np.ones_like(x)]), 1)[:3]
    hu, labels = phantom.at(*points)
    np.testing.assert_array_equal(phantom.hu(grid), hu)
    np.testing.assert_array_equal(phantom.labels(grid), labels)
    assert set(np.unique(labels)) == {0, RIGHT, LEFT}


def test_scale_and_centre_move_the_same_chest():
    points = np.random.default_rng(1).uniform(-140, 140, (3, 5000))
    moved = points * 0.8 + np.array([[10.0], [-300.0], [55.0]])
    for a, b in zip(
        chest().at(*points),
        chest(scale=0.8, centre_mm=(10.0, -300.0, 55.0)).at(*moved),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("point", "hu", "label"),
    [
        ((-100, 0, 60), -850, RIGHT),
        ((90, 20, 60), -850, LEFT),
        (NODULE.centre, 40, RIGHT),
        ((-81.7, 8.3, 76.9), 40, RIGHT),  # a vessel
        ((0.8, 20, 100), -1000, 0),  # trachea
        ((-31, 15, 7.5), -1000, 0),  # right main bronchus
        ((31.7, -36, -53), 40, 0),  # heart
        ((0, 0, 500), 50, 0),
        ((0, 135, 0), -890, 0),  # the table's foam
        ((0, -170, 0), -1000, 0),
    ],
)
def test_tissues_are_where_anatomy_has_them(point, hu, label):
    found_hu, found_label = chest(nodule=NODULE).at(*point)
    assert (found_hu, found_label) == (hu, label)


def test_a_nodule_outside_the_lungs_is_not_painted():
    outside = Ellipsoid((0.0, -170.0, 0.0), (9.0, 9.0, 9.0))
    np.testing.assert_array_equal(chest(nodule=outside).hu(COARSE), chest().hu(COARSE))


def test_a_ramp_is_linear_in_the_position():
    phantom = ramp((0.5, -0.25, 2.0), background=-100.0, centre_mm=(1.0, 2.0, 3.0))
    hu, labels = phantom.at([1.0, 11.0], [2.0, 2.0], [3.0, -7.0])
    assert hu.tolist() == [-100.0, -115.0]
    assert not labels.any()
    corner = -100 + 0.5 * (-177.5 - 1) - 0.25 * (-177.5 - 2) + 2.0 * (-147.5 - 3)
    np.testing.assert_allclose(phantom.hu(COARSE)[0, 0, :2], [corner, corner + 2.5], atol=1e-3)


@pytest.mark.parametrize(("patient", "count"), [(healthy, 146), (thick, 56)])
def test_the_demo_patients_lie_whole_in_the_field(patient, count):
    phantom, scan = patient()
    scan = replace(scan, shape=(48, 48), spacing_mm=(7.5, 7.5))
    labels = phantom.labels(scan.grid(phantom))
    assert len(labels) == count
    assert {RIGHT, LEFT} < set(np.unique(labels))
    assert not any(face.any() for face in faces(labels))
