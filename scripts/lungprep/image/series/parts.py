"""Find series of parallel slices that continue each other."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from lungprep.errors import DataError
from lungprep.image.dicom.slices import Slice
from lungprep.image.series.candidates import planes_of
from lungprep.image.series.geometry import Floats
from lungprep.image.series.stacking import axes_of

# Up to this number of gaps apart, the next series continues a scan, even if slices are missing.
NEAR_GAPS = 3.0
# Largest overlap, as a fraction of the shorter part, because slices may have been sent twice.
MOST_OVERLAP = 0.5
# Parts that fill each other's gaps are half a gap apart, within this fraction of the gap.
HALF_A_GAP = 0.1
# Largest difference of a direction: a tenth of a millimetre over the field.
SAME_AXES = 2e-4
# Tags that the parts of one scan have in common.
MAKE = (
    "FrameOfReferenceUID",
    "Rows",
    "Columns",
    "PixelSpacing",
    "ConvolutionKernel",
    "SliceThickness",
    "ImageType",
)


@dataclass(frozen=True)
class Part:
    """A series, sorted along its normal.

    Attributes
    ----------
    series : str
        Name of the series.
    slices : list of Slice
        Slices that may form a volume.
    axes : ndarray of float64, shape (3, 3)
        Axes from `axes_of`.
    low_mm, high_mm : float
        Positions of the first and the last slice along the normal.
    gap_mm : float
        Usual gap between the slices; SliceThickness for a single slice.
    scan : tuple of str
        StudyInstanceUID and FrameOfReferenceUID.
    make : tuple of str
        Values of `MAKE`.
    """

    series: str
    slices: list[Slice]
    axes: Floats
    low_mm: float
    high_mm: float
    gap_mm: float
    scan: tuple[str, ...]
    make: tuple[str, ...]

    def continued_by(self, upper: "Part") -> bool:
        """Whether another part continues where this one ends."""
        step = upper.low_mm - self.high_mm
        if upper.high_mm <= self.high_mm or step > NEAR_GAPS * max(self.gap_mm, upper.gap_mm):
            return False
        shorter = min(self.high_mm - self.low_mm, upper.high_mm - upper.low_mm)
        if upper.low_mm <= self.low_mm or step < -MOST_OVERLAP * shorter:
            return False
        return self._is_of_scan(upper)

    def meshes_with(self, other: "Part") -> bool:
        """Whether another part fills the gaps of this one, as if a scan had been split in two."""
        offset = other.low_mm - self.low_mm
        within = HALF_A_GAP * self.gap_mm
        return (
            abs(self.gap_mm - other.gap_mm) < within
            and abs(offset - self.gap_mm / 2) < within
            and abs(other.high_mm - self.high_mm) < self.gap_mm
            and self.make == other.make
            and self._is_of_scan(other)
        )

    def _is_of_scan(self, other: "Part") -> bool:
        if not any(a == b != "" for a, b in zip(self.scan, other.scan, strict=True)):
            return False
        return bool(np.abs(self.axes - other.axes).max() < SAME_AXES)


def parts_of(offered: dict[str, list[Slice]]) -> list[Part]:
    """Return the series of parallel slices, from the lowest to the highest."""
    parts = []
    for series, slices in offered.items():
        try:
            planes = planes_of(slices)
            axes = axes_of(planes)
        except DataError:
            continue
        heights = np.sort(planes.positions @ axes[0])
        gaps = np.diff(np.unique(np.round(heights, 2)))
        gap_mm = float(np.median(gaps)) if gaps.size else _thickness_mm(slices[0])
        first, (low, high) = slices[0], (float(heights[0]), float(heights[-1]))
        scan = (first.written("StudyInstanceUID"), first.text("FrameOfReferenceUID"))
        make = tuple(first.text(keyword) for keyword in MAKE)
        parts.append(Part(series, slices, axes, low, high, gap_mm, scan, make))
    return sorted(parts, key=lambda part: (part.low_mm, part.series))


def meshes(parts: list[Part]) -> list[list[Part]]:
    """Return pairs of series that fill each other's gaps, and those of no third series."""
    pairs = [
        (i, k)
        for i, one in enumerate(parts)
        for k, other in enumerate(parts)
        if i != k and one.meshes_with(other)
    ]
    counts = Counter(number for pair in pairs for number in pair)
    return [[parts[i], parts[k]] for i, k in pairs if counts[i] == counts[k] == 1]


def chains(parts: list[Part]) -> list[list[Part]]:
    """Return runs of two or more series; each is the only one that continues the one before.

    All series of a run have equal values of `MAKE`.
    """
    uppers: dict[int, list[int]] = defaultdict(list)
    lowers: dict[int, list[int]] = defaultdict(list)
    for i, lower in enumerate(parts):
        for k, upper in enumerate(parts):
            if i != k and lower.make == upper.make and lower.continued_by(upper):
                uppers[i].append(k)
                lowers[k].append(i)
    # If a scan was cut into many series, only the nearest one counts as the continuation.
    after, before = {}, {}
    for i, ks in uppers.items():
        nearest = min(parts[k].low_mm for k in ks) + parts[i].gap_mm / 2
        after[i] = [k for k in ks if parts[k].low_mm <= nearest]
    for k, others in lowers.items():
        nearest = max(parts[i].high_mm for i in others) - parts[k].gap_mm / 2
        before[k] = [i for i in others if parts[i].high_mm >= nearest]
    follows = {i: ks[0] for i, ks in after.items() if len(ks) == 1 and len(before[ks[0]]) == 1}
    found = []
    for start in sorted(set(follows) - set(follows.values())):
        chain = [start]
        while chain[-1] in follows:
            chain.append(follows[chain[-1]])
        found.append([parts[i] for i in chain])
    return found


def _thickness_mm(slice_: Slice) -> float:
    try:
        return slice_.numbers("SliceThickness", 1)[0]
    except DataError:
        return 0.0
