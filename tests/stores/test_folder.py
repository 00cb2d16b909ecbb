"""What a folder as a store can get wrong."""

import fcntl
import os
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lungprep.errors import (
    LungprepError,
    ObjectNotFound,
    RequestRefused,
    StoreUnreachable,
    TransferMismatch,
)
from lungprep.stores import S3Options, files, open_store
from lungprep.stores.address import check_pair
from lungprep.stores.base import read_listed
from lungprep.stores.files import UNFINISHED


def test_folder_write_leaves_no_trace_when_no_more_can_be_written(folder):
    """As on a full disk: the system lets no file of the process grow beyond a size."""
    place = folder("out")
    place.write("a", b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(StoreUnreachable, match="File too large; check the disk"):
            place.write("a", bytes(1000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert place.read("a") == b"old"
    assert [p.name for p in Path(place.address.prefix).iterdir()] == ["a"]


def test_folder_listing_ignores_unfinished_files(folder):
    place = folder("out")
    place.write("a", b"1")
    Path(f"{place.address.prefix}{UNFINISHED}b").write_bytes(b"half of something long")
    assert [e.key for e in place.entries()] == ["a"]
    place.write("b", b"whole")
    assert place.read("b") == b"whole"
    assert sorted(p.name for p in Path(place.address.prefix).iterdir()) == ["a", "b"]


def test_two_writers_of_a_file_never_mix(folder):
    place = folder("out")
    contents = [bytes([n]) * 200_000 for n in range(8)]
    for _ in range(20):
        with ThreadPoolExecutor(8) as pool:
            written = list(pool.map(lambda c: place.write("a", c), contents))
        assert {e.size for e in written} == {200_000}
        assert place.read("a") in contents
    assert [p.name for p in Path(place.address.prefix).iterdir()] == ["a"]


@pytest.fixture
def target(folder, tmp_path):
    """A target that others may write to, and a file of the account outside it."""
    place = folder("out")
    place.write("qc/P1.png", b"1")
    (tmp_path / "victim").write_bytes(b"precious")
    yield place
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "victim"]


def plant(kind, path, victim):
    """Put something in the way of a write."""
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to(victim)
    elif kind == "lost link":
        path.symlink_to(victim.with_name("new"))
    elif kind == "hard link":
        path.hardlink_to(victim)
    elif kind == "device":
        path.symlink_to("/dev/full")
    else:
        os.mkfifo(path)


PLANTED = ("link", "lost link", "hard link", "device", "pipe")


@pytest.mark.parametrize("kind", PLANTED)
@pytest.mark.parametrize("name", ["P1.npy", f"{UNFINISHED}P1.npy"])
def test_what_is_planted_in_a_target_leads_nowhere(target, tmp_path, kind, name):
    plant(kind, tmp_path / "out" / name, tmp_path / "victim")
    written = target.write("P1.npy", b"array")
    assert target.read("P1.npy") == b"array"
    assert target.entries() == [written]


@pytest.mark.parametrize("kind", [kind for kind in PLANTED if kind != "hard link"])
def test_what_is_no_file_is_no_result(target, tmp_path, kind):
    plant(kind, tmp_path / "out/P1.json", tmp_path / "victim")
    assert target.entries() == []
    assert target.stat("P1.json") is None
    with pytest.raises(RequestRefused, match=r"out/P1.json is a link, a pipe or a device; remove"):
        target.read("P1.json")
    target.discard("P1.json")
    assert not os.path.lexists(tmp_path / "out/P1.json")


def test_a_linked_folder_in_a_target_is_not_written_through(target, tmp_path):
    (tmp_path / "out/qc/P1.png").unlink()
    (tmp_path / "out/qc").rmdir()
    (tmp_path / "out/qc").symlink_to(tmp_path)
    for action in (
        lambda: target.write("qc/victim", b"x"),
        lambda: target.discard("qc/victim"),
        lambda: target.read("qc/victim"),
        lambda: target.stat("qc/victim"),
    ):
        with pytest.raises(RequestRefused, match=r"qc/victim is a link, a pipe or a device"):
            action()


def test_a_target_that_is_a_link_itself_is_the_users(folder, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    folder("out").write("a", b"1")
    assert (tmp_path / "disk/a").read_bytes() == b"1"


def test_a_lock_is_waited_for_only_so_long(target, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LOCK_S", 0.2)
    with (tmp_path / f"out/{UNFINISHED}P1.json").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(
            StoreUnreachable, match=r"has been locked by another process for 0\.2 s; end"
        ):
            target.write("P1.json", b"{}")
    target.write("P1.json", b"{}")
    assert target.read("P1.json") == b"{}"


def renamed(path, content):
    """Another file under the same name."""
    path.with_name("new").write_bytes(content)
    path.with_name("new").replace(path)


def rewritten(path, content):
    """In the file itself, with the time of the one before."""
    status = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("replace", [renamed, rewritten])
def test_a_slice_of_another_upload_is_none_of_the_listed(folder, tmp_path, replace):
    """Of equal size, and of equal time even: no volume is mixed from two uploads."""
    place = folder("in")
    for name in ("1.dcm", "2.dcm"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"old slice")
    first, second = place.entries(below=True)
    assert read_listed(place, first) == b"old slice"
    time.sleep(0.02)
    replace(tmp_path / "in/2.dcm", b"new slice")
    with pytest.raises(TransferMismatch, match=r"in/2.dcm was replaced while it was being read"):
        read_listed(place, second)
    assert [read_listed(place, e) for e in place.entries(below=True)] == [
        b"old slice",
        b"new slice",
    ]


def may_read(path):
    """Whether this process may: root in a container often may not, whatever the permissions say."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not may_read("/proc/kmsg"), reason="only root reads it")
def test_a_link_to_a_log_without_end_is_not_waited_for(folder, tmp_path):
    place = folder("in")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/1.dcm").symlink_to("/proc/kmsg")
    (entry,) = place.entries(below=True)
    assert read_listed(place, entry) == b""
    assert place.read_start("1.dcm", 100) == b""


def test_a_pipe_that_took_the_place_of_a_slice_is_not_waited_for(folder, tmp_path):
    place = folder("in")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/1.dcm").write_bytes(b"slice")
    (entry,) = place.entries(below=True)
    (tmp_path / "in/1.dcm").unlink()
    os.mkfifo(tmp_path / "in/1.dcm")
    for action in (lambda: read_listed(place, entry), lambda: place.read_start("1.dcm", 9)):
        with pytest.raises(RequestRefused, match=r"in/1.dcm is a link, a pipe or a device"):
            action()


def test_what_has_the_place_of_a_file_or_folder_is_named(folder, tmp_path):
    place = folder("out")
    for name in ("P1.npy", f"{UNFINISHED}P2.npy"):
        Path(place.address.prefix, name).mkdir(parents=True)
    Path(place.address.prefix, "qc").write_bytes(b"1")
    for key, named in (("P1.npy", "P1.npy"), ("P2.npy", f"{UNFINISHED}P2.npy")):
        with pytest.raises(RequestRefused, match=rf"/out/{named} is a folder where .*; remove it"):
            place.write(key, b"1")
    with pytest.raises(RequestRefused, match=r"/qc/P1\.png can't be created: part of its path is"):
        place.write("qc/P1.png", b"1")
    (tmp_path / "file").write_bytes(b"1")
    with pytest.raises(ObjectNotFound, match=r"/file is not in a folder; check the path"):
        folder("file").entries()


def test_a_link_in_a_circle_is_one_line(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").symlink_to("out")
    with pytest.raises(LungprepError, match=r"form a circle|can't be created"):
        target = check_pair(f"{tmp_path}/in", f"{tmp_path}/out")[1]
        open_store(target, S3Options()).write("P1.npy", b"1")


def test_a_pipe_among_slices_is_named(folder, caplog):
    place = folder("in")
    place.write("1.dcm", b"1")
    os.mkfifo(Path(place.address.prefix, "2\n.dcm"))
    assert [entry.key for entry in place.entries(below=True)] == ["1.dcm"]
    (said,) = caplog.messages
    assert said.startswith("ignored, because it is a pipe or a device: ")
    assert "\n" not in said
