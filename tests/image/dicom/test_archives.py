"""Archives by their first bytes."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from lungprep.image.dicom.archives import archive_kind, without_suffix
from lungprep.image.dicom.objects import read_object


def zipped():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("1.dcm", b"x")
    return buffer.getvalue()


def tarred():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("1.dcm"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (gzip.compress(b"x", mtime=0), "gzip files"),
        (bz2.compress(b"x"), "bzip2 files"),
        (lzma.compress(b"x"), "xz files"),
        (zipped(), "zip files"),
        (tarred(), "tar files"),
        (b"7z\xbc\xaf\x27\x1c\0", "7z files"),
        (b"Rar!\x1a\x07\1\0", "rar files"),
        (b"\x28\xb5\x2f\xfd\0", "zstd files"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_archives_are_told_by_their_bytes(content, kind):
    assert archive_kind(content) == kind
    assert read_object("ct/1.dcm", content) == kind


@pytest.mark.parametrize("content", [b"", b"text", bytes(600), b"PK"])
def test_what_is_no_archive_is_none(content):
    assert archive_kind(content) == ""


@pytest.mark.parametrize("key", ["a/1.dcm", "a/1.dcm.gz", "a/1.dcm.zip", "a/1.dcm.Z"])
def test_a_packed_file_is_named_like_what_is_in_it(key):
    assert without_suffix(key) == "a/1.dcm"
