"""What a folder as a store can get wrong."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lungprep.errors import StoreUnreachable
from lungprep.stores.folder import UNFINISHED


def test_folder_write_leaves_no_trace_when_the_disk_is_full(folder):
    """/dev/full answers each write with ENOSPC, as a full disk does."""
    place = folder("out")
    place.write("a", b"old")
    unfinished = f"{place.address.prefix}{UNFINISHED}a"
    Path(unfinished).symlink_to("/dev/full")
    with pytest.raises(StoreUnreachable, match="No space left on device; check the disk"):
        place.write("a", b"new content")
    assert place.read("a") == b"old"
    assert not os.path.lexists(unfinished)


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
