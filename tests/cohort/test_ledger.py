"""What counts as done, and the index that is only a cache."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lungprep.cohort.failures import TABLE, read_table
from lungprep.cohort.ledger import INDEX, read_sidecars, stale_reason, write_index
from lungprep.cohort.quarantine import read_failures
from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.errors import StoreUnreachable
from lungprep.publish.report import page
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address

SIDECAR = {
    "recipe": {"digest": "r"},
    "source": {"digest": "s"},
    "npy": {"bytes": 3},
    "lungs_npy": {"bytes": 2},
    "requested_series_uid": None,
    "series_instance_uid": "1.2",
    "flags": ["a_flag"],
}


RECIPE = {"digest": "r", "code": "c", "config": {"load": {"min_slices": 10, "series": "any"}}}
TOLD = {"code": "c", "load.min_slices": "10", "load.series": "any"}


@pytest.fixture
def target(folder):
    """A target with two published patients."""
    place = folder("out")
    for patient in ("P1", "P2"):
        place.write(f"{patient}.npy", b"123")
        place.write(f"{patient}.lungs.npy", b"12")
        place.write(f"{patient}.json", json.dumps(SIDECAR).encode())
    return place


class Counted:
    """A store that counts its reads."""

    def __init__(self, store):
        self.store, self.reads = store, []

    def read(self, key, expected=None):
        self.reads.append(key)
        return self.store.read(key, expected)


def sidecars(target, *patients):
    counted = Counted(target)
    found = read_sidecars(counted, target.entries(), patients or ("P1", "P2", "P3"))
    assert found.unknown == len([key for key in counted.reads if key != INDEX])
    return found.cohort, counted.reads


def test_without_an_index_each_sidecar_is_read_once(target):
    found, reads = sidecars(target)
    assert sorted(reads) == ["P1.json", "P2.json"]
    assert found["P1"] == SidecarFacts(found["P1"].etag, "r", "s", None, "1.2", 3, 2, ("a_flag",))
    assert "P3" not in found


def test_with_an_index_only_the_index_is_read(target):
    found, _ = sidecars(target)
    write_index(target, found, {})
    again, reads = sidecars(target)
    assert again == found
    assert reads == [INDEX]


def test_a_sidecar_changed_behind_the_index_is_read(target):
    found, _ = sidecars(target)
    write_index(target, found, {})
    target.write("P2.json", json.dumps(SIDECAR | {"recipe": {"digest": "other"}}).encode())
    again, reads = sidecars(target)
    assert again["P2"].recipe == "other"
    assert reads == [INDEX, "P2.json"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b'{"format": 0}', b'{"format": 1, "patients": [1]}',
     b'{"format": 3, "digest": "", "recipes": [], "patients": {}}',
     b'{"format": 2, "patients": {"P1": {}}}', b'{"format": 2, "digest": 1, "patients": null}',
     b"[" * 100_000, b'{"a":' * 100_000],
)  # fmt: skip
def test_a_broken_index_is_as_good_as_none(target, content):
    expected, _ = sidecars(target)
    target.write(INDEX, content)
    found, reads = sidecars(target)
    assert found == expected
    assert len(reads) == 3


def test_an_index_of_patients_long_gone_is_no_proof(target):
    found, _ = sidecars(target)
    write_index(target, found, {})
    target.discard("P1.json")
    again, _ = sidecars(target)
    assert list(again) == ["P2"]


def test_an_unreachable_target_is_no_empty_target(target):
    class Down(Counted):
        def read(self, key, expected=None):
            raise StoreUnreachable("down", "wait")

    with pytest.raises(StoreUnreachable):
        read_sidecars(Down(target), target.entries(), ["P1"])


GOOD = SidecarFacts("e", "r", "s", None, "1.2", 3, 2)
LISTED = {"P1.npy": 3, "P1.lungs.npy": 2, "P1.json": 9}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"facts": None}, "missing"),
        ({"recipe": "other"}, "recipe changed"),
        ({"listed": {"P1.npy": 3}}, "incomplete: P1.lungs.npy is absent"),
        ({"listed": {"P1.lungs.npy": 2}}, "incomplete: P1.npy is absent"),
        ({"listed": LISTED | {"P1.npy": 4}}, "incomplete: P1.npy has 4 bytes instead of 3"),
        ({"series_uid": "1.2"}, None),
        ({"series_uid": "1.2.3"}, "another series is requested"),
        ({"source": lambda: "s"}, None),
        ({"source": lambda: "other"}, "source changed"),
        ({"facts": SidecarFacts.of("e", b"{")}, "incomplete: the sidecar can't be read"),
    ],
)
def test_reasons(change, reason):
    given = {"facts": GOOD, "listed": LISTED, "recipe": "r", **change}
    assert stale_reason("P1", **given) == reason


def test_an_index_of_sizes_that_are_no_numbers_is_broken(target):
    expected, _ = sidecars(target)
    write_index(target, {p: replace(r, npy_bytes=None) for p, r in expected.items()}, {})
    assert sidecars(target)[0] == expected


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """A target with an index, the index's bytes, and the right answer; tests replace the index."""
    path = tmp_path_factory.mktemp("target")
    place = open_store(parse_address("target", str(path)), S3Options())
    for number, patient in enumerate(("P1", "P2", "other")):
        sidecar = {**SIDECAR, "npy": {"bytes": 10 + number}, "requested_series_uid": "1.2.3"}
        sidecar["recipe"] = RECIPE
        place.write(f"{patient}.json", json.dumps(sidecar).encode())
    found = read_sidecars(place, place.entries(), ["P1", "P2"])
    write_index(place, {**found.cohort, **found.others}, found.recipes)
    again = read_sidecars(place, place.entries(), ["P1", "P2"])
    assert again == replace(found, unknown=0)
    return place, place.read(INDEX), again


