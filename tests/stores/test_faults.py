"""Every kind of fault of network and store, ridden out by reads, writes and listings."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from faults import faulty
from lungprep.errors import ArchivedObject, NoAnswer
from lungprep.stores import retrying
from lungprep.stores import s3 as s3_module
from lungprep.stores.base import CONNECTIONS
from lungprep.workspace.verdicts import verdict_on

CONTENTS = {f"{number}.dcm": random.Random(number).randbytes(20_000) for number in range(40)}  # noqa: S311


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    policy = replace(retrying.POLICY, first_pause_s=0.001, longest_pause_s=0.05)
    monkeypatch.setattr(retrying, "POLICY", policy)


def in_parallel(action, items):
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return list(pool.map(action, items))


@pytest.mark.parametrize(
    "faults",
    [
        {"slow_down": 0.5},
        {"cut_every": 3},
        {"stall_every": 11},
        {"latency_s": 0.05},
        {"slow_down": 1 / 3, "cut_every": 3, "stall_every": 20},
    ],
    ids=["slow-down", "cut", "stall", "latency", "all"],
)
def test_nothing_is_lost(proxy, faults):
    place = proxy.store("x", timeout_s=0.5)
    for name, value in faults.items():
        setattr(proxy.faults, name, value)
    written = in_parallel(lambda item: place.write(*item), CONTENTS.items())
    assert place.entries() == sorted(written)
    assert place.entries(below=True) == sorted(written)
    assert in_parallel(lambda entry: place.read(entry.key, entry), written) == [*CONTENTS.values()]
    place.discard("1.dcm")
    place.discard("1.dcm")
    assert len(place.entries()) == len(CONTENTS) - 1
    for name, kind in (("slow_down", "slow_down"), ("cut_every", "cut"), ("stall_every", "stall")):
        assert (proxy.happened[kind] > 0) == (name in faults)


def test_a_part_is_sent_again_and_not_the_whole(proxy, monkeypatch):
    monkeypatch.setattr(s3_module, "SINGLE_BYTES", 1)
    content = random.Random(0).randbytes(70 << 20)  # noqa: S311
    proxy.faults.slow_down, proxy.faults.cut_every = 0.3, 4
    place = proxy.store("x")
    written = place.write("big.npy", memoryview(content))
    puts = [path for method, path, _ in proxy.requests if method == "PUT"]
    proxy.faults.slow_down, proxy.faults.cut_every = 0, 0
    assert len({path.partition("uploadId=")[2] for path in puts}) == 1
    assert len(puts) > 5
    assert place.entries() == [written]
    assert place.read("big.npy", written) == content
    assert place.abort_abandoned({"big.npy"}) == 0


def test_a_listing_of_many_pages_goes_on_where_it_broke(proxy):
    place = proxy.store("x")
    in_parallel(lambda n: place.write(f"{n}", b""), range(2500))
    proxy.faults.cut_every, proxy.faults.slow_down = 2, 0.3
    assert len(place.entries()) == 2500


def test_a_changed_byte_is_read_again(proxy):
    place = proxy.store("x")
    written = place.write("1.dcm", CONTENTS["1.dcm"])
    proxy.faults.corrupt = {proxy.happened["get"], proxy.happened["get"] + 2}
    assert place.read("1.dcm", written) == CONTENTS["1.dcm"]
    assert place.read("1.dcm", written) == CONTENTS["1.dcm"]
    assert proxy.happened["corrupt"] == 2


def test_a_wrong_secret_is_not_tried_again(proxy, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    place = proxy.store("x")
    for action in (place.level, lambda: place.read("a"), lambda: place.write("a", b"")):
        before = len(proxy.requests)
        with pytest.raises(Exception, match=r"was refused \(SignatureDoesNotMatch\)"):
            action()
        assert len(proxy.requests) == before + 1


def test_a_store_that_is_gone_is_given_up_by_all_threads(s3, server, monkeypatch):
    policy = replace(retrying.POLICY, silence_s=1.0)
    monkeypatch.setattr(retrying, "POLICY", policy)
    with faulty(server.endpoint_url) as proxy:
        place = s3("x", endpoint_url=proxy.endpoint_url)
        written = place.write("1.dcm", b"1")
    with pytest.raises(NoAnswer, match=r"1\.dcm could not be reached \(no connection to http"):
        in_parallel(lambda entry: place.read(entry.key, entry), [written] * 50)


@pytest.mark.parametrize(
    ("said", "tier"),
    [
        ("<StorageClass>GLACIER</StorageClass>", " (GLACIER)"),
        (
            "<StorageClass>INTELLIGENT_TIERING</StorageClass><AccessTier>ARCHIVE_ACCESS</AccessTier>",
            " (ARCHIVE_ACCESS)",
        ),
        ("<Message>not valid for its storage class</Message>", ""),
    ],
)
def test_an_archived_object_is_the_patients_fault_and_not_tried_again(proxy, said, tier):
    place = proxy.store("x")
    entry = place.write("1.dcm", b"1")
    proxy.faults.archive = said
    before = len(proxy.requests)
    with pytest.raises(ArchivedObject) as caught:
        place.read("1.dcm", entry)
    assert type(caught.value) is ArchivedObject
    assert verdict_on("load", caught.value).data
    assert not caught.value.transient
    words = f"1.dcm is archived{tier}; restore it first, then run again, with retry_failed=true if"
    assert words in str(caught.value)
    assert len(proxy.requests) - before == (1 if tier else 2), "the listing is asked at most once"
