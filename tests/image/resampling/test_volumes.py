"""Which way a volume is resampled, and what the log says."""

import logging

import numpy as np
import pytest
from resampling_oracles import grid_of, random_volume, rotation, slicing_of, tilted

from lungprep.errors import GridTooLarge
from lungprep.image.resampling import resample
from lungprep.image.volume import Volume


@pytest.mark.parametrize("slicing", [None, slicing_of(np.arange(8) * 2.0), slicing_of(range(8))])
def test_scans_along_the_patients_axes_are_not_resliced(slicing, caplog):
    caplog.set_level(logging.INFO)
    resample(random_volume((8, 9, 10), (2.0, 1.0, 1.0), slicing=slicing), (1.0, 1.0, 1.0))
    assert caplog.messages == []


def test_turned_axes_are_told(caplog):
    caplog.set_level(logging.INFO)
    resample(random_volume((8, 9, 10), (2.0, 1.0, 1.0), rotation(10, 0, 0)), (1.0, 1.0, 1.0))
    # Down the 9 rows and the 16 mm of slices: 9 (1 - cos 10) + 16 sin 10.
    words = "resliced onto the patient's axes: the scan's own axes place a corner 2.92 mm off"
    assert caplog.messages == [words]


def test_shifted_slices_are_told(caplog):
    caplog.set_level(logging.INFO)
    shifts = [(0.0, 0.0)] * 7 + [(-1.25, 0.5)]
    slicing = slicing_of(2.0 * np.arange(8), shifts)
    resample(random_volume((8, 9, 10), (2.0, 1.0, 1.0), slicing=slicing), (1.0, 1.0, 1.0))
    assert caplog.messages == ["resliced: slices are shifted by up to 1.25 mm"]


@pytest.mark.parametrize("direction", [rotation(0, 0, 0), rotation(10, 0, 0)])
@pytest.mark.parametrize("shifts", [None, np.ones((8, 2)) * 0.7])
def test_the_result_is_whole_and_fresh(direction, shifts):
    volume = random_volume(
        (8, 9, 10), (2.0, 1.0, 1.0), direction, slicing_of(2.0 * np.arange(8), shifts)
    )
    out = resample(volume, (1.1, 0.9, 0.7))
    assert out.hu.dtype == np.int16
    assert out.hu.flags.c_contiguous
    assert out.hu.shape == out.grid.shape
    assert out.grid.spacing_mm == (1.1, 0.9, 0.7)
    assert out.slicing is None


@pytest.mark.parametrize("direction", [rotation(0, 0, 0), rotation(10, 5, 0)])
def test_a_read_only_file_is_read_as_it_is(direction, tmp_path):
    volume = random_volume((8, 9, 10), (2.0, 1.0, 1.0), direction)
    volume.save(tmp_path / "hu.npy")
    mapped = Volume.load(tmp_path / "hu.npy", volume.grid)
    expected = resample(volume, (1.0, 1.0, 1.0))
    out = resample(mapped, (1.0, 1.0, 1.0))
    np.testing.assert_array_equal(out.hu, expected.hu)
    assert type(out.hu) is np.ndarray


def test_a_grid_beyond_memory_is_refused_before_any_work():
    hu = np.broadcast_to(np.int16(0), (2000, 2000, 800))
    volume = Volume(hu, grid_of(hu.shape, (1.0, 1.0, 1.0), rotation(44, 0, 0)))
    with pytest.raises(GridTooLarge, match="would have 2828 x 2828 x 800 voxels; choose a coarser"):
        resample(volume, (1.0, 1.0, 1.0))


def test_a_tilted_gantry_is_told_by_both(caplog):
    caplog.set_level(logging.INFO)
    grid, slicing = tilted(8, 2.0, 10.0, (8, 9, 10), (2.0, 1.0, 1.0))
    resample(Volume(np.zeros((8, 9, 10), np.int16), grid, slicing), (1.0, 1.0, 1.0))
    assert caplog.messages == [
        "resliced onto the patient's axes: the scan's own axes place a corner 2.87 mm off, "
        "slices are shifted by up to 1.22 mm"
    ]
