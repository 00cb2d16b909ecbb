"""Estimate how much of the lungs a volume shows, from a few of its slices."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lungprep.image.dicom.slices import Slice
from lungprep.image.hounsfield.rescale import slice_hu
from lungprep.image.series.geometry import Floats, Stack
from lungprep.image.series.lung_planes import Plane, lungs_in

# Number of slices examined first, over the whole stack, and then in the range that shows lungs.
SPREAD, WITHIN = 16, 12
# The field cuts the lungs if more than this fraction of their outline is on its border.
CUT_OUTLINE = 0.05
# An end of the stack cuts the lungs if its slice shows more than this fraction of the largest area.
CUT_SHARE = 0.15


@dataclass(frozen=True)
class Look:
    """Content of some slices of a stack.

    Attributes
    ----------
    heights_mm : ndarray of float64, shape (n,)
        Heights of the examined slices above the first slice of the stack; increasing.
    length_mm : float
        Length of the stack.
    areas_mm2 : ndarray of float64, shape (n,)
        Area of lung in each examined slice.
    extents_mm : tuple of float
        Largest extent of the lungs in a slice (down, across).
    cut_by_field : bool
        Whether the lungs continue beyond the field of view.
    means_hu : tuple of float
        Mean of each examined slice; equal for equal pixels.
    """

    heights_mm: Floats
    length_mm: float
    areas_mm2: Floats
    extents_mm: tuple[float, float]
    cut_by_field: bool
    means_hu: tuple[float, ...]

    @cached_property
    def lung_ml(self) -> float:
        """Volume of the lungs, ml."""
        return self.between_ml(-np.inf, np.inf)

    def between_ml(self, low_mm: float, high_mm: float) -> float:
        """Return the lung volume between two heights, ml; a slice represents its surroundings."""
        middles = (self.heights_mm[1:] + self.heights_mm[:-1]) / 2
        edges = np.concatenate([[0.0], middles, [self.length_mm]])
        thick = np.diff(np.clip(edges, low_mm, high_mm))
        return float((thick * self.areas_mm2).sum()) / 1000

    @property
    def cut_ends(self) -> tuple[bool, bool]:
        """Whether the first slice, and whether the last slice, cuts the lungs."""
        largest = CUT_SHARE * self.areas_mm2.max()
        return bool(self.areas_mm2[0] > largest), bool(self.areas_mm2[-1] > largest)

    @property
    def reach_mm(self) -> float:
        """Extent of the lungs along the stack."""
        shown = self.heights_mm[self.areas_mm2 > 0]
        return float(np.ptp(shown)) if shown.size else 0.0

    @property
    def cut(self) -> bool:
        """Whether the lungs continue beyond the scanned volume."""
        return self.cut_by_field or any(self.cut_ends)

    def same_pixels(self, other: "Look") -> bool:
        """Whether two looks are of the same images."""
        return self.means_hu == other.means_hu and np.allclose(self.heights_mm, other.heights_mm)


def look_at(slices: list[Slice], stack: Stack, *, assume_hu: bool) -> Look:
    """Decode some slices spread over a stack, and more in the range that shows lungs.

    Only a few numbers per slice are kept.

    Parameters
    ----------
    slices : list of Slice
        Slices in the order of the stack.
    stack : Stack
        Geometry of the slices.
    assume_hu : bool
        Take stored values as HU if the rescale tags are absent.

    Returns
    -------
    Look
        Content of the decoded slices.

    Raises
    ------
    DataError
        If a slice can't be decoded or lacks its rescale tags.
    """
    planes: dict[int, Plane] = {}

    def look(numbers: Iterable[int]) -> None:
        for k in numbers:
            if k not in planes:
                hu, _ = slice_hu(slices[k], assume_hu=assume_hu)
                planes[k] = lungs_in(hu, (stack.spacing_mm[1], stack.spacing_mm[2]))

    look(_spread(0, len(slices) - 1, SPREAD))
    shown = [k for k, plane in sorted(planes.items()) if plane.area_mm2]
    if 0 < len(shown) < WITHIN:
        looked = sorted(planes)
        first, last = looked.index(shown[0]), looked.index(shown[-1])
        low, high = looked[max(0, first - 1)], looked[min(len(looked) - 1, last + 1)]
        look(_spread(low, high, WITHIN))
    numbers = sorted(planes)
    found = [planes[k] for k in numbers]
    outline = sum(plane.outline for plane in found)
    return Look(
        heights_mm=stack.heights[numbers],
        length_mm=stack.length_mm,
        areas_mm2=np.array([plane.area_mm2 for plane in found]),
        extents_mm=(
            max(plane.extents_mm[0] for plane in found),
            max(plane.extents_mm[1] for plane in found),
        ),
        cut_by_field=sum(plane.on_border for plane in found) > CUT_OUTLINE * outline,
        means_hu=tuple(plane.mean_hu for plane in found),
    )


def _spread(first: int, last: int, count: int) -> list[int]:
    return [int(k) for k in np.unique(np.rint(np.linspace(first, last, count)))]
