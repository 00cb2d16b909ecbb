"""Whole scans of turned and shifted slices: known fields, tiles and memory."""

import tracemalloc

import numpy as np
import pytest
from resampling_oracles import (
    grid_of,
    grid_points,
    rotation,
    sample_points,
    slicing_of,
    tilted,
)

from lungprep.image.resampling import resample, reslicing
from lungprep.image.volume import Slicing, Volume

NAMES = ["linear", "cubic", "nearest"]


def noise(grid, slicing, seed=0):
    hu = np.random.default_rng(seed).integers(0, 900, grid.shape).astype(np.int16)
    return Volume(hu, grid, slicing)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_no_seam_between_tiles(name, monkeypatch):
    grid, slicing = tilted(20, 2.5, 18.5, (20, 40, 90), (1.1, 1.2, 0.9))
    volume = noise(grid, slicing)
    whole = resample(volume, (1.0, 1.0, 1.0), interpolation=name)
    monkeypatch.setattr(reslicing, "TILE", (7, 11, 13))
    tiled = resample(volume, (1.0, 1.0, 1.0), interpolation=name)
    assert np.abs(whole.hu.astype(int) - tiled.hu).max() <= 1
    assert (whole.hu != tiled.hu).mean() < 1e-3


def test_a_coarse_grid_takes_smaller_tiles(monkeypatch):
    volume = noise(grid_of((40, 60, 60), (0.5, 0.3, 0.3), rotation(5, 6, 7)), None)
    whole = resample(volume, (4.0, 4.0, 4.0))
    monkeypatch.setattr(reslicing, "MAX_BOX", 5_000)
    monkeypatch.setattr(reslicing, "MIN_SIDE", 1)
    small = resample(volume, (4.0, 4.0, 4.0))
    assert np.abs(whole.hu.astype(int) - small.hu).max() <= 1


TILTED = tilted(60, 1.5, 18.5, (60, 70, 70), (1.0, 1.0, 1.0))
FIELDS = {
    "oblique": (grid_of((60, 70, 70), (1.2, 1.0, 1.0), rotation(9, -14, 20)), None),
    "tilted": TILTED,
    "jittered": (
        grid_of((60, 70, 70), (1.2, 1.0, 1.0)),
        slicing_of(1.2 * np.arange(60), np.random.default_rng(1).uniform(-4, 4, (60, 2))),
    ),
    "uneven": (
        TILTED[0],
        Slicing(0, tuple(np.cumsum([0.0] + [1.4, 1.4, 2.0] * 20)[:60]), TILTED[1].shifts_mm),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_sphere_keeps_its_place_and_size(kind, name):
    """An analytic ball of 0 HU in -1000, sampled at the true place of each pixel."""
    grid, slicing = FIELDS[kind]
    samples = sample_points(grid, slicing)
    centre = samples.reshape(-1, 3).mean(axis=0)
    radius = 16.0

    def ball(points):
        distance = np.linalg.norm(points - centre, axis=-1)
        return 1000 * np.clip(radius - distance + 0.5, 0, 1) - 1000

    volume = Volume(np.rint(ball(samples)).astype(np.int16), grid, slicing)
    out = resample(volume, (1.0, 1.0, 1.0), interpolation=name)
    points = grid_points(out.grid)
    share = np.clip(out.hu + 1000.0, 0, None) / 1000
    share[np.linalg.norm(points - centre, axis=-1) > radius + 4] = 0
    found = (points * share[..., None]).sum(axis=(0, 1, 2)) / share.sum()
    # Jittered slices taken as they are look like noise of half a pixel.
    np.testing.assert_allclose(found, centre, atol=0.1 if name == "nearest" else 0.03)
    assert share.sum() == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.012)


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("antialias", [True, False])
def test_a_ramp_stays_where_it_is(kind, antialias):
    """8 to 12 HU per mm: an error of half a voxel or of a sign shows, rounding of both ends not."""
    grid, slicing = FIELDS[kind]
    samples = sample_points(grid, slicing)
    middle = samples.reshape(-1, 3).mean(axis=0)
    slope = [9.0, -8.0, 12.0]
    volume = Volume(np.rint((samples - middle) @ slope).astype(np.int16), grid, slicing)
    out = resample(volume, (1.0, 1.3, 1.6), antialias=antialias)
    points = grid_points(out.grid)
    inside = np.linalg.norm(points - middle, axis=-1) < 22
    assert inside.sum() > 10_000
    assert np.abs(out.hu - (points - middle) @ slope)[inside].max() <= 1.01


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_constant_stays_within_the_scan(kind, name):
    grid, slicing = FIELDS[kind]
    hu = np.full(grid.shape, 1234, dtype=np.int16)
    out = resample(Volume(hu, grid, slicing), (2.0, 2.0, 2.0), interpolation=name)
    assert set(np.unique(out.hu)) == {-1024, 1234}
    scanned = np.prod(np.array(grid.shape) * grid.spacing_mm)
    if kind != "uneven":
        assert (out.hu == 1234).sum() * 8 == pytest.approx(scanned, rel=0.02)


def peak_beyond_the_result(volume, name):
    tracemalloc.start()
    out = resample(volume, (1.0, 1.0, 1.0), interpolation=name)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - out.hu.nbytes


@pytest.mark.slow
@pytest.mark.parametrize("name", ["linear", "cubic"])
@pytest.mark.parametrize("kind", ["oblique", "tilted"])
def test_memory_holds_the_result_and_a_tile_whatever_the_size(kind, name):
    peaks = []
    for n in (64, 128):
        grid, slicing = tilted(n, 1.25, 18.5, (n, n, n), (1.25, 1.0, 1.0))
        if kind == "oblique":
            grid, slicing = grid_of((n, n, n), (1.25, 1.0, 1.0), rotation(9, -14, 20)), None
        peaks.append(peak_beyond_the_result(noise(grid, slicing), name))
    assert max(peaks) < {"linear": 12e6, "cubic": 28e6}[name]
    assert peaks[1] < 1.05 * peaks[0]
