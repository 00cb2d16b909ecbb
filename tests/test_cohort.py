"""Who is a patient: names from outside never become paths unchecked."""

import re

import pytest
from snakemake.io import PeriodicityDetector

from lungprep.cohort import from_csv, from_listing
from lungprep.errors import ConfigError, NotFound
from lungprep.stores import Address

SOURCE = Address("bucket", "data/")


@pytest.fixture
def csv(tmp_path):
    def read(text):
        path = tmp_path / "cohort.csv"
        path.write_text(text)
        return from_csv(path, SOURCE)

    return read


class Listing:
    """A store that only lists: no file system takes these names."""

    address = SOURCE

    def __init__(self, *names):
        self.names = list(names)

    def folders(self):
        return self.names


GOOD = ["P1", "LIDC-IDRI-0001", "0a291d1b12b86213d813e3796f14b329", "a.b_c-d", "x" * 109 + "y" * 19]
BAD = [
    "..",
    ".",
    "",
    "-rf",
    "_cohort",
    "a b",
    "ünï",
    "x" * 129,
    "x" * 300,
    "a\nb",
    "a*",
    "a%2Fb",
    "$(x)",
]


def test_good_names_run_and_bad_ones_are_refused_by_name():
    cohort = from_listing(Listing(*GOOD, *BAD))
    assert list(cohort.patients) == GOOD
    assert list(cohort.refused) == BAD
    assert cohort.size == len(GOOD) + len(BAD)
    for why in cohort.refused.values():
        assert why.startswith("not usable as a patient id; rename it: an id takes 1 to 128")


def test_ids_that_snakemake_takes_for_a_circle_are_refused():
    detect = PeriodicityDetector().is_periodic
    for name, circle in (
        ("0" * 32, True), ("a" + "0" * 20, True), ("0" * 19, False), ("ab" * 20, True),
        ("0" * 31 + "1", False), ("ab" * 19 + "b", False), ("-0" * 20, True),
    ):  # fmt: skip
        name = f"P{name}"
        assert bool(detect(name)) == circle
        cohort = from_listing(Listing(name))
        assert (name in cohort.refused) == circle
        assert all("must not end in 20 repetitions" in why for why in cohort.refused.values())


def test_hidden_folders_are_no_patients():
    assert list(from_listing(Listing(".git", "P1")).patients) == ["P1"]


def test_prefix_of_a_listed_patient_is_its_folder():
    patient = from_listing(Listing("P1")).patients["P1"]
    assert str(patient.prefix) == "s3://bucket/data/P1/"


def test_files_in_the_source_are_no_patients(folder):
    place = folder("in")
    place.write("README", b"")
    place.write("P1/1.dcm", b"")
    assert list(from_listing(place).patients) == ["P1"]


def test_empty_and_absent_sources_are_named(folder):
    with pytest.raises(NotFound, match=r"in/? does not exist; check the path"):
        from_listing(folder("in"))
    with pytest.raises(ConfigError, match=r"no patient under source s3://bucket/data/; give the"):
        from_listing(Listing())


def test_patients_whose_files_collide_stop_the_run():
    """P1's mask and the volume of "P1.lungs" would both be P1.lungs.npy."""
    words = "patients P1 and P1.lungs would both write P1.lungs.npy; rename one of them"
    with pytest.raises(ConfigError, match=re.escape(words)):
        from_listing(Listing("P1", "P1.lungs"))


def test_csv_prefixes_are_relative_or_addresses(csv):
    cohort = csv(
        "patient,prefix,series_uid\n"
        "P1,scans/P1,1.2.3\n"
        "P2,scans/P1/,\n"
        "P3,s3://other/place,\n"
        "P4,/data/P4,\n"
    )
    assert {p.id: str(p.prefix) for p in cohort.patients.values()} == {
        "P1": "s3://bucket/data/scans/P1/",
        "P2": "s3://bucket/data/scans/P1/",
        "P3": "s3://other/place/",
        "P4": "/data/P4/",
    }
    assert cohort.patients["P1"].series_uid == "1.2.3"
    assert not cohort.patients["P2"].series_uid


def test_csv_with_byte_order_mark_and_without_series(csv):
    assert list(csv("\ufeffpatient,prefix\nP1,P1\n").patients) == ["P1"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("patient,prefix\nP1,a\nP1,b\n", "names patient 'P1' 2 times; keep one row"),
        ("id,prefix\nP1,a\n", "has no column patient, or no row; start it with the line patient,"),
        ("patient,prefix\n", "has no column patient, or no row"),
        ("patient,prefix\nP1\n", "has no column prefix"),
        ("patient,prefix\nP1,../x\n", "prefix of patient 'P1' is '../x'; give the folder below"),
        ("patient,prefix\nP1,a//b\n", "prefix of patient 'P1' is 'a//b'"),
        ("patient,prefix\nP0,a\nP1,\n", "prefix of patient 'P1' is ''"),
        (
            "patient,prefix\nP1,s3://bucket\n",
            "prefix of patient 'P1' is 's3://bucket', a bucket wi",
        ),
        ("patient,prefix\nP1,ftp://x/y\n", "of an unknown scheme"),
        ("patient,prefix\nP1,a\nP1.lungs,b\n", "would both write P1.lungs.npy"),
    ],
)
def test_bad_csv_is_refused(csv, text, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        csv(text)


def test_unreadable_csv_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"patients file .*nowhere.csv can't be read"):
        from_csv(tmp_path / "nowhere.csv", SOURCE)
    (tmp_path / "latin.csv").write_bytes(b"patient,prefix\nP\xe9,a\n")
    with pytest.raises(ConfigError, match=r"can't be read .*; give a CSV file in UTF-8"):
        from_csv(tmp_path / "latin.csv", SOURCE)
