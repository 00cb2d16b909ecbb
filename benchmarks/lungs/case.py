"""One phantom case: what is scanned, on which grid, and what the mask has to be."""

from collections.abc import Callable
from dataclasses import dataclass

from lungprep.image.volume import Triple
from lungs.rendering import CHEST, Box, Effect, Scene, render
from lungs.thorax import Thorax


@dataclass(frozen=True)
class Case:
    """One scan.

    Attributes
    ----------
    thorax : callable
        Makes the patient.
    spacing_mm : tuple of float
        (z, y, x).
    box : pair of tuple of float
        Field (x, y, z).
    effects : tuple of callable
        Applied in order.
    least : float or None
        Least Dice of each lung; None where the case is reported only.
    error : str or None
        Name of the error that is right.
    flags : tuple of str
        Flags that must be there.
    most_over : float or None
        Most voxels wrongly in, as a share of the lungs.
    most_change : float or None
        Largest change of either lung's volume.
    """

    thorax: Callable[[], Thorax] = Thorax
    spacing_mm: Triple = (1.0, 1.0, 1.0)
    box: Box = CHEST
    effects: tuple[Effect, ...] = ()
    least: float | None = 0.985
    error: str | None = None
    flags: tuple[str, ...] = ()
    most_over: float | None = 0.02
    most_change: float | None = None

    def scene(self, spacing_mm: Triple | None = None) -> Scene:
        """Build it, on its own grid unless another is given."""
        thorax = self.thorax()
        low, high = self.box
        scaled = tuple(v * thorax.scale for v in low), tuple(v * thorax.scale for v in high)
        scene = render(thorax.phantom(), spacing_mm or self.spacing_mm, scaled, thorax.lesions)
        for effect in self.effects:
            scene = effect(scene)
        return scene
