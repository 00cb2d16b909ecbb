"""Writing results: whole, in order, and never a sidecar beside what it does not describe."""

import hashlib
import json

import numpy as np
import pytest

from lungprep.cohort.ledger import read_sidecars, stale_reason
from lungprep.errors import ContestedTarget, StoreUnreachable
from lungprep.image.export import Product
from lungprep.image.volume import Grid
from lungprep.publish.publishing import npy, publish

GRID = Grid((2, 3, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
SIDECAR = {
    "recipe": {"digest": "r"}, "source": {"digest": "s"}, "requested_series_uid": None,
    "series_instance_uid": "1.2", "flags": [], "steps": {},
}  # fmt: skip


def product(value=0):
    voxels = np.full(GRID.shape, value, np.int16)
    return Product(voxels, (voxels > 0).astype(np.uint8), GRID, (0, 0, 0), GRID.shape, None, None)


class Watched:
    """A store that does something else besides whenever a key is written."""

    def __init__(self, store, key, besides):
        self._store, self._key, self._besides = store, key, besides
        self.address, self.read, self.stat, self.discard = (
            store.address, store.read, store.stat, store.discard
        )  # fmt: skip

    def write(self, key, content):
        entry = self._store.write(key, content)
        if key == self._key:
            self._besides(self._store)
        return entry


def put(target, value=0):
    return publish(target, "P1", product(value), b"png", SIDECAR, lambda: {"seconds": 1.0})


def test_sidecar_describes_what_lies_there(store):
    target = store("out")
    facts = put(target)
    sidecar = json.loads(target.read("P1.json"))
    for field, key in (("npy", "P1.npy"), ("lungs_npy", "P1.lungs.npy")):
        content = target.read(key)
        assert sidecar[field]["sha256"] == hashlib.sha256(content).hexdigest()
        assert sidecar[field]["bytes"] == len(content)
    assert facts.etag == target.stat("P1.json").etag
    assert facts.npy_bytes == target.stat("P1.npy").size


@pytest.mark.parametrize("key", ["P1.lungs.npy", "P1.json"])
def test_another_recipe_at_the_same_time_withdraws_the_sidecar(store, key):
    def other(target):
        target.write("P1.npy", b"as long as the other run's")

    target = Watched(store("out"), key, other)
    with pytest.raises(ContestedTarget, match=r"another run has replaced .*P1\.npy with another"):
        put(target)
    assert target.stat("P1.json") is None


def test_the_same_bytes_of_another_run_are_as_good(store):
    place = store("out")
    put(Watched(place, "P1.json", lambda target: target.write("P1.npy", target.read("P1.npy"))))
    assert place.stat("P1.json") is not None


@pytest.mark.parametrize("key", ["P1.npy", "P1.lungs.npy", "qc/P1.png"])
def test_no_sidecar_stands_while_arrays_are_replaced(store, key):
    """A process that ends at any of these moments leaves a patient who is to be done."""
    target = store("out")
    put(target)

    def dies(_):
        raise StoreUnreachable("killed here", "")

    with pytest.raises(StoreUnreachable):
        put(Watched(target, key, dies), value=1)
    assert target.stat("P1.json") is None


def test_an_array_is_handed_over_as_bytes_that_nobody_has_to_release():
    """A view of a buffer that ends before it makes Python 3.13 complain at the end of the job."""
    assert type(npy(product().voxels)) is bytes


def test_a_run_that_is_killed_beside_another_ones_sidecar_is_seen(s3):
    """The other publishes wholly between this one's removal of the sidecar and its array."""
    target = s3("out")

    def killed(store):
        raise KeyboardInterrupt

    class Late(Watched):
        def write(self, key, content):
            if key == self._key:
                put(self._store, 7)
            return super().write(key, content)

    for key in ("P1.npy", "P1.lungs.npy"):
        with pytest.raises(KeyboardInterrupt):
            put(Late(target, key, killed), 0)
        entries = target.entries()
        sidecars = read_sidecars(target, entries, ["P1"])
        listed, etags = ({e.key: getattr(e, f) for e in entries} for f in ("size", "etag"))
        reason = stale_reason("P1", listed, sidecars.cohort["P1"], "r", etags=etags)
        assert reason == f"incomplete: {key} was replaced after its sidecar was written"


def test_what_another_run_published_between_two_arrays_loses_its_sidecar(store):
    target = store("out")
    seen = []

    def other(target):
        put(target, 7)

    class Watching(Watched):
        def write(self, key, content):
            seen.append((key, self._store.stat("P1.json") is None))
            return super().write(key, content)

    with pytest.raises(ContestedTarget):
        put(Watching(target, "P1.npy", other))
    assert seen[:2] == [("P1.npy", True), ("P1.lungs.npy", True)]
