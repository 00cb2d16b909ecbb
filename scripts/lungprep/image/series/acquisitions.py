"""Split a series that holds several scans, by their headers."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise

from lungprep.errors import MissingTag
from lungprep.image.dicom.slices import IDENTITY, Slice

# Tags that distinguish the volumes of a series, most reliable first. Some scanners number every
# rotation or step of one scan as an acquisition, so no tag is a proof by itself. The phases of a
# gated scan have their own tags (PS3.3 C.7.6.2, C.7.6.18, C.7.6.16.2.7), or are named in a text.
PARTING = (
    "FrameOfReferenceUID",
    "ImageType",
    "AcquisitionNumber",
    "ConvolutionKernel",
    "KVP",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "NominalPercentageOfCardiacPhase",
    "NominalPercentageOfRespiratoryPhase",
    "TriggerTime",
    "SeriesNumber",
    "SeriesDescription",
    "ProtocolName",
    "ImageComments",
)
# Tags that grow during an acquisition: if the table moves back, another acquisition begins.
GROWING = ("AcquisitionTime", "ContentTime", "InstanceNumber")


def partings(
    slices: list[Slice], height: Callable[[Slice], float] | None
) -> Iterator[list[list[Slice]]]:
    """Yield ways to split a series, most reliable first; each has at least two parts.

    Parameters
    ----------
    slices : list of Slice
        Slices of one series.
    height : callable or None
        Function that returns the position of a slice along the common normal, mm. None if the
        slices have no common normal; only tags can split them then.

    Yields
    ------
    list of list of Slice
        The parts.
    """
    tags: tuple[str, ...] = ()
    for keyword in PARTING:
        if len({_value(slice_, keyword) for slice_ in slices}) > 1:
            yield _by_values(slices, (keyword,))
            tags = (*tags, keyword)
            if len(tags) > 1:
                yield _by_values(slices, tags)
    if height is None:
        return
    for keyword in GROWING:
        runs = _runs(slices, keyword, height)
        if len(runs) > 1:
            yield runs
    ordered = sorted(slices, key=height)
    repeated = _repeats(ordered)
    if repeated > 1:
        yield [ordered[k::repeated] for k in range(repeated)]


def _repeats(slices: list[Slice]) -> int:
    """Return how many slices usually share an InstanceNumber; 1 if most numbers are unique."""
    numbers = [slice_.text("InstanceNumber") for slice_ in slices]
    counts = Counter(Counter(number for number in numbers if number).values())
    repeated = counts.most_common(1)[0][0] if counts else 1
    alike = sum(one == other != "" for one, other in pairwise(numbers))
    return repeated if 2 * alike > len(numbers) * (1 - 1 / repeated) else 1


def _value(slice_: Slice, keyword: str) -> str:
    return slice_.written(keyword) if keyword in IDENTITY else slice_.text(keyword)


def _by_values(slices: list[Slice], keywords: tuple[str, ...]) -> list[list[Slice]]:
    parts: dict[tuple[str, ...], list[Slice]] = defaultdict(list)
    for slice_ in slices:
        parts[tuple(_value(slice_, keyword) for keyword in keywords)].append(slice_)
    return list(parts.values())


def _runs(slices: list[Slice], keyword: str, height: Callable[[Slice], float]) -> list[list[Slice]]:
    """Split the slices, in order of a tag, where the table moves back."""
    try:
        numbered = [(slice_.numbers(keyword, 1)[0], height(slice_), slice_) for slice_ in slices]
    except MissingTag:
        return []
    numbered.sort(key=lambda item: item[:2])
    runs: list[list[Slice]] = []
    direction = 0.0
    for (_, before, _), (_, here, slice_) in zip([numbered[0], *numbered], numbered, strict=False):
        step = here - before
        if not runs or step == 0 or step * direction < 0:
            runs.append([])
            direction = 0.0
        else:
            direction = direction or step
        runs[-1].append(slice_)
    return runs
