"""Series of parallel slices, and which of them continue each other."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from lungprep.dicom.slices import Slice
from lungprep.errors import DataError
from lungprep.series.candidates import planes_of
from lungprep.series.geometry import Floats
from lungprep.series.stacking import axes_of

# So many gaps apart, the next series still continues a scan, though slices may be missing.
NEAR_GAPS = 3.0
# Of the shorter part so much may have been sent twice.
MOST_OVERLAP = 0.5
# Parts that fill each other's gaps lie half a gap apart, but for this share of it.
HALF_A_GAP = 0.1
# By so much a direction may differ: a tenth of a millimetre over the field.
SAME_AXES = 2e-4
# What the parts of one scan have in common.
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
        Those that may form a volume.
    axes : ndarray of float64, shape (3, 3)
        From `axes_of`.
    low_mm, high_mm : float
        Where its first and last slice lie.
    gap_mm : float
        Usual distance of its slices; of a single one, the distance that its thickness suggests.
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
        """Whether another part goes on where this one ends."""
        step = upper.low_mm - self.high_mm
        if upper.high_mm <= self.high_mm or step > NEAR_GAPS * max(self.gap_mm, upper.gap_mm):
            return False
        shorter = min(self.high_mm - self.low_mm, upper.high_mm - upper.low_mm)
        if upper.low_mm <= self.low_mm or step < -MOST_OVERLAP * shorter:
            return False
        return self._is_of_scan(upper)

    def meshes_with(self, other: "Part") -> bool:
        """Whether another part fills the gaps of this one: a scan was dealt out slice by slice."""
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
    """The series whose slices are parallel, from the lowest up."""
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
    """Pairs of series of which each fills the gaps of the other, and no third one's."""
    pairs = [
        (i, k)
        for i, one in enumerate(parts)
        for k, other in enumerate(parts)
        if i != k and one.meshes_with(other)
    ]
    counts = Counter(number for pair in pairs for number in pair)
    return [[parts[i], parts[k]] for i, k in pairs if counts[i] == counts[k] == 1]


def chains(parts: list[Part]) -> list[list[Part]]:
    """Runs of two series or more of one make, each the only one to continue the one before."""
    uppers: dict[int, list[int]] = defaultdict(list)
    lowers: dict[int, list[int]] = defaultdict(list)
    for i, lower in enumerate(parts):
        for k, upper in enumerate(parts):
            if i != k and lower.make == upper.make and lower.continued_by(upper):
                uppers[i].append(k)
                lowers[k].append(i)
    # Of a scan cut into many series, those further on continue it less well.
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
