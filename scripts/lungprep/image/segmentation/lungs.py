"""The lungs of a chest CT as a label volume: 0 outside, 1 right lung, 2 left lung.

The algorithm, in the order of the modules:

1. `blocks`: average the volume over blocks of about 2 mm; all decisions are taken there.
2. `body`: the patient is the largest piece of tissue once thin sheets (table, clothing) are
   shaved off; inside is what meets it in three of the four image directions, so that neither the
   table, nor padding, nor a lung cut by the field confuses inside and outside.
3. `airways`: pile up the trachea's round sections, grow the lumen from them at rising HU limits
   until it leaks (Mori et al., ICPR 1996), take off the branches: trachea and main bronchi.
4. `gas`, `field`: the remaining pieces of inner air are lung, unless they are as light as the
   trachea and lie below a lung (stomach, bowel) or along the chest wall (pneumothorax).
5. `sides`, `parting`: label by side; joined lungs part along the cheapest front-to-back path in
   each slice (Hu, Hoffman & Reinhardt, IEEE TMI 20(6), 2001).
6. `juxtapleural`: disks that roll along the lung in three planes vote on nodules and tumours.
7. `collapse`: dense lung at the back comes in where the other lung shows that it belongs there.
8. `refine`: roll a ball around each lung to close vessels and hilum; take the inside of that, and
   draw the surface voxel by voxel at full resolution, half-way between lung and tissue.
9. `findings`, `doubts`: volumes, densities, contacts with the border, and the flags that follow.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import cc3d
import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.errors import NoLungsFound
from lungprep.image.segmentation.air import Limits, find_air
from lungprep.image.segmentation.blocks import Blocks, block_columns, block_means
from lungprep.image.segmentation.body import padding
from lungprep.image.segmentation.collapse import include_collapsed
from lungprep.image.segmentation.doubts import flags
from lungprep.image.segmentation.findings import Decisions, Findings, examine
from lungprep.image.segmentation.juxtapleural import include_juxtapleural
from lungprep.image.segmentation.morphology import Mask
from lungprep.image.segmentation.refine import refine, solid_sides
from lungprep.image.segmentation.sides import lung_sides
from lungprep.image.volume import Grid, Volume


@dataclass(frozen=True)
class Lungs:
    """A lung mask and what it tells.

    Attributes
    ----------
    labels : ndarray of uint8
        Shape ``grid.shape``, axes (z, y, x): 0 outside, 1 the patient's right lung, 2 the left.
    grid : Grid
        That of the volume.
    findings : Findings
        Volumes, densities, contacts with the border.
    flags : tuple of str
        Typed warnings, empty where there is no doubt.
    """

    labels: NDArray[np.uint8]
    grid: Grid
    findings: Findings
    flags: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """The findings as plain numbers and lists; the flags stand beside them in the sidecar."""
        return asdict(self.findings) | {"touches": list(self.findings.touches)}


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread meanwhile: on slices, its pool costs more CPU than it saves."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


@_one_thread()
def segment(
    volume: Volume,
    *,
    air_hu: float = -400.0,
    block_mm: float = 2.0,
    wall_mm: float = 4.0,
    bronchus_mm: float = 60.0,
    closing_mm: float = 8.0,
    fragment_mm: float = 10.0,
    min_ml: float = 500.0,
    scan_flags: Sequence[str] = (),
) -> Lungs:
    """Find the lungs of a chest CT.

    Parameters
    ----------
    volume : Volume
        HU, int16, clipped to [-1024, 3071] with padding at -1024; canonical axes (z to the head,
        y to the back, x to the patient's left), any spacing. May be a read-only memory map.
    air_hu : float
        Surface of the lung: half-way between aerated lung and soft tissue.
    block_mm : float
        Edge of the blocks on which all but the surface is decided.
    wall_mm : float
        Depth shaved off the tissue to part the patient from table and clothing; less than half
        the thinnest chest wall.
    bronchus_mm : float
        Largest distance of a main bronchus from the carina.
    closing_mm : float
        Radius of the ball that closes vessels, hilum and small nodules.
    fragment_mm : float
        Largest distance of a separate bit of lung from its lung.
    min_ml : float
        Least volume of both lungs together.
    scan_flags : sequence of str
        What is known of the scan, for the message where there are no lungs.

    Returns
    -------
    Lungs
        The same bytes for the same input.

    Raises
    ------
    NoLungsFound
        Less than `min_ml` of the volume looks like lung.
    ValueError
        The array is no int16 volume of the grid's shape.
    """
    if volume.hu.dtype != np.int16 or volume.hu.shape != volume.grid.shape:
        raise ValueError(
            f"expected int16 {volume.grid.shape}, got {volume.hu.dtype} {volume.hu.shape}"
        )
    volume = Volume(np.asarray(volume.hu), volume.grid)
    blocks = block_means(volume, block_mm)
    padded = padding(volume)
    limits = Limits(air_hu, wall_mm, bronchus_mm, fragment_mm)
    air = find_air(blocks, block_columns(padded, blocks), limits)
    _require(air.lungs, blocks, min_ml, scan_flags)
    aerated = lung_sides(blocks, air.lungs, air.middle_mm)
    barred = air.walls | air.other
    notched = solid_sides(aerated, barred, blocks, closing_mm=closing_mm / 2)
    dented = include_juxtapleural(aerated, notched, barred, air.airways.lumen, blocks)
    whole = include_collapsed(dented, barred, blocks)
    solid = solid_sides(whole, barred, blocks, closing_mm=closing_mm)
    labels = refine(volume, blocks, aerated, solid, barred, padded, air_hu=air_hu)
    decisions = Decisions(
        airway_ml=np.count_nonzero(air.airways.lumen) * blocks.block_ml,
        largest_lesion_ml=_largest(dented != notched) * blocks.block_ml,
        collapsed_ml=np.count_nonzero(whole != dented) * blocks.block_ml,
        pleural_gas_ml=air.pleural_gas_ml,
        base_gas_ml=air.base_gas_ml,
    )
    findings = examine(volume, blocks, labels, padded, decisions)
    return Lungs(labels, volume.grid, findings, flags(findings))


def _largest(mask: Mask) -> int:
    """Blocks of the largest piece."""
    pieces = cc3d.connected_components(mask, connectivity=6)
    return int(np.bincount(pieces[mask], minlength=1).max())


def _require(
    field: NDArray[np.uint8], blocks: Blocks, min_ml: float, scan_flags: Sequence[str]
) -> None:
    found_ml = int(np.count_nonzero(field)) * blocks.block_ml
    if found_ml >= min_ml:
        return
    z, y, x = (
        n * s / k for n, s, k in zip(blocks.fine_shape, blocks.spacing_mm, blocks.size, strict=True)
    )
    known = f", in a scan flagged {', '.join(scan_flags)}" if scan_flags else ""
    raise NoLungsFound(
        f"{found_ml / 1000:.2f} l of the {x:.0f} x {y:.0f} x {z:.0f} mm volume look like lung, "
        f"where lungs have at least {min_ml / 1000:.2f} l{known}",
        "check that the series shows a chest and is in Hounsfield units, or leave this patient out",
    )
