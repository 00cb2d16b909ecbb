"""Large series in seconds: coarse anatomy, enlarged, with real noise on it.

Memory follows the size of the arrays and the course of the lungs' surface, not the shape of a rib.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from pydicom.uid import ExplicitVRLittleEndian

from lungprep.image.volume import Grid
from lungprep_demo.phantom import Scan, chest, slices
from lungprep_demo.phantom.chest import Phantom

COARSE = 128
NOISE_HU = 15.0


@dataclass(frozen=True)
class Case:
    """One patient.

    Attributes
    ----------
    count : int
        Slices.
    size : int
        Rows and columns.
    gap_mm, pixel_mm : float
        Distance between slices, and between pixels.
    syntax : str
        Transfer syntax UID.
    orientation : str
        As of `lungprep_demo.phantom.Scan`.
    series : int
        Copies of the series, each with a UID of its own.
    spacing_mm : tuple of float
        The target grid, (z, y, x).
    preset : str
        ``output.preset``.
    """

    count: int
    size: int
    gap_mm: float
    pixel_mm: float
    syntax: str = ExplicitVRLittleEndian
    orientation: str = "HFS"
    series: int = 1
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)
    preset: str = "hu"

    @property
    def name(self) -> str:
        """What sets it apart."""
        words = [f"{self.count} x {self.size}²"]
        if self.syntax != ExplicitVRLittleEndian:
            words.append(self.syntax.name.partition(" Image")[0])
        words += [self.orientation] if self.orientation != "HFS" else []
        words += [f"{self.series} series"] if self.series > 1 else []
        if self.spacing_mm != (1.0, 1.0, 1.0):
            words.append(f"to {' x '.join(f'{s:g}' for s in self.spacing_mm)} mm")
        words += [self.preset] if self.preset != "hu" else []
        return ", ".join(words)


@dataclass(frozen=True)
class Coarse(Phantom):
    """A phantom that is evaluated on few points of each plane."""

    def planes(self, grid: Grid) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """As `Phantom.planes`, by nearest neighbour."""
        _, rows, columns = grid.shape
        z, y, x = grid.spacing_mm
        coarse = replace(
            grid,
            shape=(grid.shape[0], COARSE, COARSE),
            spacing_mm=(z, y * rows / COARSE, x * columns / COARSE),
            origin_mm=grid.position_mm((0, rows / COARSE / 2 - 0.5, columns / COARSE / 2 - 0.5)),
        )
        for planes in super().planes(coarse):
            yield tuple(
                cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_NEAREST)
                for plane in planes
            )


def files(case: Case) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the objects of a case."""
    patient = chest()
    patient = Coarse(**{name: getattr(patient, name) for name in patient.__dataclass_fields__})
    for seed in range(case.series):
        scan = Scan(
            gap_mm=case.gap_mm,
            count=case.count,
            shape=(case.size, case.size),
            spacing_mm=(case.pixel_mm, case.pixel_mm),
            orientation=case.orientation,
            noise_hu=NOISE_HU,
            transfer_syntax=case.syntax,
            seed=seed,
        )
        for name, content in slices(patient, scan):
            yield f"{seed}/{name}", content
