"""Real scans: what their unperturbed mask says is the reference for their perturbations."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from lungprep.image.loading import load
from lungprep.image.resampling import resample
from lungprep.image.segmentation import segment
from lungprep.image.series.policy import LoadOptions
from lungprep.image.volume import Triple, Volume
from lungprep.stores import Entry, S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep_demo import scan
from lungs.anatomy import Region
from lungs.effects import noise, scanned, sharp, soft
from lungs.expert import tumours
from lungs.painted import painted
from lungs.painted_disease import dense_base, gas, scars
from lungs.perturbations import X, Y, central_circle, crop, flip, resampled, rotate
from lungs.rendering import Effect, Scene

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = ROOT / "demo/scan" / f"{scan.PACKAGE}-{scan.VERSION}.tar.gz"
SHARED = ROOT.parent / "shared"
#: Folders of more scans.
SCANS = {
    "a0002": Path("data/lungpetctdx-A0002-B40f"),
    "a0001": Path("data/lungpetctdx-A0001-B"),
}
# Costal cartilage counts; a slice alone meets some of the slanted ribs only.
_BONE_HU = 130
_RIBS_MM = 15.0
_BULGE_MM = 4.0


@dataclass(frozen=True)
class RealCase:
    """One perturbation of one scan.

    Attributes
    ----------
    path : Path
        Archive of the demo's scan, or folder of DICOM files.
    effects : tuple of callable
        Applied in order to the scan at 1 mm.
    most_change : float or None
        Largest change of either lung's volume; None where the case is reported only.
    least : float or None
        Least Dice of each lung with the unperturbed mask.
    flags : tuple of str
        Flags that must be there.
    error : str or None
        Name of the error that is right.
    most_over : float or None
        Most voxels wrongly in, as a share of the lungs.
    """

    path: Path
    effects: tuple[Effect, ...] = ()
    most_change: float | None = None
    least: float | None = None
    flags: tuple[str, ...] = ()
    error: str | None = None
    most_over: float | None = None

    def scene(self, spacing_mm: Triple | None = None) -> Scene:
        """The perturbed scan."""
        scene = reference(self.path, spacing_mm or (1.0, 1.0, 1.0))
        for effect in self.effects:
            scene = effect(scene)
        return scene


class _Archive:
    """The demo's scan as a store."""

    address = "archive"

    def __init__(self, path: Path) -> None:
        self.files = dict(scan.files(path))

    def entries(self, *, below: bool) -> list[Entry]:
        return [Entry(name, len(content), "") for name, content in sorted(self.files.items())]

    def read(self, key: str, expected: Entry | None = None) -> bytes:
        return self.files[key]


@lru_cache(maxsize=1)
def reference(path: Path, spacing_mm: Triple) -> Scene:
    """The scan and its unperturbed mask; what of that lies outside the rib cage is no truth."""
    volume = resample(_loaded(path), spacing_mm)
    labels = segment(volume).labels
    outside = ~rib_cage(volume)
    truth = np.where(outside & (labels == 0), np.uint8(Region.WALL), labels)
    truth[outside & (labels > 0)] = Region.WALL
    return Scene(volume, truth)


def _loaded(path: Path) -> Volume:
    if path.is_dir():
        source = open_store(parse_address("source", str(path)), S3Options())
    else:
        source = _Archive(path)
    return load(source, LoadOptions())[0]


def rib_cage(volume: Volume) -> NDArray[np.bool_]:
    """Per slice the convex hull of the bones and cartilage around it, and what bulges between."""
    dz, dy, dx = volume.grid.spacing_mm
    bulge = cv2.getStructuringElement(
        cv2.MORPH_ELLIPSE, (2 * round(_BULGE_MM / dx) + 1, 2 * round(_BULGE_MM / dy) + 1)
    )
    speck = np.ones((2, 2), np.uint8)
    hard = (volume.hu > _BONE_HU).view(np.uint8)
    bone = [cv2.morphologyEx(slice_, cv2.MORPH_OPEN, speck) for slice_ in hard]
    near = maximum_filter1d(np.array(bone), 2 * round(_RIBS_MM / dz) + 1, axis=0)
    cage = np.zeros(volume.hu.shape, np.uint8)
    for slice_, inside in zip(near, cage, strict=True):
        points = cv2.findNonZero(slice_)
        if points is not None:
            cv2.fillConvexPoly(inside, cv2.convexHull(points), 1)
            inside[:] = cv2.dilate(inside, bulge)
    return cage > 0


