import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lungprep.image.segmentation.blocks import block_means
from lungprep.image.segmentation.body import body_core, enclosed, field_border, padding


@settings(max_examples=50, deadline=None)
@given(arrays(bool, st.tuples(*[st.integers(1, 7)] * 3)))
def test_enclosed_counts_the_walls_met(core):
    expected = np.zeros(core.shape, bool)
    for z, y, x in np.ndindex(core.shape):
        slice_ = core[z]
        rays = (slice_[:y, x], slice_[y + 1 :, x], slice_[y, :x], slice_[y, x + 1 :])
        expected[z, y, x] = sum(bool(ray.any()) for ray in rays) >= 3
    assert np.array_equal(enclosed(core), expected)


def test_core_is_the_patient_without_the_table(chest):
    phantom = chest().lungs().table()
    core = body_core(block_means(phantom.volume(), 2.0), wall_mm=4.0)
    table = phantom.box((0, 234, 0), (280, 256, 320))
    assert not core[table].any()
    assert core[phantom.ellipse((130, 160), (5, 5))].any()


def test_padding_is_what_no_slice_measured(chest):
    phantom = chest((4.0, 4.0, 4.0)).lungs().circle(120)
    phantom.hu[3, 2:4, 2:4] = -1000
    padded = padding(phantom.volume())
    expected = ~phantom.ellipse((130, 160), (120, 120))[0]
    expected[2:4, 2:4] = False
    assert np.array_equal(padded, expected)


def test_field_border_is_the_edge_of_image_and_padding():
    padded = np.zeros((5, 6), bool)
    padded[:, 0] = True
    border = field_border(padded).astype(int)
    assert border.tolist() == [
        [0, 1, 1, 1, 1, 1],
        [0, 1, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 1],
        [0, 1, 0, 0, 0, 1],
        [0, 1, 1, 1, 1, 1],
    ]
