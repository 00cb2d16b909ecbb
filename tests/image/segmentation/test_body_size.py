"""Small bodies: the same lungs, and the same refusals, as at an adult's size."""

from dataclasses import replace

import numpy as np
import pytest

from lungprep.errors import NoLungsFound
from lungprep.image.segmentation import segment
from lungprep.image.segmentation.body_size import body_cm2
from lungprep.image.volume import Volume


def shrunk(volume, scale):
    """The same patient, smaller."""
    z, y, x = (step * scale for step in volume.grid.spacing_mm)
    return Volume(volume.hu, replace(volume.grid, spacing_mm=(z, y, x)))


@pytest.mark.parametrize("scale", [0.3, 0.45])
def test_small_lungs_get_a_mask_and_a_flag(chest, scale):
    phantom = ribs(chest((4.0, 4.0, 4.0)).lungs().airways())
    lungs = segment(shrunk(phantom.volume(), scale))
    assert min(phantom.dice(lungs.labels)) > 0.96
    assert "unusual_lung_volume" in lungs.flags
    true_ml = np.count_nonzero(phantom.truth) * (4.0 * scale) ** 3 / 1000
    assert true_ml < 500
    found = lungs.findings
    assert found.right_ml + found.left_ml == pytest.approx(true_ml, rel=0.08)


def ribs(phantom):
    """Bone behind both lungs."""
    behind = phantom.box((0, 130, 0), (280, 260, 320)) & (phantom.truth == 0)
    for x, radii in ((95, (110, 70, 52)), (228, (105, 66, 47))):
        outer = phantom.ellipsoid((140, 130, x), [r + 12 for r in radii])
        inner = phantom.ellipsoid((140, 130, x), [r + 4 for r in radii])
        phantom.paint(outer & ~inner & behind, 500, 0)
    return phantom


def test_what_is_left_of_one_lung_counts_where_it_lies_before_ribs(chest):
    phantom = ribs(chest().airways())
    left = phantom.ellipsoid((140, 130, 228), (105, 66, 47))
    phantom.paint(left & phantom.box((120, 135, 0), (200, 260, 320)), -800, 2)
    lungs = segment(phantom.volume())
    assert 250 < lungs.findings.left_ml < 500
    assert lungs.findings.right_ml == 0
    assert set(lungs.flags) >= {"unusual_lung_volume", "lopsided_lungs"}


@pytest.mark.parametrize("scale", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("hu", [-1000, -700])
def test_a_bowel_is_no_lung_at_any_size(chest, hu, scale):
    """Gas, or stool full of gas, far from the ribs."""
    phantom = ribs(chest())
    bowel = phantom.ellipsoid((150, 100, 160), (45, 45, 45))
    phantom.paint(bowel, hu, 0)
    with pytest.raises(NoLungsFound, match="leave this patient out"):
        segment(shrunk(phantom.volume(), scale))


def test_a_number_says_what_is_enough(chest):
    phantom = chest()
    phantom.paint(phantom.ellipsoid((150, 100, 160), (45, 45, 45)), -700, 0)
    lungs = segment(phantom.volume(), min_ml=300.0)
    found = lungs.findings.right_ml + lungs.findings.left_ml
    assert found == pytest.approx(382, rel=0.05)
    with pytest.raises(NoLungsFound, match=r"lungs have at least 0\.50 l"):
        segment(phantom.volume(), min_ml=500.0)


def test_the_body_is_as_large_as_its_larger_slices():
    inside = np.zeros((8, 20, 20), bool)
    inside[1:4, :10, :10] = inside[4:6, :10] = True
    assert body_cm2(inside, (5.0, 10.0, 10.0)) == 200
    assert body_cm2(inside[:1], (5.0, 10.0, 10.0)) == 0
