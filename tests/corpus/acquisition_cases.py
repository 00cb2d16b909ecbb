"""More than one scan in a series: duplicates, and acquisitions at the same positions."""

from collections.abc import Callable

import numpy as np

from corpus import real
from corpus.case import Case
from corpus.defects import as_instances, assign, brighter, counting, drop
from corpus.files import Files, pack, store, stored
from corpus.oracles import as_measured, as_stacked
from corpus.series_cases import beside

#: What tells the acquisitions of a series apart.
EVIDENCE = ("AcquisitionNumber", "AcquisitionTime", "ContentTime", "InstanceNumber")


def twice(one: dict, other: dict) -> Files:
    """Two acquisitions of other content, same places and one series, each with tags of its own."""
    first = assign(drop(real.series(), "InstanceNumber", "AcquisitionNumber"), **one)
    second = drop(brighter(real.series()), "InstanceNumber", "AcquisitionNumber")
    return pack(as_instances(assign(second, **other), "second"), "a") | pack(first)


def interleaved() -> Files:
    """Two acquisitions whose slices lie half a gap apart, so that together they are even."""
    first = assign(real.series(stop=232), AcquisitionNumber=1)
    second = assign(brighter(real.series(start=4)), AcquisitionNumber=2)
    return pack(as_instances(second, "second"), "a") | pack(first)


def breaths(first: dict, second: dict) -> Files:
    """Two acquisitions half a gap apart, together even; the second shows the body 12.5 mm lower."""
    one = assign(drop(real.series(start=24), *EVIDENCE), **first)
    heights = [d.ImagePositionPatient for d in real.series(start=28)]
    other = assign(drop(real.series(start=18), *EVIDENCE), **second)
    other = assign(other[: len(heights)], ImagePositionPatient=lambda n: heights[n])
    return pack(as_instances(other, "second"), "a") | pack(one)


def in_turn(*keywords: str, period: int = 2) -> Files:
    """One sound scan whose slices bear the tags of several acquisitions in turn."""
    series = real.series(every=4)
    return pack(assign(series, **dict.fromkeys(keywords, lambda n: str(n % period + 1))))


def is_first_breath(files, volume, scan):
    np.testing.assert_array_equal(volume.hu, real.hu()[3 : 3 + len(volume.hu)])


def phases(count: int, tags: Callable[[int], dict]) -> Files:
    """A gated scan: at each position a slice of each phase, which shows another state."""
    files: Files = {}
    for phase in range(count):
        series = (
            brighter(drop(real.series(), *EVIDENCE), 30 * phase)
            if phase
            else drop(real.series(), *EVIDENCE)
        )
        files |= pack(as_instances(assign(series, **tags(phase)), f"phase {phase}"), f"p{phase}")
    return files


def doubled(*numbers: int, by: int = 0) -> Files:
    """Some slices once more, as other instances, brighter by some HU."""
    copies = [d for n, d in enumerate(real.series()) if n in numbers]
    copies = brighter(copies, by) if by else copies
    return pack(real.series()) | pack(as_instances(copies, "copies"), "copies")


def is_first_acquisition(files, volume, scan):
    np.testing.assert_array_equal(volume.hu, real.hu()[:29])


def longer_aside() -> Files:
    """Nine slices more than the scan's, of another size."""
    larger = real.series(every=6)
    for dataset in larger:
        store(dataset, stored(dataset)[:100, :100])
    return beside(as_instances(larger, "larger"))


