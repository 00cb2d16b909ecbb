"""Bad inputs that were met in the wild, from ../shared/data beside the checkout."""

from pathlib import Path

from corpus.case import Case
from corpus.files import Files
from corpus.oracles import as_sampled, as_stacked

DATA = Path(__file__).parents[3] / "shared/data"
BAD = DATA / "bad"
ANY_LENGTH = {"min_slices": 2, "min_length_mm": 0}
REPAIR = {"on_gantry_tilt": "repair", "on_missing_slices": "repair", "on_uneven_gaps": "repair"}


def folder(path: Path) -> Files:
    """All files directly in a folder."""
    return {p.name: p.read_bytes() for p in sorted(path.iterdir()) if p.is_file()}


def real(given: str, path: str, settings=None, **outcome) -> Case:
    """A case of one file or one folder below ``bad``."""
    place = BAD / path
    return Case(
        f"{given} (`{path}`)",
        lambda: {place.name: place.read_bytes()} if place.is_file() else folder(place),
        settings or {},
        needs=(BAD,),
        **outcome,
    )


CASES = [
    Case(
        "a sound series of 30 slices, 8 mm (`lungpetctdx-A0002-B40f`)",
        lambda: folder(DATA / "lungpetctdx-A0002-B40f"),
        needs=(DATA,),
        check=as_stacked,
    ),
    real(
        "four slices, tilted",
        "geometry/gantrytilting/001",
        refused=(
            "TooFewSlices",
            "the series has 4 slices (IM-0001-0001.dcm), fewer than "
            "load.min_slices (10); check that the upload is complete, or lower "
            "load.min_slices",
        ),
    ),
    real(
        "four slices, tilted",
        "geometry/gantrytilting/001",
        ANY_LENGTH,
        refused=(
            "TiltedGantry",
            "the gantry is tilted by 14.0 degrees: slices are shifted by up to 3.63 mm "
            "within their plane along the stack; supply a series without gantry tilt, or "
            "set load.on_gantry_tilt to repair",
        ),
    ),
    real(
        "four slices, tilted, repaired",
        "geometry/gantrytilting/001",
        ANY_LENGTH | REPAIR,
        flags=("gantry_tilt_sheared", "implausible_hu", "oblique_resliced"),
        check=as_sampled,
    ),
    real(
        "four slices at one position",
        "geometry/notavolume/001",
        ANY_LENGTH | REPAIR,
        refused=(
            "DuplicatePositions",
            "4 slices share a position with another and differ from it, such as 001.dcm and "
            "002.dcm at 61.50 mm; no acquisition, phase, number or "
            "time separates them into volumes; keep one slice for each position under the prefix",
        ),
    ),
    real(
        "two MR images",
        "geometry/slicecount/001",
        refused=(
            "NoCTImages",
            "no CT image among 2 objects under s3://corpus/patient/ (2 MR); check the prefix",
        ),
    ),
    real(
        "four MR images of two orientations",
        "geometry/sliceorientation/001",
        refused=(
            "NoCTImages",
            "no CT image among 4 objects under s3://corpus/patient/ (4 MR); check the prefix",
        ),
    ),
    real(
        "gaps of 5, 5 and 10 mm",
        "geometry/sliceincrement/001",
        ANY_LENGTH,
        refused=(
            "MissingSlices",
            "1 of 5 slices are missing, such as 1 between IM-0001-0009-0001.dcm and "
            "IM-0001-0010-0001.dcm (10.00 mm apart where 5.00 mm is usual); upload the "
            "missing slices, or set load.on_missing_slices to repair",
        ),
    ),
    real(
        "gaps of 5, 5 and 10 mm, repaired",
        "geometry/sliceincrement/001",
        ANY_LENGTH | REPAIR,
        flags=("implausible_hu", "missing_slices_interpolated"),
        check=as_sampled,
    ),
    real(
        "tilted, gaps of 0.778, 0.778 and 1.556 mm",
        "geometry/sliceincrement/002",
        ANY_LENGTH,
        refused=(
            "MissingSlices",
            "1 of 5 slices are missing, such as 1 between IM-0001-0003.dcm and "
            "IM-0001-0005.dcm (1.50 mm apart where 0.75 mm is usual); upload the missing "
            "slices, or set load.on_missing_slices to repair",
        ),
    ),
    real(
        "tilted, gaps of 0.778, 0.778 and 1.556 mm, repaired",
        "geometry/sliceincrement/002",
        ANY_LENGTH | REPAIR,
        flags=(
            "gantry_tilt_sheared",
            "implausible_hu",
            "missing_slices_interpolated",
            "oblique_resliced",
        ),
        check=as_sampled,
    ),
    real(
        "a head, tilted, gaps of 1.14 to 7.38 mm",
        "tilted-head",
        refused=(
            "UnevenGaps",
            "the gaps between slices range from 1.081 to 6.999 mm; supply a series with even "
            "gaps, or set load.on_uneven_gaps to repair",
        ),
    ),
    real(
        "a head, tilted, gaps of 1.14 to 7.38 mm, repaired",
        "tilted-head",
        REPAIR,
        flags=("gantry_tilt_sheared", "oblique_resliced", "uneven_gaps_resampled"),
        check=as_sampled,
    ),
    real(
        "streams that no decoder reads",
        "undecodable-j2k",
        refused=(
            "TooFewSlices",
            "the series has 8 slices (000000.dcm), fewer than load.min_slices "
            "(10); check that the upload is complete, or lower load.min_slices",
        ),
    ),
    real(
        "streams that no decoder reads",
        "undecodable-j2k",
        ANY_LENGTH,
        refused=(
            "UndecodablePixels",
            "000000.dcm can't be decoded: truncated JPEG 2000 data; upload it again",
        ),
    ),
    real(
        "three odd files",
        "odd-files",
        refused=(
            "UndecodablePixels",
            "CT_Implicit_Little_Headless_Retired.dcm starts with data elements in place of "
            "a DICOM file header; export it again",
        ),
    ),
    real(
        "one slice",
        "odd-files/CT_Explicit_Little.dcm",
        refused=(
            "TooFewSlices",
            "the series has 1 slice (CT_Explicit_Little.dcm), fewer than load.min_slices "
            "(10); check that the upload is complete, or lower load.min_slices",
        ),
    ),
    real(
        "a slice without file header",
        "odd-files/CT_Implicit_Little_Headless_Retired.dcm",
        refused=(
            "UndecodablePixels",
            "CT_Implicit_Little_Headless_Retired.dcm starts with data elements in place of "
            "a DICOM file header; export it again",
        ),
    ),
    real(
        "a chest localizer",
        "odd-files/CT_JPEG70.dcm",
        refused=(
            "NotOriginal",
            "the CT images are not original slices (1 localizer series); upload the original "
            "series",
        ),
    ),
    real(
        "one slice in 15 encodings, a report, an ultrasound",
        "transfer-syntaxes",
        {"series_uid": "1.2.840.113619.2.30.1.1762295590.1623.978668949.890"},
        refused=(
            "DuplicatePositions",
            "16 slices share a position with another and differ from it, such as CTImage.dcm and "
            "CTImage.dcm_JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91.dcm at 4.70 mm; no "
            "acquisition, phase, number or time separates them into volumes; keep one slice for "
            "each position under the prefix",
        ),
    ),
    real(
        "one slice in 15 encodings, and somebody else's perfusion map",
        "transfer-syntaxes",
        refused=(
            "SeveralPatients",
            "18 CT images of 2 people (by PatientID) lie under one prefix; keep one person's "
            "images under a prefix, or name one series for each in the cohort file",
        ),
    ),
    real(
        "a perfusion map as enhanced CT",
        "transfer-syntaxes/CT0012.fragmented_no_bot_jpeg_baseline.51.dcm",
        refused=(
            "NotOriginal",
            "the CT images are not original slices (1 derived series); upload the original "
            "series, or set load.accept_derived to true",
        ),
    ),
    real(
        "a report without pixel data",
        "transfer-syntaxes/no-pixel-data.dcm",
        refused=(
            "NoCTImages",
            "no CT image among 1 objects under s3://corpus/patient/ (1 SR); check the prefix",
        ),
    ),
    real(
        "an ultrasound image",
        "transfer-syntaxes/no-pixel-spacing.dcm",
        refused=(
            "NoCTImages",
            "no CT image among 1 objects under s3://corpus/patient/ (1 US); check the prefix",
        ),
    ),
]
