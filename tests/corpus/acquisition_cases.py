"""More than one scan in a series: duplicates, and acquisitions at the same positions."""

import numpy as np

from corpus import real
from corpus.case import Case
from corpus.defects import as_instances, assign, brighter, counting, drop
from corpus.files import Files, pack, store, stored
from corpus.oracles import as_measured
from corpus.series_cases import beside


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
        "one slice twice, the same pixels",
        lambda: doubled(11),
        flags=("duplicates_dropped",),
        check=as_measured,
    ),
    Case(
        "all slices twice, the same pixels",
        lambda: doubled(*range(30)),
        flags=("duplicates_dropped",),
        check=as_measured,
    ),
    Case(
        "one slice twice, other pixels",
        lambda: doubled(11, by=60),
        refused=(
            "DuplicatePositions",
            "2 slices share a position with another and differ from it, such as "
            "copies/001.dcm and ct/012.dcm at -218.75 mm; acquisition and instance numbers "
            "and times part them into no volumes; remove one of each, or name one series in "
            "the cohort file",
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
        "the same, the second on the way back",
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
            "and ct/001.dcm at -328.75 mm; acquisition and instance numbers and times part "
            "them into no volumes; remove one of each, or name one series in the cohort "
            "file",
        ),
    ),
    Case(
        "two acquisitions half a gap apart, told apart by AcquisitionNumber",
        interleaved,
        flags=("acquisitions_separated",),
        check=is_first_acquisition,
    ),
    Case(
        "a larger part of other Rows x Columns in the series",
        longer_aside,
        refused=(
            "InconsistentSlices",
            "Rows x Columns is [100, 100] in a0/001.dcm and [128, 128] in ct/001.dcm; split "
            "the series into volumes and name one in the cohort file",
        ),
    ),
]