CASES = [
    Case(
        "one slice twice, with the same pixels",
        lambda: doubled(11),
        flags=("duplicates_dropped",),
        check=as_measured,
    ),
    Case(
        "all slices twice, with the same pixels",
        lambda: doubled(*range(30)),
        flags=("duplicates_dropped",),
        check=as_measured,
    ),
    Case(
        "one position twice, with different pixels",
        lambda: doubled(11, by=60),
        refused=(
            "DuplicatePositions",
            "2 slices share a position with another and differ from it, such as "
            "copies/001.dcm and ct/012.dcm at -218.75 mm; no acquisition, phase, "
            "number or time separates them into volumes; keep one slice for each position under "
            "the prefix",
        ),
    ),
    Case(
        "two acquisitions at the same positions, told apart by AcquisitionNumber",
        lambda: twice({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}),
        flags=("acquisitions_separated",),
        check=as_measured,
    ),
    Case(
        "the same, by AcquisitionTime only",
        lambda: twice({"AcquisitionTime": counting(101500)}, {"AcquisitionTime": counting(102100)}),
        flags=("acquisitions_separated",),
        check=as_measured,
    ),
    Case(
        "the same, by ContentTime only",
        lambda: twice({"ContentTime": counting(101500)}, {"ContentTime": counting(102100)}),
        flags=("acquisitions_separated",),
        check=as_measured,
    ),
    Case(
        "the same, by runs of InstanceNumber only",
        lambda: twice({"InstanceNumber": counting(1)}, {"InstanceNumber": counting(31)}),
        flags=("acquisitions_separated",),
        check=as_measured,
    ),
    Case(
        "the same, the second one scanned on the way back",
        lambda: twice({"InstanceNumber": counting(1)}, {"InstanceNumber": counting(60, -1)}),
        flags=("acquisitions_separated",),
        check=as_measured,
    ),
    Case(
        "the same, told apart by nothing",
        lambda: twice({}, {}),
        refused=(
            "DuplicatePositions",
            "60 slices share a position with another and differ from it, such as a/001.dcm "
            "and ct/001.dcm at -328.75 mm; no acquisition, "
            "phase, number or time separates them into volumes; keep one slice for each position "
            "under the prefix",
        ),
    ),
    Case(
        "two acquisitions half a gap apart, told apart by AcquisitionNumber",
        interleaved,
        flags=("acquisitions_separated",),
        check=is_first_acquisition,
    ),
    Case(
        "two breath-holds half a gap apart, told apart by AcquisitionNumber",
        lambda: breaths({"AcquisitionNumber": 1}, {"AcquisitionNumber": 2}),
        flags=("acquisitions_separated",),
        check=is_first_breath,
    ),
    Case(
        "two breath-holds, told apart by AcquisitionTime and InstanceNumbers that start again",
        lambda: breaths(
            {"AcquisitionTime": "100000", "InstanceNumber": counting(1)},
            {"AcquisitionTime": "100500", "InstanceNumber": counting(1)},
        ),
        flags=("acquisitions_separated",),
        check=is_first_breath,
    ),
    Case(
        "two breath-holds, told apart only by InstanceNumbers that occur twice each",
        lambda: breaths({"InstanceNumber": counting(1)}, {"InstanceNumber": counting(1)}),
        flags=("acquisitions_separated",),
        check=is_first_breath,
    ),
    Case(
        "two breath-holds half a gap apart, told apart by nothing",
        lambda: breaths({}, {}),
        refused=(
            "StraySlices",
            "the slices ct/001.dcm to … alternate between two states of the body; upload the "
            "series again, or set load.on_stray_slices to flag if it is sound",
        ),
    ),
    Case(
        "a sound scan whose AcquisitionNumber alternates",
        lambda: in_turn("AcquisitionNumber"),
        check=as_stacked,
    ),
    Case(
        "a sound scan whose AcquisitionNumber takes three values in turn",
        lambda: in_turn("AcquisitionNumber", period=3),
        check=as_stacked,
    ),
    Case(
        "a sound scan whose ConvolutionKernel and KVP alternate",
        lambda: in_turn("ConvolutionKernel", "KVP"),
        check=as_stacked,
    ),
    Case(
        "a gated scan of three phases in one series, told apart by TemporalPositionIdentifier",
        lambda: phases(3, lambda p: {"TemporalPositionIdentifier": p + 1}),
        flags=("acquisitions_separated",),
        check=as_measured,
    ),
    Case(
        "a gated scan of three phases, told apart by words in ImageComments",
        lambda: phases(3, lambda p: {"ImageComments": f"{30 * p}% phase"}),
        flags=("acquisitions_separated",),
        check=as_measured,
    ),
    Case(
        "a gated scan of three phases, with InstanceNumbers that run on at each position",
        lambda: phases(3, lambda p: {"InstanceNumber": counting(p + 1, 3)}),
        refused=(
            "DuplicatePositions",
            "90 slices share a position with another and differ from it, such as … at -328.75 mm; "
            "no acquisition, phase, number or time separates them into volumes; keep one slice for "
            "each position under the prefix",
        ),
    ),
    Case(
        "a larger part with other Rows x Columns in the series",
        longer_aside,
        refused=(
            "InconsistentSlices",
            "Rows x Columns is [100, 100] in a0/001.dcm and [128, 128] in ct/001.dcm; split "
            "the series into volumes and name one in the cohort file",
        ),
    ),
]