def cases(name: str, path: Path) -> dict[str, RealCase]:
    """All perturbations of a scan."""
    kernel = {"most_change": 0.015}
    turned = {"most_change": 0.005}
    found: dict[str, RealCase] = {"as-is": RealCase(path)}
    for sigma in (20, 50, 80):
        found[f"noise-{sigma}"] = RealCase(path, (noise(sigma),), **kernel)
    for sigma in (0.5, 1.0):
        found[f"kernel-soft-{sigma}"] = RealCase(path, (soft(sigma),), **kernel)
    found["kernel-sharp"] = RealCase(path, (sharp(),), **kernel)
    found["kernel-sharp-2"] = RealCase(path, (sharp(1.0, 2.0),), **kernel)
    flips = {"x": (X,), "y": (Y,), "z": (0,), "xy": (X, Y), "xz": (0, X), "yz": (0, Y)}
    flips["xyz"] = (0, Y, X)
    for axes, numbers in flips.items():
        # Head down is no canonical volume: reported, not judged.
        asked = {} if 0 in numbers else turned
        found[f"flip-{axes}"] = RealCase(path, (flip(*numbers),), **asked)
    for turns in (1, 2, 3):
        found[f"rotate-{90 * turns}"] = RealCase(path, (rotate(turns),), **turned)
    for step in (0.6, 0.8, 1.5, 2.0, 2.5, 3.0, 5.0):
        found[f"resample-{step}"] = RealCase(path, (resampled((step,) * 3),), least=0.97)
    found["slices-5"] = RealCase(path, (resampled((5.0, 0.8, 0.8)),), least=0.97)
    border = ("touches_field_border",)
    found["field-circle"] = RealCase(path, (central_circle(1.15),), least=0.98)
    found["field-cut"] = RealCase(path, (central_circle(0.85),), least=0.97, flags=border)
    half = (slice(None), slice(None), slice(30, None))
    found["field-half"] = RealCase(path, (crop(half),), least=0.97, flags=border)
    for end, part in (("top", slice(None, 60)), ("bottom", slice(40, None))):
        cut = (part, slice(None), slice(None))
        flags = ("incomplete_coverage",)
        found[f"cut-{end}"] = RealCase(path, (crop(cut),), least=0.97, flags=flags)
    for seed in (1, 2, 3):
        found[f"lesions-{seed}"] = RealCase(path, (painted(seed),), most_over=0.02)
    found |= _diseased(path)
    return {f"{name}/{key}": case for key, case in found.items()}


def _diseased(path: Path) -> dict[str, RealCase]:
    """Disease painted on the scan; what is asked of it is what docs/lungs.md says."""
    right, left = Region.RIGHT, Region.LEFT
    painted_on: dict[str, tuple[Effect, ...]] = {
        "base-right": (dense_base(right),),
        "base-left": (dense_base(left, share=0.15),),
        "bases": (dense_base(right, left, share=0.2),),
        "bases-small": (dense_base(right, left, share=0.07, tilt=0.7, seed=4),),
        "bases-noise": (dense_base(right, left, share=0.2, seed=5), noise(50)),
        "scars": (scars(right, left),),
        "scars-coarse": (scars(right, left, seed=3), scanned((5.0, 3.0, 3.0), 30)),
        "gas": (gas(),),
        "gas-noise": (gas(wall_mm=3.0), noise(80)),
        "gas-coarse": (gas(), scanned((5.0, 3.0, 3.0), 30)),
        "raised": (gas(raised_mm=45.0),),
        "raised-thin": (gas(wall_mm=2.5, raised_mm=60.0, level=0.75),),
        "raised-noise": (gas(wall_mm=3.0, raised_mm=50.0), noise(80)),
        "raised-coarse": (gas(raised_mm=45.0), scanned((5.0, 3.0, 3.0), 30)),
        "coarse": (scanned((5.0, 3.0, 3.0), 30),),
    }
    low = ("base", "bases")
    return {
        name: RealCase(path, effects, least=0.9 if name.startswith(low) else 0.97)
        for name, effects in painted_on.items()
    }


def available(
    archive: Path = ARCHIVE, shared: Path = SHARED
) -> tuple[dict[str, RealCase], list[str]]:
    """Cases of the scans that are here, and why others are not."""
    found: dict[str, RealCase] = {}
    absent = []
    for name, path in {"rider": archive, **{n: shared / p for n, p in SCANS.items()}}.items():
        if path.exists():
            found |= cases(name, path)
            if path.is_file():
                found[f"{name}/tumour"] = RealCase(path, (tumours(path),))
        else:
            absent.append(f"{name}, as {path.name} is not here")
    return found, absent
