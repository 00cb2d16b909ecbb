"""Stores: what both kinds promise, then what each kind alone can get wrong."""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lungprep.errors import (
    AccessRefused,
    ConfigError,
    NotFound,
    ObjectNotFound,
    StoreUnreachable,
    TransferMismatch,
)
from lungprep.stores import Address, Entry, S3Options, open_store
from lungprep.stores import s3 as s3_module
from lungprep.stores.address import check_pair, parse_address
from lungprep.stores.base import listing_digest
from lungprep.stores.folder import UNFINISHED


def test_what_is_written_is_listed_and_read(store):
    place = store("out")
    written = place.write("a.npy", memoryview(b"some bytes"))
    below = place.write("qc/a.png", b"picture")
    assert place.entries() == [written]
    assert place.entries(below=True) == [written, below]
    assert place.folders() == ["qc"]
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


def test_odd_keys_do_not_hide_the_others(s3):
    place = s3("odd")
    for key in ("P 1/1.dcm", "ünï/1.dcm", "P1/1.dcm"):
        place.write(key, b"x")
    assert place.folders() == ["P 1", "P1", "ünï"]


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


def test_wrong_key_is_one_line(s3, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    place = s3("out")
    for action in (
        place.folders,
        place.entries,
        lambda: place.read("a"),
        lambda: place.write("a", b""),
    ):
        with pytest.raises(
            AccessRefused, match=r"was refused \(SignatureDoesNotMatch\); check the AWS_"
        ):
            action()


def test_missing_bucket_is_named(s3):
    place = open_store(Address("no-such-bucket", "x/"), S3Options())
    for action in (place.folders, lambda: place.entries(below=True), lambda: place.write("a", b"")):
        with pytest.raises(NotFound, match=r"^bucket no-such-bucket does not exist; create it"):
            action()


def test_unreachable_endpoint_is_one_line(s3, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(s3_module, "ATTEMPTS", 1)
    place = s3("out")
    for action in (place.folders, lambda: place.read("a")):
        with pytest.raises(StoreUnreachable, match="could not be reached") as caught:
            action()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:9000", "https://key:secret@host", "ftp://host"])
def test_an_endpoint_that_is_no_url_is_named_and_not_repeated(s3, monkeypatch, url):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
    for action in (s3("out").folders, lambda: s3("out").read("a")):
        with pytest.raises(ConfigError, match=r"^AWS_ENDPOINT_URL_S3 is no URL of a server; write"):
            action()


def test_an_unknown_profile_is_named(s3, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    for action in (s3("out").folders, lambda: s3("out").read("a")):
        with pytest.raises(AccessRefused, match=r"profile \(nobody\) could not be found; check"):
            action()


def test_a_profile_serves_both_clients(s3, monkeypatch, server, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.write_text(
        f"[me]\naws_access_key_id = {server.access_key}\n"
        f"aws_secret_access_key = {server.secret_key}\n"
    )
    config = tmp_path / "config"
    config.write_text(f"[profile me]\nregion = us-east-1\nendpoint_url = {server.endpoint_url}\n")
    for name in server.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "me")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    written = s3("out").write("a", b"content")
    assert s3("out").entries() == [written]
    assert s3("out").read("a") == b"content"


def serve_cut_bodies(cuts):
    """A server that promises ten bytes and, the first `cuts` times, hangs up after four."""
    listener = socket.create_server(("127.0.0.1", 0))
    served = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                body = b"0123456789"[: 4 if len(served) < cuts else 10]
                served.append(len(body))
                head = b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: "e"\r\n'
                date = b"Last-Modified: Sun, 01 Nov 2026 00:00:00 GMT\r\nConnection: close\r\n\r\n"
                connection.sendall(head + date + body)

    threading.Thread(target=serve, daemon=True).start()
    return listener, served


@pytest.mark.parametrize("cuts", [1, 3])
def test_a_body_cut_in_the_middle_is_read_again(s3, monkeypatch, cuts):
    """Made by hand because no real server cuts on demand."""
    listener, served = serve_cut_bodies(cuts)
    monkeypatch.setattr(s3_module, "FIRST_PAUSE_S", 0.001)
    with listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert s3("out", endpoint_url=url).read("a", Entry("a", 10, "e")) == b"0123456789"
    assert served.count(4) >= 1
    assert served[-1] == 10


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


def test_stat_tells_what_is_there(store):
    place = store("out")
    assert place.stat("a") is None
    written = place.write("a", b"1")
    assert place.stat("a") == written == place.entries()[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("s3://bucket", "a bucket without a prefix"),
        ("s3://bucket/", "a bucket without a prefix"),
        ("s3://b/x/", "'b' is no bucket name"),
        ("s3://bucket/a//b", "an empty or dot segment"),
        ("s3://bucket/../b", "an empty or dot segment"),
        ("gs://bucket/a", "of an unknown scheme"),
        ("https://bucket/a", "of an unknown scheme"),
        ("", "source is empty"),
        ("nowhere", "which is no folder here"),
        ("s3:/bucket/a", "which is no folder here"),
    ],
)
def test_bad_source_is_refused_by_name(text, words, tmp_path):
    with pytest.raises(ConfigError, match=words) as caught:
        check_pair(text, str(tmp_path / "out"))
    assert str(caught.value).startswith("source is")
    assert "write s3://bucket/prefix/ or a folder" in str(caught.value)


def test_mistyped_target_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="target is 'bucket', neither an address nor a folder"):
        check_pair(str(tmp_path), "bucket")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("s3://bucket/a/", "s3://bucket/a/b"),
        ("s3://bucket/a/b", "s3://bucket/a"),
        ("s3://bucket/a", "s3://bucket/a/"),
        ("{tmp}", "{tmp}/out"),
        ("{tmp}/in", "{tmp}"),
        ("{tmp}/in", "{tmp}/in/../in"),
    ],
)
def test_one_inside_the_other_is_refused(source, target, tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(ConfigError, match="lie inside one another; choose two separate places"):
        check_pair(source.format(tmp=tmp_path), target.format(tmp=tmp_path))


def test_neighbours_with_one_beginning_are_no_conflict():
    source, target = check_pair("s3://bucket/data", "s3://bucket/data-npy")
    assert str(source) == "s3://bucket/data/"
    assert str(target) == "s3://bucket/data-npy/"


def test_join_keeps_one_slash():
    assert str(parse_address("source", "s3://bucket/a").join("P1/")) == "s3://bucket/a/P1/"


def test_write_reads_back_where_the_etag_is_no_md5(s3, monkeypatch):
    """As under KMS encryption; rclone's ETags are MD5s, so the comparison is made to fail."""
    monkeypatch.setattr(s3_module.hashlib, "md5", lambda *a, **k: np.random)
    monkeypatch.setattr(np.random, "hexdigest", lambda: "not the etag", raising=False)
    place = s3("out")
    assert place.write("a", b"content").size == 7
    monkeypatch.setattr(place, "read", lambda key: b"other content")
    with pytest.raises(TransferMismatch, match="differs from what was sent"):
        place.write("a", b"content")
