"""Run `segment` on a scene and measure what it found."""

import time
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from lungprep.errors import NoLungsFound
from lungprep.image.segmentation import Lungs, segment
from lungprep.image.volume import Triple
from lungs.anatomy import Region
from lungs.measures import covered, dice, included, share, swapped
from lungs.rendering import Scene
from lungs.shapes import SOUND, Shape, shape


class Asked(Protocol):
    """A case: a scene, and what the mask of it has to be. None asks for nothing."""

    least: float | None
    error: str | None
    flags: tuple[str, ...]
    most_over: float | None
    most_change: float | None

    def scene(self, spacing_mm: Triple | None = None) -> Scene:
        """The scan with its truth."""


@dataclass(frozen=True)
class Score:
    """What one run measured; shares are of 1.

    Attributes
    ----------
    name : str
        Of the case.
    right, left : float or None
        Dice per lung; None for a lung that is absent and was not found. Where sides can't be told
        the right one stands for both.
    swapped : float
        Share of the true lungs with the other side's label.
    airway : float
        Share of the mask in trachea and main bronchi.
    over, under : float
        Voxels wrongly in, lesions aside, and wrongly out, as shares of the true lungs.
    where : dict
        Wrongly in, by region.
    lesions : tuple of float
        Share of each lesion inside the mask.
    ml, true_ml : tuple of float
        Volumes of right and left lung, in the mask and in truth.
    shape : Shape
        What the mask's shape tells.
    gas_ml : float
        Gas of stomach and bowel in the mask.
    doubt : float
        Of the mask.
    flags : tuple of str
        Of the mask.
    error : str or None
        Name of the error.
    seconds : float
        CPU of `segment`.
    """

    name: str
    right: float | None = None
    left: float | None = None
    swapped: float = 0.0
    airway: float = 0.0
    over: float = 0.0
    under: float = 0.0
    where: dict[str, float] = field(default_factory=dict)
    lesions: tuple[float, ...] = ()
    ml: tuple[float, float] = (0.0, 0.0)
    true_ml: tuple[float, float] = (0.0, 0.0)
    flags: tuple[str, ...] = ()
    error: str | None = None
    seconds: float = 0.0
    shape: Shape = SOUND
    gas_ml: float = 0.0
    doubt: float = 0.0

    @property
    def included(self) -> float:
        """Share of the lesions that are at least half inside."""
        return included(self.lesions)

    @property
    def worst(self) -> float | None:
        """The lower Dice of the two lungs."""
        return min((v for v in (self.right, self.left) if v is not None), default=None)

    @property
    def change(self) -> float:
        """Largest relative difference of a lung's volume from the true one."""
        pairs = [(a, b) for a, b in zip(self.ml, self.true_ml, strict=True) if b]
        return max((abs(a / b - 1) for a, b in pairs), default=0.0)

    def failures(self, case: Asked) -> list[str]:
        """In what the score falls short of what the case asks for."""
        if case.error or self.error:
            return [] if case.error == self.error else [f"{self.error}, not {case.error}"]
        wrong = [f"no {flag}" for flag in case.flags if flag not in self.flags]
        for side, value in (("right", self.right), ("left", self.left)):
            if case.least and value is not None and value < case.least:
                wrong.append(f"{side} {value:.4f} < {case.least}")
        limits = {
            "airways": (self.airway, 0.01),
            "swapped": (self.swapped, 0.002),
            "lesions missed": (round(1 - self.included, 6), 0.05),
            "over": (self.over, case.most_over),
            "change": (self.change, case.most_change),
        }
        for what, (value, most) in limits.items():
            if most is not None and value > most:
                wrong.append(f"{what} {value:.2%} > {most:.1%}")
        return wrong


def timed(scene: Scene) -> tuple[Lungs | None, str | None, float]:
    """Segment; the lungs or the error's name, and CPU seconds."""
    start = time.process_time()
    lungs, error = None, None
    try:
        lungs = segment(scene.volume)
    except NoLungsFound as caught:
        error = type(caught).__name__
    return lungs, error, time.process_time() - start


def score(name: str, scene: Scene) -> tuple[Score, Lungs | None]:
    """Segment a scene and compare with its truth."""
    lungs, error, seconds = timed(scene)
    truth = scene.truth
    if lungs is None:
        return Score(name, error=error, seconds=seconds), None
    labels = lungs.labels
    if not scene.sided:
        truth = np.where(truth == Region.LEFT, np.uint8(Region.RIGHT), truth)
        labels = (labels > 0).astype(np.uint8)
    inside, found = (truth == Region.RIGHT) | (truth == Region.LEFT), labels > 0
    true_voxels = max(np.count_nonzero(inside), 1)
    both = [(truth == side, labels == side) for side in (Region.RIGHT, Region.LEFT)]
    right, left = (dice(a, b) if a.any() or b.any() else None for a, b in both)
    counts = np.bincount(truth[found & ~inside], minlength=len(Region))
    voxel_ml = scene.volume.grid.voxel_ml
    return Score(
        name,
        right,
        left,
        swapped=swapped(truth, labels),
        airway=share(truth == Region.AIRWAY, found),
        over=float(counts.sum()) / true_voxels,
        under=np.count_nonzero(inside & ~found) / true_voxels,
        where={r.name.lower(): counts[r] / true_voxels for r in Region if counts[r]},
        lesions=tuple(covered(scene.lesions, found)),
        ml=_pair(np.count_nonzero(b) * voxel_ml for _, b in both),
        true_ml=_pair(np.count_nonzero(a) * voxel_ml for a, _ in both),
        flags=lungs.flags,
        seconds=seconds,
        shape=shape(scene.volume.hu, lungs.labels, scene.volume.grid),
        gas_ml=float(counts[Region.GAS]) * voxel_ml,
        doubt=lungs.doubt,
    ), lungs


def _pair(values: object) -> tuple[float, float]:
    right, left = values  # type: ignore[misc]
    return float(right), float(left)
