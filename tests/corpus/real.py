"""The demo's real scan, thinned so that a case costs a tenth of a second, and its truth.

Each 8th slice and each 4th pixel as they are, under their own headers: 30 slices of 128 x 128,
10 mm apart, 2.304688 mm pixels. HU and positions are computed here from the standard's formulas.
"""

import io
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread

from corpus.files import Files, Series, read, store, stored, write
from lungprep_demo import scan

ARCHIVE = Path(__file__).parents[2] / "demo/scan" / f"{scan.PACKAGE}-{scan.VERSION}.tar.gz"
EVERY_PIXEL, EVERY_SLICE = 4, 8
GAP_MM = 1.25 * EVERY_SLICE
SPACING_MM = 0.576172 * EVERY_PIXEL
FIRST_MM = (-146.699997, -155.300003, -328.75)
PADDING = -2000


@cache
def _archive() -> tuple[Files, list[bytes]]:
    """What is no CT image, and the CT's slices from the feet up with each 4th pixel."""
    if not ARCHIVE.exists():
        pytest.skip("the real scan is not here; make test gets it")
    others, slices = {}, []
    for name, content in scan.files(ARCHIVE):
        if scan.CT_SERIES not in name or not name.endswith(".dcm"):
            others[name] = content
            continue
        dataset = dcmread(io.BytesIO(content))
        store(dataset, stored(dataset)[::EVERY_PIXEL, ::EVERY_PIXEL])
        dataset.PixelSpacing = [f"{SPACING_MM:.6f}"] * 2
        slices.append((float(dataset.ImagePositionPatient[2]), write(dataset)))
    return others, [content for _, content in sorted(slices)]


def series(start: int = 0, stop: int | None = None, every: int = EVERY_SLICE) -> Series:
    """Slices of the real CT from the feet up, to be edited at will; 236 at 1.25 mm in all."""
    return _as_thick([read(content) for content in _archive()[1][start:stop:every]], every)


def chosen(numbers) -> Series:
    """The slices of these numbers, counted from the feet at 1.25 mm."""
    thinned = [read(_archive()[1][number]) for number in numbers]
    return _as_thick(thinned, int(np.diff(numbers).min()))


def _as_thick(thinned: Series, every: int) -> Series:
    """With slices as thick as the gap, as of a scan that leaves nothing out."""
    for dataset in thinned:
        dataset.SliceThickness = f"{1.25 * every:g}"
    return thinned


def others() -> Files:
    """The segmentation, the contours and the licences that come with the CT."""
    return dict(_archive()[0])


@cache
def hu() -> NDArray[np.int16]:
    """Hounsfield units of `series`, (z, y, x): stored - 1024, padding as -1024."""
    values = np.stack([stored(dataset) for dataset in series()]).astype(np.int32) - 1024
    return np.clip(values, -1024, 3071).astype(np.int16)


def affine() -> NDArray[np.float64]:
    """4x4, voxel (x, y, z) of `hu` to patient mm: the scan is upright and needs no flip."""
    matrix = np.diag([SPACING_MM, SPACING_MM, GAP_MM, 1.0])
    matrix[:3, 3] = FIRST_MM
    return matrix
