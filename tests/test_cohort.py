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
        "P2,scans/P2/,\n"
        "P3,s3://other/place,\n"
        "P4,/data/P4,\n"
    )
    assert {p.id: str(p.prefix) for p in cohort.patients.values()} == {
        "P1": "s3://bucket/data/scans/P1/",
        "P2": "s3://bucket/data/scans/P2/",
        "P3": "s3://other/place/",
        "P4": "/data/P4/",
    }
    assert cohort.patients["P1"].series_uid == "1.2.3"
    assert not cohort.patients["P2"].series_uid


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "patient,prefix\nP1,a\nP2,a\nP1,b\n",
            "names patient 'P1' 2 times, in lines 2 and 4; keep one row",
        ),
        ("patient,prefix\nP1,../x\n", "prefix of patient 'P1' is '../x'; give the folder below"),
        ("patient,prefix\nP1,a//b\n", "prefix of patient 'P1' is 'a//b'"),
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


ONE = "s3://bucket/data/P1"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("P1,P1", "P2,P1"),
        ("P1,P1", "P2,P1/"),
        ("P1,P1", f"P2,{ONE}"),
        ("P1,P1", f"P2,{ONE}/"),
        ("P1,P1,1.2", "P2,P1,1.2"),
        ("P1,P1,1.2", "P2,P1"),
        ("P1,P1", "P2,P1,1.2"),
        ("P1,P1/a", "P2,P1"),
        ("P1,P1", "P2,P1/a/b"),
        ("P1,P1,1.2", "P2,P1/a"),
        ("P1,/data/x", "P2,/data/y/../x/"),
        ("P1,/data", "P2,/data/./x"),
    ],
)
def test_rows_that_would_read_the_same_slices_are_refused(csv, first, second):
    words = r"patients 'P1' and 'P2' \(lines 3 and 5 of patients file .*\) would read the same slic"
    with pytest.raises(
        ConfigError, match=words + ".*; keep one row, or give each row a series_uid"
    ):
        csv(f"patient,prefix,series_uid\nP0,P0\n{first}\nP10,P10\n{second}\nP3,P3\n")


@pytest.mark.parametrize(
    "rows",
    [
        "P1,P1,1.2\nP2,P1,1.3\nP3,P1,1.4",
        "P1,P1,1.2\nP2,P1/a,1.3",
        "P1,P1\nP2,P10\nP3,P1.a\nP4,P1-a",
        "P1,/data/P1\nP2,s3://data/P1\nP3,s3://bucket/P1",
    ],
)
def test_rows_of_their_own_series_or_places_are_taken(csv, rows):
    count = rows.count("\n") + 1
    assert len(csv(f"patient,prefix,series_uid\n{rows}\n").patients) == count


def test_a_link_is_the_place_that_it_leads_to(tmp_path):
    (tmp_path / "in" / "P1").mkdir(parents=True)
    (tmp_path / "in" / "P2").symlink_to("P1")
    (tmp_path / "cohort.csv").write_text("patient,prefix\nP1,P1\nP2,P2\n")
    with pytest.raises(ConfigError, match=r"patients 'P1' and 'P2' .* would read the same slices"):
        from_csv(tmp_path / "cohort.csv", Address("", f"{tmp_path}/in/"))
