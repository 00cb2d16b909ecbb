"""Phantoms scanned with a defect of the geometry: header and tissue agree at every point."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from corpus.files import Files
from lungprep_demo.phantom import Phantom, Scan, chest, ramp, slices

SMALL = Scan(gap_mm=8, count=20, shape=(44, 44), spacing_mm=(4.5, 4.5))
#: For what needs no chest.
SMALLER = replace(SMALL, count=17, shape=(30, 28))
CHEST = chest(scale=0.55, ribs=False)
#: HU per mm along x, y, z; no voxel of a `SMALL` scan leaves -1024..3071.
RAMP = ramp((1.7, -1.1, 2.3), background=900.0)


def scanned(scan: Scan, phantom: Phantom = CHEST) -> Files:
    """Files of a phantom's scan."""
    return {f"ct/{name}": content for name, content in slices(phantom, scan)}


@cache
def plain() -> Files:
    """The undisturbed scan of the chest."""
    return scanned(SMALL)


def tilted(degrees: float, scan: Scan = SMALL) -> Scan:
    """Gantry tilt: slices are turned about x, but follow each other along the table.

    As scanners write it: ImageOrientationPatient has the tilt, and the positions step along z.
    """
    angle = np.radians(degrees)
    normal = np.array([0.0, np.sin(angle), np.cos(angle)])
    gap_mm = scan.gap_mm * np.cos(angle)
    step = np.array([0.0, 0.0, scan.gap_mm]) - gap_mm * normal

    def offset_mm(index: int) -> tuple[float, float, float]:
        x, y, z = (float(v) for v in (index - (scan.count - 1) / 2) * step)
        return x, y, z

    def with_tag(dataset, index):
        dataset.GantryDetectorTilt = f"{degrees:g}"

    return replace(
        scan,
        gap_mm=float(gap_mm),
        orientation=(1.0, 0.0, 0.0, 0.0, float(np.cos(angle)), float(-np.sin(angle))),
        offset_mm=offset_mm,
        edit=with_tag,
    )


def oblique(about_x: float, about_y: float = 0.0, scan: Scan = SMALL) -> Scan:
    """Slices turned about x, then y, in degrees, that follow each other along their normal."""
    a, b = np.radians([about_x, about_y])
    turn_x = np.array([[1, 0, 0], [0, np.cos(a), np.sin(a)], [0, -np.sin(a), np.cos(a)]])
    turn_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    cosines = (turn_y @ turn_x)[:, :2].T.ravel()
    return replace(scan, orientation=tuple(float(v) for v in cosines))


def uneven(heights_mm: Callable[[int], float], scan: Scan = SMALL) -> Scan:
    """Slices moved along z."""
    return replace(scan, offset_mm=lambda index: (0.0, 0.0, heights_mm(index)))


def jittered(largest_mm: float, scan: Scan = SMALL, seed: int = 3) -> Scan:
    """Slices shifted at random within their planes, header and tissue alike."""
    shifts = np.random.default_rng(seed).uniform(-largest_mm, largest_mm, (scan.count, 2))
    return replace(
        scan, offset_mm=lambda index: (float(shifts[index, 0]), float(shifts[index, 1]), 0.0)
    )


def wider_upwards(first: int) -> Callable[[int], float]:
    """Gaps that are 2 mm wider from this slice on."""
    return lambda index: 2.0 * max(0, index - first)
