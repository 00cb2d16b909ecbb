"""What a lung mask tells: volumes, densities, what it touches, what it took in and left out."""

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from lungprep.image.segmentation.blocks import Blocks, block_labels
from lungprep.image.segmentation.body import field_border
from lungprep.image.segmentation.densities import emphysema_percent, histograms, mean_hu, perc15_hu
from lungprep.image.segmentation.labels import LEFT, RIGHT
from lungprep.image.segmentation.morphology import Mask, bounding_box
from lungprep.image.segmentation.pleural_space import base_step_mm, recess_mm, rib_gap_mm
from lungprep.image.segmentation.surface import border_mm2, surface_mm2
from lungprep.image.volume import Volume

# A contact smaller than this is the last bit of a rim, and not a cut.
_CONTACT_MM2 = 25.0


@dataclass(frozen=True)
class Findings:
    """What a lung mask tells.

    Noise and a sharp kernel raise the emphysema index and lower the 15th percentile, so compare
    them only between scans of one kernel, dose and slice thickness.

    Attributes
    ----------
    right_ml, left_ml : float
        Volume per lung in millilitres.
    mean_hu, right_mean_hu, left_mean_hu : float or None
        Mean of the voxels inside, vessels included; None for a lung that is absent.
    emphysema_percent, right_emphysema_percent, left_emphysema_percent : float or None
        Emphysema index: share of the voxels inside that are below -950 HU, in percent. The density
        mask is of Müller et al., Chest 94(4), 1988; its limit for thin slices of Gevenois et al.,
        Am J Respir Crit Care Med 154(1), 1996.
    perc15_hu, right_perc15_hu, left_perc15_hu : int or None
        The lowest HU that at least 15 % of the voxels inside do not exceed.
    airway_ml : float or None
        Lumen of trachea and main bronchi, which is not in the mask; 0 if no trachea was found, None
        if the method does not tell, as for the next seven.
    largest_lesion_ml : float or None
        The largest piece of dense tissue on the pleura that was taken in, such as a tumour.
    collapsed_ml : float or None
        Dense tissue that was taken for lung because the other lung reaches there.
    completed_ml, right_completed_ml, left_completed_ml : float or None
        How much of the mask is completed rather than seen: tissue that neither holds air nor lies
        in a notch of aerated lung of up to 8 mm, such as a tumour on the pleura, consolidation and
        the vessels at the hilum.
    pleural_gas_ml : float or None
        Gas that lies free beside a lung, which is not in the mask.
    base_gas_ml : float or None
        Gas below a lung that runs into it or is as heavy as emphysema, taken for stomach or bowel
        and left out.
    right_rib_gap_mm, left_rib_gap_mm : float or None
        `lungprep.image.segmentation.pleural_space.rib_gap_mm`; None for an absent lung too.
    right_recess_mm, left_recess_mm : float or None
        `lungprep.image.segmentation.pleural_space.recess_mm`; None for an absent lung.
    base_step_mm : float or None
        `lungprep.image.segmentation.pleural_space.base_step_mm`; None where a lung is absent.
    surface_cm2 : float
        Area of the voxel faces that part the mask, both lungs as one, from what is outside of it.
    border_share : float
        How much of the mask's surface is no surface of the lungs but the border of what was
        scanned: the area of voxel faces on an edge of the image, on padding, or on the outer side
        of the first or last slice, divided by the area of all faces that part the mask from what
        is outside of it. 0 to 1; 0 for lungs that are in the scan as a whole.
    touches : tuple of str
        Where the mask ends at the border of what was scanned: ``right``, ``left``, ``front``,
        ``back`` (of the image), ``field`` (the circular field of view), ``feet``, ``head``
        (first and last slice).
    """

    right_ml: float
    left_ml: float
    mean_hu: float | None
    right_mean_hu: float | None
    left_mean_hu: float | None
    emphysema_percent: float | None
    right_emphysema_percent: float | None
    left_emphysema_percent: float | None
    perc15_hu: int | None
    right_perc15_hu: int | None
    left_perc15_hu: int | None
    airway_ml: float | None
    largest_lesion_ml: float | None
    collapsed_ml: float | None
    completed_ml: float | None
    right_completed_ml: float | None
    left_completed_ml: float | None
    pleural_gas_ml: float | None
    base_gas_ml: float | None
    right_rib_gap_mm: float | None
    left_rib_gap_mm: float | None
    right_recess_mm: float | None
    left_recess_mm: float | None
    base_step_mm: float | None
    surface_cm2: float
    border_share: float
    touches: tuple[str, ...]


