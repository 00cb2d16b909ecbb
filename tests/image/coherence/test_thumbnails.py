"""Block means, against the slow mean of the same pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungprep.image.coherence.thumbnails import CEILING_HU, block_size, thumbnail

SHAPES = st.tuples(st.integers(1, 150), st.integers(1, 150))


@pytest.mark.slow
@settings(deadline=None, max_examples=60)
@given(SHAPES, st.integers(0, 9))
def test_each_block_is_the_mean_of_the_rows_that_are_read(shape, seed):
    hu = np.random.default_rng(seed).integers(-1024, 3071, shape).astype(np.int16)
    small, size = thumbnail(hu), block_size(*shape)
    step = max(1, size // 4)
    assert small.shape == (shape[0] // size, shape[1] // size)
    for row, column in np.ndindex(small.shape):
        block = hu[row * size : (row + 1) * size : step, column * size : (column + 1) * size]
        np.testing.assert_allclose(
            small[row, column], np.minimum(block, CEILING_HU).astype(float).mean(), atol=0.01
        )


def test_a_slice_of_the_usual_size_has_a_thousand_blocks():
    assert thumbnail(np.zeros((512, 512), np.int16)).shape == (32, 32)
