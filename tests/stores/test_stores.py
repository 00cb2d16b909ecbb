"""What both kinds of store promise."""

import pytest

from lungprep.errors import ObjectNotFound, TransferMismatch
from lungprep.stores import Entry
from lungprep.stores.base import listing_digest


def test_what_is_written_is_listed_and_read(store):
    place = store("out")
    written = place.write("a.npy", memoryview(b"some bytes"))
    below = place.write("qc/a.png", b"picture")
    assert place.entries() == [written]
    assert place.entries(below=True) == [written, below]
    assert place.level().folders == ["qc"]
    assert place.read("a.npy", written) == b"some bytes"


def test_a_prefix_never_sees_its_longer_namesake(store):
    for name in ("P1", "P10", "P1x"):
        store(name).write("1.dcm", name.encode())
    assert [e.key for e in store("P1").entries(below=True)] == ["1.dcm"]
    assert store("P1").read("1.dcm") == b"P1"


def test_discard_removes_and_forgives(store):
    place = store("out")
    place.write("a", b"1")
    place.discard("a")
    place.discard("a")
    assert place.entries() == []


def test_overwriting_replaces(store):
    place = store("out")
    first = place.write("a", b"1")
    second = place.write("a", b"22")
    assert first.etag != second.etag
    assert place.entries() == [second]


def test_an_object_replaced_since_the_listing_is_an_error(store):
    place = store("out")
    place.write("a", b"22")
    with pytest.raises(TransferMismatch, match=r"run again when|let the upload finish"):
        place.read("a", Entry("a", 1, "other"))


def test_a_missing_object_is_named(store):
    place = store("out")
    place.write("a", b"1")
    with pytest.raises(ObjectNotFound, match=r"out/b does not exist; check the"):
        place.read("b")


def test_digest_is_of_the_set_and_tells_every_change():
    entries = [Entry("a", 1, "x"), Entry("b", 2, "y")]
    digest = listing_digest(entries)
    assert digest == listing_digest(reversed(entries))
    changed = [
        [Entry("a", 1, "x")],
        [Entry("a", 1, "x"), Entry("b", 2, "z")],
        [Entry("a", 1, "x"), Entry("b", 3, "y")],
        [Entry("a", 1, "x"), Entry("c", 2, "y")],
    ]
    assert len({digest, *map(listing_digest, changed)}) == 5


def test_stat_tells_what_is_there(store):
    place = store("out")
    assert place.stat("a") is None
    written = place.write("a", b"1")
    assert place.stat("a") == written == place.entries()[0]
