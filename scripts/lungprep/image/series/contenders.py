"""The volumes of a patient from which one is chosen, and the order of preference."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lungprep.errors import MissingTag
from lungprep.image.dicom.slices import Slice
from lungprep.image.series.candidates import Candidate
from lungprep.image.series.geometry import Stack
from lungprep.image.series.image_types import (
    DERIVED,
    content_of,
    is_interspaced,
    is_thick_slab,
    kind_of,
)
from lungprep.image.series.lung_content import Look
from lungprep.image.series.policy import LoadOptions
from lungprep.image.series.sharpness import sharpness

# Fractions of the lung volume in the fullest volume. Below LUNG_SHARE a volume shows another part
# of the body; below COMPLETE_SHARE it lacks a part of the lungs.
LUNG_SHARE, COMPLETE_SHARE = 0.5, 0.8
# The limit for completeness if the field of view cuts the lungs, because it does so in every slice.
FIELD_SHARE = 0.95
# Lungs below this fraction of the fullest lungs of an examination are in expiration.
INSPIRATION_SHARE = 0.92
# If every volume has less, none shows lungs: the air is in a bowel or a head.
LEAST_LUNG_ML = 100.0
# Tolerance when the width of the lungs is compared with the field of view.
FIELD_SLACK = 1.02
# Flags that are not repairs of the volume.
SOUND_FLAGS = {"acquisitions_separated", "duplicates_dropped", "series_joined"}


@dataclass(frozen=True, eq=False)
class Contender:
    """A volume that may be chosen.

    Attributes
    ----------
    series : str
        Name of its series: the SeriesInstanceUID, if it has one.
    volume : Candidate
        Slices and geometry.
    look : Look or None
        Content of a few slices; None if there is only one volume.
    joined : tuple of str
        Names of the series that it was joined from.
    """

    series: str
    volume: Candidate
    look: Look | None = None
    joined: tuple[str, ...] = ()

    @property
    def lung_ml(self) -> float:
        """Volume of the lungs that it shows, ml."""
        return self.look.lung_ml if self.look else 0.0

    @property
    def position(self) -> str:
        """Position of the patient: S supine, P prone, DR or DL on a side; empty if unknown."""
        position = self.volume.slices[0].text("PatientPosition").upper()
        return position[2:] if position[2:] in ("S", "P", "DR", "DL") else ""

    @property
    def plain(self) -> bool:
        """Whether its slices are plain images: not computed and not projected."""
        first, gap_mm = self.volume.slices[0], self.volume.stack.spacing_mm[0]
        return content_of(first) is None and not is_thick_slab(first, gap_mm)

    @property
    def axial(self) -> bool:
        """Whether slices are stacked along the patient rather than across."""
        axes = self.volume.stack.axes
        return bool(abs(axes[0, 2]) >= max(abs(axes[1, 2]), abs(axes[2, 2])))

    @property
    def original(self) -> bool:
        """Whether no slice says DERIVED."""
        return not any(kind_of(slice_) == DERIVED for slice_ in self.volume.slices)


class Field:
    """All contenders, for properties that need a comparison.

    Parameters
    ----------
    contenders : list of Contender
        Contenders with their looks.
    """

    def __init__(self, contenders: list[Contender]) -> None:
        self.fullest = max(contenders, key=lambda c: c.lung_ml)
        self.longest_mm = max(c.volume.stack.length_mm for c in contenders)

    def shows_lungs(self, contender: Contender) -> bool:
        """Whether it shows at least half of the fullest lungs, or all of lungs in expiration."""
        if not self.lungs_known:
            return True
        look = contender.look
        whole = look is not None and look.lung_ml >= 0.25 * self.fullest.lung_ml and not look.cut
        return whole or contender.lung_ml >= LUNG_SHARE * self.fullest.lung_ml

    def covers_lungs(self, contender: Contender) -> bool:
        """Whether the lungs are whole, or cut by at most a fifth of their length, or a rim."""
        look, full, stack = contender.look, self.fullest.look, contender.volume.stack
        if not self.lungs_known or look is None or full is None:
            return stack.length_mm >= COMPLETE_SHARE * self.longest_mm
        if not look.cut:
            # Lungs in expiration are smaller but whole; a field around one lung shows half of them.
            there = _by_axis(stack, _sides_mm(stack))
            needed = _by_axis(self.fullest.volume.stack, full.extents_mm)
            return all(there[k] * FIELD_SLACK >= needed[k] for k in there.keys() & needed.keys())
        share = FIELD_SHARE if look.cut_by_field else COMPLETE_SHARE
        whole = look.lung_ml >= share * full.lung_ml
        return whole and look.reach_mm >= COMPLETE_SHARE * full.reach_mm

    def complete(self, contender: Contender) -> bool:
        """Whether the lungs are complete and nothing was repaired."""
        repaired = set(contender.volume.flags) - SOUND_FLAGS
        return not repaired and self.covers_lungs(contender)

    @property
    def lungs_known(self) -> bool:
        """Whether any volume shows lungs."""
        return self.fullest.lung_ml >= LEAST_LUNG_ML


def _sides_mm(stack: Stack) -> tuple[float, float]:
    """Return the size of the field of view (down, across), mm."""
    return stack.shape[1] * stack.spacing_mm[1], stack.shape[2] * stack.spacing_mm[2]


def _by_axis(stack: Stack, sides_mm: tuple[float, float]) -> dict[int, float]:
    """Return lengths (down, across) by the nearest axis of the patient."""
    return {
        int(np.abs(axis).argmax()): mm for axis, mm in zip(stack.axes[1:], sides_mm, strict=True)
    }


def smaller_lungs(contender: Contender, others: Iterable[Contender]) -> bool:
    """Whether its lungs are clearly smaller than the largest lungs of the others."""
    fullest_ml = max((other.lung_ml for other in others), default=0.0)
    return contender.lung_ml < INSPIRATION_SHARE * fullest_ml


def rank(
    contender: Contender, field: Field, options: LoadOptions, day: int, *, expired: bool
) -> dict[str, float]:
    """Return the value of each criterion, in order of importance; the smaller value wins."""
    first, stack = contender.volume.slices[0], contender.volume.stack
    kernels = {options.series: 0, "unknown": 1}
    return {
        "lungs": not field.shows_lungs(contender),
        "original": not contender.original,
        "axial": not contender.axial,
        "plain": not contender.plain,
        "complete": not field.complete(contender),
        "contiguous": is_interspaced(first, stack.spacing_mm[0]),
        "examination": day,
        "supine": contender.position not in ("S", ""),
        "inspiration": expired,
        "gap": round(stack.spacing_mm[0], 2),
        "kernel": options.series != "any"
        and kernels.get(sharpness(first.text("ConvolutionKernel")), 2),
        "slices": -len(contender.volume.slices),
        "acquisition": _lowest(contender.volume.slices, "AcquisitionNumber"),
        "instance": _lowest(contender.volume.slices, "InstanceNumber"),
    }


def _lowest(slices: list[Slice], keyword: str) -> int:
    """Return the lowest number of a tag; 0 if it is not a number."""
    try:
        return min(slice_.integer(keyword, 0) for slice_ in slices)
    except MissingTag:
        return 0
