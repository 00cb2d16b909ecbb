"""What somebody may have put where slices are read from: nothing hangs, nothing is taken for more
than it is, and no secret is repeated."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from lungprep import errors
from lungprep.cohort.patients import from_csv
from lungprep.cohort.planning import source_digest
from lungprep.errors import TransferMismatch
from lungprep.image import loading
from lungprep.image.dicom.parsing import LARGEST_BYTES
from lungprep.image.loading import load
from lungprep.image.series.policy import LoadOptions
from lungprep.stores import Address, Entry, S3Options
from lungprep.stores.address import check_pair, parse_address
from lungprep_demo.phantom import Scan, chest, slices

SMALL = Scan(gap_mm=20, shape=(48, 40), spacing_mm=(7.5, 9.0))
OPTIONS = LoadOptions(min_slices=3)


@pytest.fixture
def patient(folder):
    """A folder with a patient's slices, as a store."""
    place = folder("in/P1")
    for name, content in slices(chest(), SMALL):
        place.write(f"scan/{name}", content)
    return place


def here(place, *names):
    return Path(place.address.prefix, *names)


def keys(place):
    return [entry.key for entry in place.entries(below=True)]


def test_links_in_circles_end(patient):
    expected = keys(patient)
    for name in ("a", "b", "c"):
        here(patient, name).mkdir()
    for one in ("a", "b", "c", "scan"):
        here(patient, one, "up").symlink_to(here(patient))
        for other in ("a", "b", "c", "scan"):
            here(patient, one, f"to-{other}").symlink_to(here(patient, other))
    assert keys(patient) == expected
    assert load(patient, OPTIONS)[1].source["objects"] == len(expected)


def test_pipes_and_devices_are_no_objects(patient):
    expected = keys(patient)
    os.mkfifo(here(patient, "scan/9-999.dcm"))
    here(patient, "scan/zero.dcm").symlink_to("/dev/zero")
    assert keys(patient) == expected
    assert not load(patient, OPTIONS)[1].source["skipped"]


def test_links_that_lead_nowhere_are_named(patient):
    lost = here(patient, "scan/old.dcm")
    for target in ("/mnt/not-mounted/old.dcm", "old.dcm"):
        lost.symlink_to(target)
        with pytest.raises(
            errors.ObjectNotFound, match=r"old.dcm is a link that leads nowhere; repair"
        ):
            keys(patient)
        assert source_digest(patient.address, S3Options()) == "not listed: ObjectNotFound"
        lost.unlink()


def test_names_that_are_no_utf_8_have_a_digest(patient):
    here(patient, "scan/1-001.dcm").rename(here(patient, os.fsdecode(b"\xff.dcm")))
    assert load(patient, OPTIONS)[1].source["digest"] == source_digest(patient.address, S3Options())


def test_what_systems_keep_in_a_folder_of_their_own_is_no_slice(patient):
    expected = load(patient, OPTIONS)[1]
    slice_ = here(patient, "scan/1-001.dcm").read_bytes()
    for folder in (
        ".Trash-1000/files",
        ".snapshot/daily",
        "scan/@eaDir",
        "scan/__MACOSX",
        "#recycle",
    ):
        patient.write(f"{folder}/1-999.dcm", slice_)
    assert load(patient, OPTIONS)[1] == expected
    assert source_digest(patient.address, S3Options()) == expected.source["digest"]


def test_what_systems_keep_beside_the_slices_is_skipped(patient):
    names = ("._1-001.dcm", ".DS_Store", "Thumbs.db", "1-001.dcm@SynoEAStream", "desktop.ini")
    for name in names:
        patient.write(f"scan/{name}", bytes(300))
    assert load(patient, OPTIONS)[1].source["skipped"] == {"not DICOM": len(names)}


def test_folders_as_deep_as_the_system_lets_them_be_are_listed(patient):
    deep = here(patient)
    for _ in range(1500):
        deep /= "d"
        deep.mkdir()
    (deep / "LICENSE").write_bytes(b"words")
    found = keys(patient)
    # pytest would not get it away again.
    subprocess.run(["/bin/rm", "-r", str(here(patient, "d"))], check=True)
    assert len(found) == len(list(slices(chest(), SMALL))) + 1


def test_an_object_larger_than_any_ct_is_not_read(patient):
    with here(patient, "scan/all.tar").open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    _, found = load(patient, OPTIONS)
    assert found.source["skipped"] == {loading.TOO_LARGE: 1}
    assert found.source["bytes"] > LARGEST_BYTES


def test_a_slice_that_is_listed_as_larger_than_any_ct_is_not_passed_over(patient, monkeypatch):
    first, *others = patient.entries(below=True)
    listed = [replace(first, size=LARGEST_BYTES + 1), *others]
    monkeypatch.setattr(patient, "entries", lambda **_: listed)
    with pytest.raises(TransferMismatch, match=r"bytes, but the listing says 2\d{9}; let the"):
        load(patient, OPTIONS)


def test_a_zipped_slice_is_not_unzipped(patient):
    """So that no bomb is: it is refused as what it is named like and is not."""
    here(patient, "scan/9-999.dcm.gz").write_bytes(b"\x1f\x8b\x08" + bytes(100))
    with pytest.raises(
        errors.UndecodablePixels, match=r"9-999\.dcm\.gz is packed \(gzip\), though named"
    ):
        load(patient, OPTIONS)


class Named:
    """A store of odd names, which no file system takes."""

    address = Address("bucket", "in/P1/")

    def __init__(self, names, content):
        self.names, self.content = names, content

    def entries(self, *, below):
        return [Entry(name, len(self.content), "e") for name in self.names]

    def read(self, key, expected=None):
        return self.content


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\x1b[2J\nb.dcm", "\u202egnp.mcd", "\ud800"])
def test_names_of_objects_are_never_paths_and_steer_no_terminal(name):
    """Of one slice, which are too few; the error names it."""
    content = next(content for _, content in slices(chest(), SMALL))
    with pytest.raises(errors.TooFewSlices) as caught:
        load(Named([name], content), OPTIONS)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("text", ["/data\0/x", "s3://bucket/a\0/"])
def test_a_nul_is_named(tmp_path, text):
    with pytest.raises(errors.ConfigError, match=r"^source is .*, with a NUL; write s3://"):
        check_pair(text, str(tmp_path))
    (tmp_path / "cohort.csv").write_text(f"patient,prefix\nP1,{text}\n")
    with pytest.raises(errors.ConfigError, match=r"NUL"):
        from_csv(tmp_path / "cohort.csv", Address("bucket", "in/"))


@pytest.mark.parametrize(
    "text", ["s3://AKIA:secret@bucket/x", "https://me:secret@host/x", "s3://secret@bucket"]
)
def test_a_password_in_an_address_is_not_repeated(text):
    with pytest.raises(errors.ConfigError) as caught:
        parse_address("source", text)
    assert "secret" not in str(caught.value)
    assert "AKIA" not in str(caught.value)
    assert "://***@" in str(caught.value)
