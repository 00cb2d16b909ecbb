"""Whether a prefix is one person: by the headers, whose values stay out of every message."""

from corpus.case import Case
from corpus.choice_cases import scan
from corpus.files import Files, read, write

NOBODY = dict.fromkeys(("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "PatientAge"))
LATER = {"StudyInstanceUID": "1.2.2", "FrameOfReferenceUID": "1.2.4", "StudyDate": "20050718"}
NAMELESS = {"SeriesInstanceUID": None}
ELSEWISE = "keep one person's images under a prefix, or name one series for each in the cohort file"


def two(one: dict, other: dict, *folders: str) -> Files:
    """Two scans of the chest, the second one shorter, each with tags of its own."""
    first, second = folders or ("chest", "other")
    return scan(first, tags=one) | scan(second, count=28, up_mm=3.0, tags=other)


def without_ids(one: dict, other: dict) -> Files:
    """The same where all that tells people apart is taken out but these tags, in two studies."""
    return two({**NOBODY, **one}, {**NOBODY, **LATER, **other})


def under(folder: str, files: Files) -> Files:
    return {f"{folder}/{name}": content for name, content in files.items()}


def localizer(**tags) -> Files:
    """One frontal view."""
    content = next(iter(scan("scout", count=1, tags=tags).values()))
    dataset = read(content)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    return {"scout/1.dcm": write(dataset)}


def several(evidence: str, images: int = 58, remedy: str = "…") -> tuple[str, str]:
    return (
        "SeveralPatients",
        f"{images} CT images of 2 people (by {evidence}) lie under one prefix; {remedy}",
    )


def is_chest(files, volume, scan):
    """The longer of the two was taken."""
    assert scan.acquisition["shape"][0] == 30


CASES = [
    Case(
        "images of two PatientIDs in two folders",
        lambda: two({"PatientID": "P1"}, {"PatientID": "P2"}),
        refused=several(
            "PatientID",
            remedy="give s3://corpus/patient/ as source, whose 2 folders hold one person each; or "
            + ELSEWISE,
        ),
    ),
    Case(
        "images of two PatientIDs in folders two levels below",
        lambda: under("site/a", two({"PatientID": "P1"}, {"PatientID": "P2"}, "x", "y")),
        refused=several(
            "PatientID",
            remedy="give s3://corpus/patient/site/a/ as source, whose 2 folders hold one person "
            "each; or " + ELSEWISE,
        ),
    ),
    Case(
        "images of two PatientIDs in one folder",
        lambda: {f"{k}.dcm": c for k, c in enumerate(two({"PatientID": "1"}, {}).values())},
        refused=several("PatientID", remedy=ELSEWISE),
    ),
    Case(
        "images of two PatientIDs in one series",
        lambda: (
            scan("chest", tags={"PatientID": "P1"})
            | under("b", scan("chest", count=5, tags={"PatientID": "P2"}))
        ),
        refused=several(
            "PatientID",
            images=35,
            remedy="give s3://corpus/patient/ as source, whose 2 folders hold one person each; or "
            "keep one person's images under a prefix",
        ),
    ),
    Case(
        "two people, and a named series of one of them",
        lambda: two({"PatientID": "P1"}, {"PatientID": "P2"}),
        {"series_uid": read(next(iter(scan("chest", count=1).values()))).SeriesInstanceUID},
        check=is_chest,
    ),
    Case(
        "a localizer with another PatientID",
        lambda: scan("chest") | localizer(PatientID="P2"),
        refused=several("PatientID", images=31),
    ),
    Case(
        "one PatientID, also in other letter case and with blanks",
        lambda: two({"PatientID": "p1 "}, {"PatientID": "P1"}),
        check=is_chest,
    ),
    Case(
        "one PatientID, absent from some of the images",
        lambda: two({}, {"PatientID": None}),
        check=is_chest,
    ),
    Case(
        "two different placeholders instead of a PatientID",
        lambda: two({"PatientID": "ANONYMOUS"}, {"PatientID": "0"}),
        check=is_chest,
    ),
    Case(
        "no PatientID, different names",
        lambda: without_ids({"PatientName": "A^B"}, {"PatientName": "C^B"}),
        refused=several("PatientName"),
    ),
    Case(
        "no PatientID, one name in another order and letter case",
        lambda: without_ids({"PatientName": "Muster^Eva"}, {"PatientName": "EVA MUSTER"}),
        flags=("other_examinations",),
        check=is_chest,
    ),
    Case(
        "no PatientID, two studies with different sex",
        lambda: without_ids({"PatientSex": "F"}, {"PatientSex": "M"}),
        refused=several("PatientSex"),
    ),
    Case(
        "no PatientID, two studies with different dates of birth",
        lambda: without_ids({"PatientBirthDate": "19520229"}, {"PatientBirthDate": "19521104"}),
        refused=several("PatientBirthDate"),
    ),
    Case(
        "no PatientID, a date of birth and only its year",
        lambda: without_ids({"PatientBirthDate": "19520229"}, {"PatientBirthDate": "19520101"}),
        flags=("other_examinations",),
        check=is_chest,
    ),
    Case(
        "no PatientID, ages that the dates explain",
        lambda: without_ids({"PatientAge": "068Y"}, {"PatientAge": "070Y"}),
        flags=("other_examinations",),
        check=is_chest,
    ),
    Case(
        "no PatientID, ages that the dates can't explain",
        lambda: without_ids({"PatientAge": "068Y"}, {"PatientAge": "075Y"}),
        refused=several("PatientAge"),
    ),
    Case(
        "no SeriesInstanceUID, two PatientIDs",
        lambda: two({**NAMELESS, "PatientID": "P1"}, {**NAMELESS, "PatientID": "P2"}),
        refused=several(
            "PatientID",
            remedy="give s3://corpus/patient/ as source, whose 2 folders hold one person each; or "
            "keep one person's images under a prefix",
        ),
    ),
    Case(
        "no SeriesInstanceUID, two studies that continue each other",
        lambda: (
            scan("chest", tags=NAMELESS)
            | scan("other", count=28, up_mm=290.0, tags={**NAMELESS, **LATER})
        ),
        check=is_chest,
    ),
    Case("no SeriesInstanceUID", lambda: scan("chest", tags=NAMELESS), check=is_chest),
]
