"""The demo's cohort gets into the bucket once, and exactly."""

from collections import Counter
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store

from lungprep_demo import scan
from lungprep_demo.cohort import demo_cohort, put_cohort
from lungprep_demo.server import s3_server


def test_what_is_there_stays_and_what_differs_is_put_right(tmp_path: Path, capsys):
    first = {"p1": [(f"1-{n}.dcm", b"%d" % n * 100) for n in range(30)], "p2": [("a/b", b"c")]}
    with s3_server(
        tmp_path / "s3", buckets=["cohort"], log=tmp_path / "log", log_requests=True
    ) as server:
        assert put_cohort(server, "cohort", "stage1/", first) == 31
        assert "31 objects, 0 MB; 31 were new" in capsys.readouterr().err
        before = len(server.requests())
        assert put_cohort(server, "cohort", "stage1/", first) == 0
        assert Counter(kind for kind, _ in server.requests()[before:]) == {"LIST": 1}

        second = {"p1": [("1-0.dcm", b"1" * 100), *first["p1"][1:20]]}
        assert put_cohort(server, "cohort", "stage1/", second) == 1
    there = {
        str(path.relative_to(tmp_path / "s3/cohort/stage1")): path.read_bytes()
        for path in (tmp_path / "s3").rglob("*")
        if path.is_file()
    }
    assert there == {f"p1/{name}": content for name, content in second["p1"]} | {"p2/a/b": b"c"}


def test_a_broken_patient_stops_it(tmp_path: Path):
    def broken():
        yield "1", b"1"
        raise OSError("the archive ends early")

    with (
        s3_server(tmp_path, buckets=["cohort"]) as server,
        pytest.raises(OSError, match="ends early"),
    ):
        put_cohort(server, "cohort", "", {"p": broken()})


def test_settings_of_another_store_and_a_proxy_do_not_matter(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of somebody else")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with s3_server(tmp_path, buckets=["cohort"]) as server:
        assert put_cohort(server, "cohort", "", {"p": [("1", b"1")]}) == 1
        for name, text in server.environ.items():
            monkeypatch.setenv(name, text)
        monkeypatch.delenv("AWS_SESSION_TOKEN")
        monkeypatch.delenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST")
        store = S3Store("cohort", endpoint=server.endpoint_url, client_options={"allow_http": True})
        assert obstore.get(store, "p/1").bytes() == b"1"


def test_the_cohort_is_the_scan_and_two_phantoms(tmp_path: Path):
    patients = demo_cohort(tmp_path / "absent.tar.gz")
    assert list(patients) == [scan.PATIENT, "phantom-healthy", "phantom-thick"]
    for name in ("phantom-healthy", "phantom-thick"):
        file, content = next(iter(patients[name]))
        assert (file[:2], content[128:132]) == ("1-", b"DICM")
