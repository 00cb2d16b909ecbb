"""Scans that were resampled along the stack, or realigned, and written as slices again."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from corpus import real
from corpus.case import Case
from corpus.defects import drop
from corpus.files import Files, Series, pack, read, store, stored, write
from corpus.oracles import as_sampled, as_stacked
from corpus.phantoms import scanned
from lungprep_demo.phantom import Scan, chest

SHIFTS_MM = 8.0


def at_places(series: Series, places: NDArray[np.float64], order: int) -> Files:
    """Slices between those of a series, at places in gaps above the first, the ends repeated."""
    values = np.stack([np.maximum(stored(d).astype(np.float32), 0) for d in series])
    _, rows, columns = (np.arange(n) for n in values.shape)
    grid = np.meshgrid(places, rows, columns, indexing="ij")
    values = np.rint(map_coordinates(values, grid, order=order, mode="nearest"))
    ends = [np.array(series[k].ImagePositionPatient, float) for k in (0, 1)]
    template = write(drop(series, "PixelPaddingValue")[0])
    written = []
    for place, plane in zip(places, values, strict=True):
        dataset = read(template)
        position = ends[0] + place * (ends[1] - ends[0])
        dataset.ImagePositionPatient = [f"{v:.6f}" for v in position]
        dataset.InstanceNumber = len(written) + 1
        gap_mm = np.linalg.norm(ends[1] - ends[0]) * (places[1] - places[0])
        dataset.SliceThickness = f"{gap_mm:g}"
        store(dataset, np.maximum(plane, 0).astype(np.uint16))
        written.append(dataset)
    return pack(written)


def finer(series: Series, times: int, order: int = 1) -> Files:
    """So many times as many slices, each gap cut into as many parts: all are moved by a half."""
    places = (np.arange(len(series) * times) + 0.5) / times - 0.5
    return at_places(series, places, order)


def coarse(every: int) -> Series:
    """The real scan with each second pixel."""
    series = real.series(every=every)
    for dataset in series:
        store(dataset, stored(dataset)[::2, ::2])
        dataset.PixelSpacing = [f"{2 * real.SPACING_MM:.6f}"] * 2
    return series


def realigned() -> Files:
    """Thin slices of large pixels, each shifted aside by another part of a pixel."""
    series = [d for k, d in enumerate(coarse(1)) if 60 <= k < 120]
    shifts = np.random.default_rng(4).uniform(-SHIFTS_MM, SHIFTS_MM, len(series))
    for dataset, shift in zip(series, shifts, strict=True):
        x, y, z = (float(v) for v in dataset.ImagePositionPatient)
        dataset.ImagePositionPatient = [f"{v:.6f}" for v in (x, y + shift, z)]
        values = np.maximum(stored(dataset), 0).astype(np.float32)
        rows, columns = np.indices(values.shape)
        rows = rows + shift / (2 * real.SPACING_MM)
        moved = map_coordinates(values, [rows, columns], order=1, mode="nearest")
        store(dataset, np.rint(moved).astype(np.uint16))
    return pack(drop(series, "PixelPaddingValue"))


def crossing() -> Files:
    """A phantom whose one lung ends where the dome on the other side begins, made finer by splines.

    From one slice to the next, left and right change places in what is not the same there.
    """
    scan = Scan(gap_mm=10.0, shape=(128, 128), spacing_mm=(2.8, 2.8))
    series = [read(content) for content in scanned(scan, chest()).values()]
    return finer(series, 2, order=3)


CASES = [
    Case(
        "linear to half the gap, at a quarter and three quarters of it",
        lambda: finer(real.series(), 2),
        check=as_stacked,
    ),
    Case(
        "the same with gaps of 5 mm and large pixels, whose slices alternate more",
        lambda: finer(coarse(4), 2),
        check=as_stacked,
    ),
    Case(
        "the same by cubic splines",
        lambda: finer(coarse(4), 2, order=3),
        check=as_stacked,
    ),
    Case(
        "linear to a fifth of the gap, the first and last slice repeated beyond the ends",
        lambda: finer(real.series(), 5),
        check=as_stacked,
    ),
    Case(
        "a phantom resampled by cubic splines, one lung ending where the other dome begins",
        crossing,
        check=as_stacked,
    ),
    Case(
        "slices 1.25 mm apart with pixels of 4.6 mm, each shifted aside by parts of a pixel, "
        "repaired",
        realigned,
        {"on_shifted_slices": "repair"},
        ("shifted_slices_realigned",),
        check=as_sampled,
    ),
]
