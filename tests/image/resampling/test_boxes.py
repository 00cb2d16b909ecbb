"""What is read of a scan for a tile."""

import numpy as np
import pytest

from lungprep.image.resampling.axes import read_axis
from lungprep.image.resampling.boxes import Scan, read, read_box

Z, Y, X = (np.arange(8.0).reshape(shape) for shape in ((8, 1, 1), (1, 8, 1), (1, 1, 8)))


def scan_of(interpolation="linear", shifts=None, n=100):
    hu = np.random.default_rng(0).integers(0, 900, (n, n, n)).astype(np.int16)
    axes = [read_axis(np.arange(float(n)), 1.0, interpolation, True)] * 3
    return Scan(hu, axes, 0, np.zeros((n, 3)) if shifts is None else shifts)


@pytest.mark.parametrize(("name", "margin"), [("linear", 0), ("cubic", 14), ("nearest", 0)])
def test_only_the_samples_around_a_tile_are_read(name, margin):
    points = [40 + Z + 0.5 * Y, 30.2 + Y, 50.7 + X + 0.5 * Z]
    _, along = read_box(scan_of(name), points)
    for a, (low, high) in enumerate([(40, 50.5), (30.2, 37.2), (50.7, 61.2)]):
        columns = along[a].columns
        assert low - 1.5 - margin <= columns.start <= low + 0.5
        assert high + 0.5 <= columns.stop <= high + 2.5 + margin


def test_entries_along_an_axis_of_the_tile_are_its_points():
    scan = scan_of()
    box, along = read_box(scan, [40 + Z + 0.5 * Y, 30.25 + Y, 50.5 + X])
    assert [a.made for a in along] == [False, True, True]
    assert box.shape[1:] == (8, 8)
    rows = 0.75 * scan.hu[:, 30:38].astype(float) + 0.25 * scan.hu[:, 31:39]
    expected = (rows[:, :, 50:58] + rows[:, :, 51:59]) / 2
    np.testing.assert_allclose(box, expected[along[0].columns], atol=1e-3)


def test_a_box_holds_what_every_shifted_slice_needs():
    shifts = np.zeros((100, 3))
    shifts[:, 1] = np.random.default_rng(1).uniform(-9, 9, 100)
    scan = scan_of(shifts=shifts)
    points = [40 + Z, 30 + Y, 50 + X]
    box, along = read_box(scan, points)
    for k in range(along[0].columns.start, along[0].columns.stop):
        reading = read(scan, 1, points[1] - shifts[k, 1], along[1].start)
        assert reading.indices.min() >= 0
        assert reading.indices.max() < box.shape[1]
    assert box.shape[1] < 8 + 18 + 4
