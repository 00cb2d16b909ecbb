"""Who is a patient: names from outside never become paths unchecked."""

import os
import re

import pytest
from snakemake.io import PeriodicityDetector

from lungprep.cohort.patients import from_csv, from_listing
from lungprep.errors import ConfigError, NotFound
from lungprep.stores import Address
from lungprep.stores.level import Level

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

    def level(self):
        return Level(self.names)


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
        assert why.startswith("not usable as a patient id; rename it: an id has 1 to 128")


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


SYSTEM = [
    ".git",
    ".snapshot",
    ".Trash",
    ".Trash-1000",
    ".ipynb_checkpoints",
    "__MACOSX",
    "@eaDir",
    "#recycle",
    "#snapshot",
    "@Recycle",
    "~snapshot",
    "lost+found",
    "$RECYCLE.BIN",
    "$Recycle.Bin",
    "RECYCLER",
    "System Volume Information",
    "found.000",
    "Network Trash Folder",
]


def test_hidden_folders_and_those_of_systems_are_no_patients():
    cohort = from_listing(Listing(*SYSTEM, "P1", "found", "recycle", "git"))
    assert list(cohort.patients) == ["P1", "found", "recycle", "git"]
    assert not cohort.refused
    assert not cohort.beside
    with pytest.raises(ConfigError, match="no patient under source"):
        from_listing(Listing(*SYSTEM))


def test_prefix_of_a_listed_patient_is_its_folder():
    patient = from_listing(Listing("P1")).patients["P1"]
    assert str(patient.prefix) == "s3://bucket/data/P1/"


def test_what_lies_beside_the_folders_is_told(store):
    place = store("in")
    place.write("P1/1.dcm", b"")
    for name in (".DS_Store", "._P1", "Thumbs.db", "desktop.ini", "DICOMDIR"):
        place.write(name, b"")
    assert not from_listing(place).beside
    for number in range(44):
        place.write(f"P4-{number:03d}.DCM", b"")
    for name in ("P2.zip", "P3.tar.gz", "README", "IM1"):
        place.write(name, b"")
    cohort = from_listing(place)
    assert list(cohort.patients) == ["P1"]
    assert cohort.size == 1
    assert cohort.beside == (
        f"beside the patients' folders in {place.address}: 2 archives (P2.zip, P3.tar.gz), "
        "44 loose slices (P4-000.DCM, P4-001.DCM, P4-002.DCM, ...), 2 other files (IM1, README); "
        "none of it is read: slices of a patient belong in a folder"
    )


def test_slices_without_any_folder_are_told(store):
    place = store("in")
    place.write("1.dcm", b"")
    with pytest.raises(ConfigError, match=r"no patient under .*/in/, but 1 loose slice \(1.dcm\);"):
        from_listing(place)


def test_links_that_lead_nowhere_or_double_a_patient_are_told(folder, tmp_path):
    place = folder("in")
    place.write("P1/a/1.dcm", b"")
    for name in ("share/one", "share/two"):
        (tmp_path / name).mkdir(parents=True)
    for name, target in {
        "P2": "../share/one",
        "P3": "../share/two",
        "P4": "../share/one",
        "P0": "P1",
        "P5": "P1/a",
        "all": ".",
        "above": "..",
        "mount": "/mnt/not-mounted/P3",
        "circle": "circle",
        "file": "P1/a/1.dcm",
        "odd\x1b": "nowhere",
    }.items():
        (tmp_path / "in" / name).symlink_to(target)
    os.mkfifo(tmp_path / "in" / "pipe")
    cohort = from_listing(place)
    assert list(cohort.patients) == ["P1", "P2", "P3"]
    told = cohort.beside.partition("/in/: ")[2]
    assert told.startswith(
        "3 links that lead nowhere (circle, mount, odd\ufffd), 1 link to a file (file), "
        "5 links to slices of other folders here (P0, P4, P5, ...), 1 pipe or device (pipe); none"
    )


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
        ("patient,prefix\nP1,ftp://x/y\n", "with an unknown scheme"),
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
        ConfigError, match=words + ".*; keep one row, or give each row its own series_uid"
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