@dataclass(frozen=True)
class Decisions:
    """Volumes that a method took in or left out, ml, for `Findings`; None if it does not tell."""

    airway_ml: float | None = None
    largest_lesion_ml: float | None = None
    collapsed_ml: float | None = None
    completed_ml: float | None = None
    right_completed_ml: float | None = None
    left_completed_ml: float | None = None
    pleural_gas_ml: float | None = None
    base_gas_ml: float | None = None


def examine(
    volume: Volume,
    blocks: Blocks,
    labels: NDArray[np.uint8],
    padded: Mask,
    decisions: Decisions | None = None,
) -> Findings:
    """Measure a lung mask.

    Parameters
    ----------
    volume : Volume
        HU in [-1024, 3071], axes (z, y, x).
    blocks : Blocks
        Made from `volume`.
    labels : ndarray of uint8
        Shape of the volume: 0 outside, 1 right lung, 2 left lung; 0 in `padded`.
    padded : ndarray of bool
        Columns (y, x) outside the field of view.
    decisions : Decisions, optional
        Passed through, rounded.

    Returns
    -------
    Findings
    """
    columns = labels.max(axis=0)
    box = np.s_[:, _extent(columns.any(axis=1)), _extent(columns.any(axis=0))]
    right, left = histograms(volume.hu[box], labels[box])
    both = right + left
    surface = surface_mm2(labels[box], volume.grid.spacing_mm)
    border = border_mm2(labels, padded, volume.grid.spacing_mm)
    told = {
        name: None if ml is None else round(float(ml), 1)
        for name, ml in asdict(decisions or Decisions()).items()
    }
    coarse = block_labels(labels, blocks)
    gap, recess = zip(*(_back(coarse == side, blocks) for side in (RIGHT, LEFT)), strict=True)
    return Findings(
        right_ml=round(int(right.sum()) * volume.grid.voxel_ml, 1),
        left_ml=round(int(left.sum()) * volume.grid.voxel_ml, 1),
        mean_hu=mean_hu(both),
        right_mean_hu=mean_hu(right),
        left_mean_hu=mean_hu(left),
        emphysema_percent=emphysema_percent(both),
        right_emphysema_percent=emphysema_percent(right),
        left_emphysema_percent=emphysema_percent(left),
        perc15_hu=perc15_hu(both),
        right_perc15_hu=perc15_hu(right),
        left_perc15_hu=perc15_hu(left),
        **told,
        right_rib_gap_mm=gap[0],
        left_rib_gap_mm=gap[1],
        right_recess_mm=recess[0],
        left_recess_mm=recess[1],
        base_step_mm=_base_step_mm(coarse == RIGHT, coarse == LEFT, blocks),
        surface_cm2=round(surface / 100, 1),
        border_share=round(border / surface, 4) if surface else 0.0,
        touches=_touches(labels, padded, volume.grid.spacing_mm),
    )


def _back(lung: Mask, blocks: Blocks) -> tuple[float | None, float | None]:
    """`rib_gap_mm` and `recess_mm` of a lung."""
    if not lung.any():
        return None, None
    box = bounding_box(lung, 0, blocks.spacing_mm)
    behind = (box[0], slice(box[1].start, lung.shape[1]), box[2])
    gap = rib_gap_mm(blocks.hu[behind], lung[behind], blocks.spacing_mm)
    return gap, recess_mm(lung[box], blocks.spacing_mm)


def _base_step_mm(right: Mask, left: Mask, blocks: Blocks) -> float | None:
    both = right.any() and left.any()
    return base_step_mm(right, left, blocks.spacing_mm) if both else None


def _extent(used: NDArray[np.bool_]) -> slice:
    inside = np.flatnonzero(used)
    return slice(inside[0], inside[-1] + 1) if inside.size else slice(0, 0)


def _touches(
    labels: NDArray[np.uint8], padded: Mask, spacing_mm: tuple[float, float, float]
) -> tuple[str, ...]:
    dz, dy, dx = spacing_mm
    circle = field_border(padded)
    circle[[0, -1]] = circle[:, [0, -1]] = False
    faces = {
        "right": (labels[:, :, 0], dz * dy),
        "left": (labels[:, :, -1], dz * dy),
        "front": (labels[:, 0], dz * dx),
        "back": (labels[:, -1], dz * dx),
        "field": (labels[:, circle], dz * (dy + dx) / 2),
        "feet": (labels[0], dy * dx),
        "head": (labels[-1], dy * dx),
    }
    return tuple(
        name for name, (face, mm2) in faces.items() if np.count_nonzero(face) * mm2 >= _CONTACT_MM2
    )
