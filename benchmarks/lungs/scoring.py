"""Run `segment` on a scene and measure what it found."""

import time
from dataclasses import dataclass, field

import numpy as np

from lungprep.errors import NoLungsFound
from lungprep.segmentation import Lungs, segment
from lungs.cases import Case
from lungs.measures import covered, dice, included, share, swapped
from lungs.rendering import Scene
from lungs.thorax import Region


@dataclass(frozen=True)
class Score:
    """What one run measured; shares are of 1.

    Attributes
    ----------
    name : str
        Of the case.
    right, left : float or None
        Dice per lung; None for a lung that is absent and was not found.
    swapped : float
        Share of the true lungs with the other side's label.
    airway : float
        Share of the mask in trachea and main bronchi.
    over, under : float
        Voxels wrongly in, and wrongly out, as shares of the true lungs.
    where : dict
        Wrongly in, by region.
    lesions : tuple of float
        Share of each lesion inside the mask.
    right_ml, left_ml : float
        Volumes of the mask.
    true_ml : float
        Volume of both true lungs.
    flags : tuple of str
        Of the mask; or the name of the error.
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
    right_ml: float = 0.0
    left_ml: float = 0.0
    true_ml: float = 0.0
    flags: tuple[str, ...] = ()
    error: str | None = None
    seconds: float = 0.0

    @property
    def included(self) -> float:
        """Share of the lesions that are at least half inside."""
        return included(self.lesions)

    def failures(self, case: Case) -> list[str]:
        """In what the score falls short of what the case asks for."""
        if case.error or self.error:
            return [] if case.error == self.error else [f"{self.error}, not {case.error}"]
        wrong = [f"no {flag}" for flag in case.flags if flag not in self.flags]
        for side, value in (("right", self.right), ("left", self.left)):
            if case.least and value is not None and value < case.least:
                wrong.append(f"{side} {value:.4f} < {case.least}")
        if self.airway >= 0.01:
            wrong.append(f"airways {self.airway:.2%}")
        if self.swapped >= 0.002:
            wrong.append(f"swapped {self.swapped:.2%}")
        if self.included < 0.95:
            wrong.append(f"lesions {self.included:.0%}")
        if self.over >= 0.02:
            wrong.append(f"over {self.over:.1%}")
        return wrong


def timed(scene: Scene) -> tuple[Lungs | None, str | None, float]:
    """Segment; the lungs or the error's name, and CPU seconds."""
    start = time.process_time()
    try:
        lungs, error = segment(scene.volume), None
    except NoLungsFound as caught:
        lungs, error = None, type(caught).__name__
    return lungs, error, time.process_time() - start


def score(name: str, scene: Scene) -> tuple[Score, Lungs | None]:
    """Segment a scene and compare with its truth."""
    lungs, error, seconds = timed(scene)
    truth = scene.truth
    inside = (truth == Region.RIGHT) | (truth == Region.LEFT)
    true_voxels = max(np.count_nonzero(inside), 1)
    true_ml = np.count_nonzero(inside) * scene.volume.grid.voxel_ml
    if lungs is None:
        return Score(name, error=error, seconds=seconds, true_ml=true_ml), None
    labels, found = lungs.labels, lungs.labels > 0
    both = [(truth == side, labels == side) for side in (Region.RIGHT, Region.LEFT)]
    right, left = (dice(a, b) if a.any() or b.any() else None for a, b in both)
    counts = np.bincount(truth[found & ~inside], minlength=len(Region))
    where = {r.name.lower(): counts[r] / true_voxels for r in Region if counts[r]}
    return Score(
        name,
        right,
        left,
        swapped=swapped(truth, labels),
        airway=share(truth == Region.AIRWAY, found),
        over=float(counts.sum()) / true_voxels,
        under=np.count_nonzero(inside & ~found) / true_voxels,
        where=where,
        lesions=tuple(covered(scene.lesions, found)),
        right_ml=lungs.findings.right_ml,
        left_ml=lungs.findings.left_ml,
        true_ml=true_ml,
        flags=lungs.flags,
        seconds=seconds,
    ), lungs
