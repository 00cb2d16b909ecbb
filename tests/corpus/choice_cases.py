"""Which scan of a prefix becomes the volume, by what it shows; synthetic chests of known lungs."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from pydicom.uid import generate_uid

from corpus import real
from corpus.case import Case
from corpus.defects import as_series, moved
from corpus.files import Files, pack, read, write
from corpus.oracles import as_measured, as_sampled, as_stacked
from lungprep_demo.phantom import Scan, chest, slices

COARSE = Scan(gap_mm=10, shape=(64, 64), spacing_mm=(6.0, 6.0), noise_hu=15)
MIP = ["ORIGINAL", "PRIMARY", "AXIAL", "MIP"]
VMI = ["ORIGINAL", "PRIMARY", "AXIAL", "VMI"]
IODINE = ["ORIGINAL", "PRIMARY", "AXIAL", "MAT_SPECIFIC"]
ONE, OTHER = {"StudyInstanceUID": "1.2.1"}, {"StudyInstanceUID": "1.2.2"}


@cache
def _phantom(scale: float):
    return chest(scale=scale)


def scan(folder: str, *, size: float = 1.0, up_mm: float = 0.0, tags=None, **how) -> Files:
    """A series in a folder of its own, of one study and frame of reference unless tags say else.

    Parameters
    ----------
    folder : str
        Its name, which the SeriesInstanceUID follows from.
    size : float
        Of the chest: its lungs are in expiration where it is small.
    up_mm : float
        How far the middle of the slices lies above the middle of the chest.
    tags : dict, optional
        Tags to set, or to drop where the value is None.
    **how
        Of `Scan`.
    """
    values = {
        "SeriesInstanceUID": generate_uid(entropy_srcs=["choice", folder]),
        "FrameOfReferenceUID": "1.2.3",
        "StudyInstanceUID": "1.2.1",
        "PatientAge": "070Y",
        "PatientSex": "F",
        **(tags or {}),
    }

    def edit(dataset, index):
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
            if value is None:
                delattr(dataset, keyword)

    wanted = {"offset_mm": lambda k: (0.0, 0.0, up_mm), **how}
    found = slices(_phantom(size), replace(COARSE, edit=edit, **wanted))
    return {f"{folder}/{name}": content for name, content in found}


def lower(**tags) -> Files:
    """The lower half of a scan: 15 slices that end in the middle of the chest."""
    return scan("lower", count=15, up_mm=-75.0, tags=tags)


def upper(count: int = 15, **how) -> Files:
    """The upper half, which continues `lower`."""
    return scan("upper", count=count, up_mm=5.0 * count, **how)


def scattered(*keywords: str) -> Files:
    """A scan each of whose slices has UIDs of its own."""
    files: Files = {}
    for number, (name, content) in enumerate(scan("own").items(), start=1):
        dataset = read(content)
        for keyword in keywords:
            setattr(dataset, keyword, f"1.2.9.{number}")
        files[name] = write(dataset)
    return files


def is_scan(*folders: str):
    """Check that the series in these folders are the volume."""

    def check(files, volume, scan):
        taken = {n: c for n, c in files.items() if n.split("/")[0] in folders}
        places = {read(c).ImagePositionPatient[2]: n for n, c in taken.items()}
        as_stacked({n: taken[n] for n in places.values()}, volume, scan)

    return check


CHEST = is_scan("chest")
BODY_PARTS = [
    Case(
        "a chest beside an abdomen that is twice as long",
        lambda: scan("chest") | scan("abdomen", count=60, up_mm=-400.0),
        check=CHEST,
    ),
    Case(
        "a chest beside a head with half the gap",
        lambda: scan("chest") | scan("head", gap_mm=5, count=50, size=0.5, up_mm=330.0),
        check=CHEST,
    ),
    Case(
        "a chest of 5 mm beside a whole body of 10 mm",
        lambda: scan("chest", gap_mm=5) | scan("body", count=100, up_mm=-300.0),
        check=CHEST,
    ),
    Case(
        "a whole body alone",
        lambda: scan("body", count=100, up_mm=-300.0),
        check=is_scan("body"),
    ),
    Case(
        "a chest beside a targeted field of view with half the gap that cuts both lungs",
        lambda: scan("chest") | scan("field", gap_mm=5, spacing_mm=(3.3, 3.3)),
        check=CHEST,
    ),
    Case(
        "a chest beside a targeted field of view of one lung with half the gap",
        lambda: (
            scan("chest")
            | scan("field", gap_mm=5, spacing_mm=(2.8, 2.8), offset_mm=lambda k: (75.0, 0.0, 0.0))
        ),
        check=CHEST,
    ),
    Case(
        "a head with half the gap beside an abdomen from another day: nothing shows lungs",
        lambda: (
            scan("head", gap_mm=5, count=50, size=0.5, up_mm=330.0)
            | scan("abdomen", count=28, up_mm=-400.0, tags=ANOTHER_DAY)
        ),
        check=is_scan("head"),
    ),
    Case(
        "two series with the wrong BodyPartExamined",
        lambda: (
            scan("chest", tags={"BodyPartExamined": "ABDOMEN"})
            | scan("abdomen", count=40, up_mm=-340.0, tags={"BodyPartExamined": "CHEST"})
        ),
        check=CHEST,
    ),
]


def lower_by_20(number: int) -> tuple[float, float, float]:
    """The header of a slice half a gap aside, whose content is of a place 20 mm higher."""
    return 0.0, 0.0, -20.0


def is_one_breath(files, volume, scan):
    assert volume.grid.spacing_mm[0] == pytest.approx(10)
    np.testing.assert_array_equal(volume.hu, real.hu()[: len(volume.hu)])


PARTS = [
    Case(
        "the real scan, split into two series",
        lambda: pack(as_series(real.series()[:13], "lower"), "b") | pack(real.series()[13:]),
        flags=("series_joined",),
        check=as_measured,
    ),
    Case(
        "the real scan, its slices alternately in two series",
        lambda: (
            pack(real.series(every=4)[::2])
            | pack(as_series(real.series(every=4)[1::2], "odd"), "odd")
        ),
        flags=("series_joined",),
        check=as_stacked,
    ),
    Case(
        "two breath-holds as two series, half a gap apart",
        lambda: (
            pack(real.series(stop=216))
            | pack(as_series(moved(real.series(start=20, stop=228), lower_by_20), "next"), "next")
        ),
        check=is_one_breath,
    ),
    Case(
        "the real scan, each slice as a separate series",
        lambda: pack([as_series([d], f"{k}")[0] for k, d in enumerate(real.series())]),
        flags=("series_joined",),
        check=as_measured,
    ),
    Case(
        "each slice as a separate series, in a separate frame of reference",
        lambda: scattered("SeriesInstanceUID", "FrameOfReferenceUID"),
        refused=(
            "TooFewSlices",
            "the 30 CT images are in 30 series of at most 1 each, which can't be joined into one "
            "scan; export it again with one SeriesInstanceUID and one FrameOfReferenceUID: the "
            "usual cause is a tool that replaced them in each file",
        ),
    ),
    Case(
        "each slice as a separate series, in a separate study",
        lambda: scattered("SeriesInstanceUID", "StudyInstanceUID"),
        flags=("series_joined",),
        check=as_stacked,
    ),
    Case(
        "the real scan, beside its upper half twice as fine",
        lambda: pack(real.series()) | pack(as_series(real.series(start=120, every=4), "up"), "b"),
        check=as_measured,
    ),
    Case(
        "a scan split into two series",
        lambda: lower() | upper(),
        flags=("series_joined",),
        check=is_scan("lower", "upper"),
    ),
    Case(
        "a scan split into two series, one of them too short to be a volume",
        lambda: lower() | upper(8),
        flags=("series_joined",),
        check=is_scan("lower", "upper"),
    ),
    Case(
        "a scan split into two series that have a slice in common",
        lambda: (
            scan("lower", count=15, up_mm=-75.0, noise_hu=0)
            | scan("upper", count=15, up_mm=65.0, noise_hu=0)
        ),
        flags=("duplicates_dropped", "series_joined"),
        check=is_scan("lower", "upper"),
    ),
    Case(
        "a scan split into two series, and a whole one with twice the gap",
        lambda: lower() | upper() | scan("chest", gap_mm=20, up_mm=3.0),
        flags=("series_joined",),
        check=is_scan("lower", "upper"),
    ),
    Case(
        "a scan split into two series with different kernels",
        lambda: lower(ConvolutionKernel="LUNG") | upper(),
        refused=(
            "SplitScan",
            "the lungs are cut by the … slice of the series (…) and continue in another one "
            "(…), which can't be joined to it: ConvolutionKernel differs; supply one series that "
            "covers the chest, or name the series in the cohort file to take it as it is",
        ),
    ),
    Case(
        "a scan split into two series with a slice missing between them",
        lambda: lower() | scan("upper", count=15, up_mm=85.0),
        refused=(
            "SplitScan",
            "the lungs are cut by the … slice of the series (…) and continue in another one "
            "(…), which can't be joined to it: 1 of 31 slices are missing, …; supply one series "
            "that covers the chest, or name the series in the cohort file to take it as it is",
        ),
    ),
    Case(
        "one part of a split scan, named in the cohort file",
        lambda: lower(ConvolutionKernel="LUNG") | upper(),
        {"series_uid": generate_uid(entropy_srcs=["choice", "upper"])},
        check=is_scan("upper"),
    ),
    Case(
        "a chest continued by an abdomen",
        lambda: scan("chest", count=30) | scan("abdomen", count=40, up_mm=-350.0),
        check=CHEST,
    ),
]

COMPUTED = [
    Case(
        "virtual monoenergetic images with half the gap beside plain ones",
        lambda: scan("chest") | scan("vmi", gap_mm=5, tags={"ImageType": VMI}),
        check=CHEST,
    ),
    Case(
        "virtual monoenergetic images alone",
        lambda: scan("vmi", tags={"ImageType": VMI}),
        flags=("virtual_monoenergetic",),
        check=is_scan("vmi"),
    ),
    Case(
        "virtual monoenergetic images, marked only by SeriesDescription",
        lambda: scan("chest") | scan("vmi", gap_mm=5, tags={"SeriesDescription": "Mono+ 40keV"}),
        check=CHEST,
    ),
    Case(
        "an iodine map with half the gap beside plain images",
        lambda: scan("chest") | scan("map", gap_mm=5, tags={"ImageType": IODINE}),
        check=CHEST,
    ),
    Case(
        "an iodine map alone",
        lambda: scan("map", tags={"ImageType": IODINE}),
        flags=("material_map",),
        check=is_scan("map"),
    ),
    Case(
        "MIP slabs marked ORIGINAL, with half the gap, beside plain slices",
        lambda: scan("chest") | scan("mip", gap_mm=5, tags={"ImageType": MIP}),
        check=CHEST,
    ),
    Case(
        "MinIP slabs, marked only by SeriesDescription",
        lambda: scan("chest") | scan("minip", gap_mm=5, tags={"SeriesDescription": "MinIP 10x5"}),
        check=CHEST,
    ),
    Case(
        "slabs, marked only by their thickness: 20 mm every 5 mm",
        lambda: scan("chest") | scan("slab", gap_mm=5, tags={"SliceThickness": 20}),
        check=CHEST,
    ),
    Case(
        "MIP slabs alone",
        lambda: scan("mip", tags={"ImageType": MIP}),
        flags=("projection_slab",),
        check=is_scan("mip"),
    ),
    Case(
        "slices of 1 mm every 10 mm beside slices of 20 mm",
        lambda: scan("chest", gap_mm=20) | scan("thin", tags={"SliceThickness": 1}),
        check=CHEST,
    ),
    Case(
        "slices of 1 mm every 10 mm alone",
        lambda: scan("thin", tags={"SliceThickness": 1}),
        flags=("interspaced_slices",),
        check=is_scan("thin"),
    ),
]

DATES = ("StudyDate", "SeriesDate", "AcquisitionDate")
ANOTHER_DAY = {**OTHER, "FrameOfReferenceUID": "1.2.4", "StudyDate": "20040718"}
BREATHS = [
    Case(
        "inspiration, and expiration with half the gap",
        lambda: scan("chest") | scan("out", size=0.85, gap_mm=5),
        flags=("other_breath_hold",),
        check=CHEST,
    ),
    Case(
        "four phases of breathing as four series",
        lambda: (
            scan("out", size=0.9)
            | scan("in", size=0.96)
            | scan("chest")
            | scan("between", size=0.93)
        ),
        flags=("other_breath_hold",),
        check=CHEST,
    ),
    Case(
        "supine, and prone with half the gap",
        lambda: scan("chest") | scan("prone", gap_mm=5, orientation="HFP"),
        flags=("other_position",),
        check=CHEST,
    ),
    Case(
        "prone alone",
        lambda: scan("prone", orientation="HFP"),
        check=as_sampled,
    ),
    Case(
        "two examinations: the earlier one is taken, though the later one is finer",
        lambda: scan("chest", tags=ONE) | scan("later", gap_mm=5, tags=ANOTHER_DAY),
        flags=("other_examinations",),
        check=CHEST,
    ),
    Case(
        "two examinations, the earlier one without half of the lungs",
        lambda: scan("half", count=12, tags=ONE) | scan("chest", tags=ANOTHER_DAY),
        flags=("other_examinations",),
        check=CHEST,
    ),
    Case(
        "two examinations without a date: the finer one is taken",
        lambda: (
            scan("thick", gap_mm=20, tags={**ONE, **dict.fromkeys(DATES)})
            | scan("chest", tags={**ANOTHER_DAY, **dict.fromkeys(DATES)})
        ),
        flags=("other_examinations",),
        check=CHEST,
    ),
    Case(
        "an examination of the abdomen on another day",
        lambda: scan("chest") | scan("abdomen", count=40, up_mm=-340.0, tags=ANOTHER_DAY),
        check=CHEST,
    ),
    Case(
        "one scan sent twice, as two studies",
        lambda: (
            scan("chest", tags=ONE)
            | scan("chest again", tags={**OTHER, "FrameOfReferenceUID": "1.2.4"})
        ),
        check=CHEST,
    ),
]

CASES = [*BODY_PARTS, *PARTS, *COMPUTED, *BREATHS]