def answer(place, content):
    """What the sidecars say with another content of the index."""
    Path(place.address.prefix, INDEX).write_bytes(content)
    found = read_sidecars(place, place.entries(), ["P1", "P2"])
    return found.cohort, found.others, found.recipes


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_cut_or_damage_of_the_index_changes_the_answer(indexed, data):
    place, whole, right = indexed
    content = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    if data.draw(st.booleans()):
        content = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        if at < len(content):
            content[at] = data.draw(st.integers(0, 255))
    assert answer(place, bytes(content)) == (right.cohort, right.others, right.recipes)


def test_no_changed_character_of_a_value_is_believed(indexed):
    """Each digit and letter of the index in turn becomes another one: well-formed, and wrong."""
    place, whole, right = indexed
    other = {ord("0"): ord("1"), ord("r"): ord("q"), ord("s"): ord("t")}
    for at, byte in enumerate(whole):
        if chr(byte).isalnum():
            changed = bytes([*whole[:at], other.get(byte, ord("0")), *whole[at + 1 :]])
            assert answer(place, changed) == (right.cohort, right.others, right.recipes), at


def test_an_index_of_another_target_is_no_proof(folder):
    places = []
    for name in ("one", "two"):
        place = folder(name)
        place.write("P1.json", json.dumps({**SIDECAR, "recipe": {"digest": name}}).encode())
        write_index(place, read_sidecars(place, place.entries(), ["P1"]).cohort, {})
        places.append(place)
    places[1].write(INDEX, places[0].read(INDEX))
    found, _ = sidecars(places[1], "P1")
    assert found["P1"].recipe == "two"


def test_of_two_runs_that_end_at_once_the_later_index_lacks_some(target):
    """Each run knows what it found when it began, and what it published."""
    begun = read_sidecars(target, target.entries(), ["P1", "P2"]).cohort
    for patient in ("P3", "P4"):
        target.write(f"{patient}.json", json.dumps(SIDECAR).encode())
    ended = read_sidecars(target, target.entries(), ["P3", "P4"]).cohort
    for patient in ("P3", "P4"):
        write_index(target, {**begun, patient: ended[patient]}, {})
    found, reads = sidecars(target, "P1", "P2", "P3", "P4")
    assert found == {**begun, **ended}
    assert reads == [INDEX, "P3.json"]


def test_patients_of_other_cohorts_are_known_with_or_without_the_index(target):
    found, _ = sidecars(target)
    target.write("notes.json", b"{}")
    part = read_sidecars(target, target.entries(), ["P1"])
    assert part.others["P2"] == found["P2"]
    assert part.others["notes"].npy_bytes == -1
    write_index(target, {**part.cohort, **part.others}, part.recipes)
    counted = Counted(target)
    assert read_sidecars(counted, target.entries(), ["P1"]).others == part.others
    assert counted.reads == [INDEX]
    target.discard("P2.json")
    assert "P2" not in read_sidecars(target, target.entries(), ["P1"]).others


