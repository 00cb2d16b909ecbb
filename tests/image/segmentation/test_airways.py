import numpy as np
import pytest

from lungprep.image.segmentation.airways import find_airways
from lungprep.image.segmentation.blocks import block_means
from lungprep.image.segmentation.body import body_core, enclosed


def airways_of(phantom):
    blocks = block_means(phantom.volume(), 2.0)
    inside = enclosed(body_core(blocks, wall_mm=4.0))
    return find_airways(blocks, inside, reach_mm=60.0)


def test_lumen_of_trachea_and_main_bronchi(chest):
    phantom = chest().lungs().airways()
    found = airways_of(phantom)
    assert found.middle_mm == pytest.approx(159, abs=2)
    truth = phantom.lumen()
    assert np.mean(found.lumen[truth]) > 0.9
    assert not found.lumen[phantom.truth > 0].any()


def test_a_broken_wall_does_not_drain_the_lung(chest):
    """Where the wall of the left main bronchus is open, growing stops before the lung floods in."""
    phantom = chest().lungs().airways()
    phantom.paint(phantom.tube((150, 124, 196), (150, 124, 216), 4), -870, 2)
    found = airways_of(phantom)
    assert np.mean(found.lumen[phantom.truth > 0]) < 0.001
    assert np.mean(found.lumen[phantom.lumen()]) > 0.85


def test_a_wall_that_no_limit_respects_leaves_the_trachea(chest):
    """Emphysema as dark as the lumen, behind a broken wall: only the piled-up spots are kept."""
    phantom = chest().lungs().airways()
    phantom.hu[phantom.truth > 0] = -955
    phantom.paint(phantom.tube((150, 124, 196), (150, 124, 216), 4), -955, 2)
    found = airways_of(phantom)
    assert np.mean(found.lumen[phantom.truth > 0]) < 0.001
    assert found.lumen.any()


def test_lungs_alone_have_no_trachea(chest):
    found = airways_of(chest().lungs().noise(80))
    assert found.middle_mm is None
    assert not found.lumen.any()
