"""The lungs of a chest CT as a label volume: 0 outside, 1 right lung, 2 left lung.

The algorithm, in the order of the modules:

1. `blocks`: average the volume over blocks of about 2 mm; all decisions are taken there. `seen`: a
   small body is looked at as if it had an adult's size, so that all distances below hold for it.
2. `body`: the patient is the largest piece of tissue once thin sheets (table, clothing) are
   shaved off; inside is what meets it in three of the four image directions, so that neither the
   table, nor padding, nor a lung cut by the field confuses inside and outside.
3. `airways`: pile up the trachea's round sections, grow the lumen from them at rising HU limits
   until it leaks (Mori et al., ICPR 1996), take off the branches: trachea and main bronchi.
4. `gas`, `scattered`, `field`: the remaining pieces of inner air are lung, unless they are as
   light as the trachea, or have nothing inside, and lie below a lung (stomach, bowel), or are as
   light and lie along the chest wall (pneumothorax).
5. `sides`, `parting`: label by side; joined lungs part along the cheapest front-to-back path in
   each slice (Hu, Hoffman & Reinhardt, IEEE TMI 20(6), 2001).
6. `juxtapleural`: disks that roll along the lung in three planes vote on nodules and tumours.
7. `collapse`: dense lung comes in where the other lung shows that it belongs there.
8. `completion`: where a lung ends in tissue without contrast, its surface is smoothed; islands go.
   `refine`: roll a ball around each lung to close vessels and hilum; take the inside of that, and
   draw the surface voxel by voxel at full resolution, half-way between lung and tissue.
9. `findings`, `doubts`, `doubt_score`: volumes, densities, contacts with the border, and the flags
   and the graded doubt that follow.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import cc3d
import cv2
import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.air import Limits
from lungprep.image.segmentation.body import padding
from lungprep.image.segmentation.body_size import LEAST_ML
from lungprep.image.segmentation.collapse import include_collapsed
from lungprep.image.segmentation.completion import smooth_surfaces
from lungprep.image.segmentation.doubt_score import doubt
from lungprep.image.segmentation.doubts import flags
from lungprep.image.segmentation.findings import Decisions, Findings, examine
from lungprep.image.segmentation.juxtapleural import include_juxtapleural
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.morphology import Mask, bounding_box
from lungprep.image.segmentation.refine import refine, solid_sides
from lungprep.image.segmentation.seen import require, see
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

    @property
    def doubt(self) -> float:
        """How much the mask is to be doubted, 0 to 1."""
        return doubt(self.findings)

    def to_json(self) -> dict[str, Any]:
        """The findings as plain numbers and lists; the sidecar has doubt and flags beside them."""
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
    min_ml: float | None = None,
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
    min_ml : float, optional
        Least volume of both lungs together; by default what the body's size asks for, from
        `lungprep.image.segmentation.body_size`.
    scan_flags : sequence of str
        What is known of the scan, for the message where there are no lungs.

    Returns
    -------
    Lungs
        The same bytes for the same input.

    Raises
    ------
    NoLungsFound
        Less than `min_ml` of the volume looks like lung, or by default less than half a litre that
        is no parenchyma before ribs.
    ValueError
        The array is no int16 volume of the grid's shape.
    """
    if volume.hu.dtype != np.int16 or volume.hu.shape != volume.grid.shape:
        raise ValueError(
            f"expected int16 {volume.grid.shape}, got {volume.hu.dtype} {volume.hu.shape}"
        )
    volume = Volume(np.asarray(volume.hu), volume.grid)
    padded = padding(volume)
    limits = Limits(air_hu, wall_mm, bronchus_mm, fragment_mm, (min_ml or LEAST_ML) / 5)
    seen = see(volume, padded, limits, block_mm)
    blocks, air, ml = seen.blocks, seen.air, seen.ml
    require(seen, volume, min_ml, scan_flags)
    aerated = lung_sides(blocks, air.lungs, air.middle_mm)
    barred = air.walls | air.other
    notched = solid_sides(aerated, barred, blocks, closing_mm=closing_mm / 2)
    dented = include_juxtapleural(aerated, notched, barred, air.airways.lumen, blocks)
    whole = include_collapsed(dented, barred, blocks, dented != notched, air.middle_mm)
    solid = solid_sides(whole, barred, blocks, closing_mm=closing_mm)
    solid, level = smooth_surfaces(solid, aerated, whole != notched, barred, blocks)
    labels = refine(volume, blocks, aerated, solid, level, barred, padded, air_hu=air_hu)
    unseen = np.where(notched == 0, solid, 0)
    right_ml, left_ml = (float(np.count_nonzero(unseen == side) * ml) for side in (RIGHT, LEFT))
    decisions = Decisions(
        airway_ml=np.count_nonzero(air.airways.lumen) * ml,
        largest_lesion_ml=_largest(dented != notched) * ml,
        collapsed_ml=np.count_nonzero(whole != dented) * ml,
        completed_ml=right_ml + left_ml,
        right_completed_ml=right_ml,
        left_completed_ml=left_ml,
        pleural_gas_ml=air.pleural_gas_ml * seen.scale**3,
        base_gas_ml=air.base_gas_ml * seen.scale**3,
    )
    findings = examine(volume, seen.true_blocks, labels, padded, decisions)
    return Lungs(labels, volume.grid, findings, flags(findings))


def _largest(mask: Mask) -> int:
    """Blocks of the largest piece."""
    box = bounding_box(mask, 0, (1.0, 1.0, 1.0))
    pieces = cc3d.connected_components(mask[box], connectivity=6)
    return int(np.bincount(pieces[mask[box]], minlength=1).max())