def test_a_key_that_is_no_id_never_reaches_index_or_report(target):
    name = 'x"><script>alert(1)<'
    target.write(f"{name}.json", json.dumps(SIDECAR).encode())
    found = read_sidecars(target, target.entries(), ["P1"])
    assert list(found.others) == ["P2"]
    html = page({**found.cohort, **found.others}, [f"{name}: no air; check <b>"]).decode()
    assert "<script>" not in html
    assert "<b>" not in html
    assert html.count("<img") == 2
    assert "a flag" in html


def of_recipes(target, *digests):
    """Give the patients of a target sidecars of other recipes."""
    for number, digest in enumerate(digests, 1):
        recipe = {**RECIPE, "digest": digest, "code": digest}
        target.write(f"P{number}.json", json.dumps({**SIDECAR, "recipe": recipe}).encode())


def with_recipes(target, *patients):
    counted = Counted(target)
    found = read_sidecars(counted, target.entries(), patients)
    return found.with_recipes(counted, "now", {"code": "now"}), counted.reads


def test_each_recipe_is_in_the_index_once(target):
    of_recipes(target, "a", "a", "b")
    found, _ = with_recipes(target, "P1", "P2")
    expected = {d: {**TOLD, "code": d} for d in "ab"} | {"now": {"code": "now"}}
    assert found.recipes == expected
    write_index(target, {**found.cohort, **found.others}, found.recipes)
    again, reads = with_recipes(target, "P1", "P2")
    assert again.recipes == expected
    assert reads == [INDEX]
    assert target.read(INDEX).count(b'"load.series"') == 2, "not the one that made nobody"


def test_an_index_without_recipes_is_read_and_costs_a_sidecar_for_each(target):
    """As lungprep wrote it before recipes were in it."""
    of_recipes(target, "a", "a", "b", "now")
    found, _ = with_recipes(target, "P1", "P2")
    patients = {p: asdict(r) for p, r in {**found.cohort, **found.others}.items()}
    patients = json.loads(json.dumps(patients))
    text = json.dumps(patients, sort_keys=True).encode()
    index = {"format": 2, "digest": hashlib.sha256(text).hexdigest(), "patients": patients}
    target.write(INDEX, json.dumps(index).encode())
    again, reads = with_recipes(target, "P1", "P2")
    assert again == replace(found, unknown=0)
    assert reads[0] == INDEX
    assert len(reads) == 3


def test_a_recipe_that_is_not_told_is_asked_for_no_more(target):
    target.write("P1.json", json.dumps({**SIDECAR, "recipe": {"digest": "old"}}).encode())
    found, _ = with_recipes(target, "P1")
    assert found.recipes["old"] == {}
    write_index(target, {**found.cohort, **found.others}, found.recipes)
    assert with_recipes(target, "P1")[1] == [INDEX]


OURS, THEIRS, MOVED = "a" * 32, "b" * 32, "c" * 32


@pytest.mark.parametrize(
    ("npy", "lungs", "reason"),
    [
        (OURS, OURS, None),
        (THEIRS, OURS, "incomplete: P1.npy was replaced after its sidecar was written"),
        (OURS, THEIRS, "incomplete: P1.lungs.npy was replaced after its sidecar was written"),
        (MOVED, MOVED, None),
        (f"{MOVED}-3", OURS, None),
        ("18f3a-5", OURS, None),
    ],
    ids=["published", "npy", "lungs", "copied to a store with keys", "in parts", "to a folder"],
)
def test_an_array_of_another_run_is_told_by_its_etag(npy, lungs, reason):
    facts = SidecarFacts("e", "r", "s", None, "1.2", 4, 2, (), OURS, OURS)
    listed, etags = {"P1.npy": 4, "P1.lungs.npy": 2}, {"P1.npy": npy, "P1.lungs.npy": lungs}
    assert stale_reason("P1", listed, facts, "r", etags=etags) == reason
    untold = replace(facts, npy_etag="", lungs_etag="")
    assert stale_reason("P1", listed, untold, "r", etags=etags) is None, "a sidecar of before"


def test_what_is_too_large_for_a_record_is_not_read(folder):
    """Sparse files of 1 TB, which no memory would take."""
    place = folder("out")
    place.write("P1.json", b"{}")
    for name in ("P2.json", INDEX, TABLE, "P3.failed.json"):
        with Path(place.address.prefix, name).open("wb") as file:
            file.truncate(1 << 40)
    entries = place.entries()
    found = read_sidecars(place, entries, ["P1", "P2"])
    assert {p: r.npy_bytes for p, r in found.cohort.items()} == {"P1": -1, "P2": -1}
    assert read_failures(place, entries, ["P3"]) == {}
    assert read_table(place) == {}
