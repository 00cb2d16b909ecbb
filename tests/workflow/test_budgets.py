"""Budgets that no clock decides: requests and jobs of a large cohort that is done."""

import json
import math
import re
from collections import Counter

import pytest
import yaml

from lungprep.config.recipe import recipe_digest
from lungprep.config.schema import complete, read_schema, with_defaults
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep_demo.server import s3_server
from workflow.conftest import CONFIG, Lab

PATIENTS = [f"P{n:04d}" for n in range(1595)]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """1,595 patients in source and target, as files of a server that is started afterwards."""
    folder = tmp_path_factory.mktemp("cohort")
    config = complete(
        {"source": "s3://bucket/in/", "target": "s3://bucket/out/", **CONFIG}, read_schema()
    )
    sidecar = {
        "recipe": {"digest": recipe_digest(config)},
        "source": {"digest": "s"},
        "npy": {"bytes": 2},
        "lungs_npy": {"bytes": 1},
        "requested_series_uid": None,
        "series_instance_uid": "1.2",
        "flags": [],
    }
    (folder / "bucket/out/qc").mkdir(parents=True)
    for patient in PATIENTS:
        (folder / f"bucket/in/{patient}").mkdir(parents=True)
        (folder / f"bucket/in/{patient}/1.dcm").write_bytes(b"x")
        (folder / f"bucket/out/{patient}.npy").write_bytes(b"12")
        (folder / f"bucket/out/{patient}.lungs.npy").write_bytes(b"1")
        (folder / f"bucket/out/qc/{patient}.png").write_bytes(b"1")
        facts = json.dumps({**sidecar, "patient": patient})
        (folder / f"bucket/out/{patient}.json").write_text(facts)
    with s3_server(folder, log_requests=True) as server:
        yield server


@pytest.fixture
def large(published, tmp_path, monkeypatch):
    """The published cohort from a machine that has never seen it."""
    for key, value in published.environ.items():
        monkeypatch.setenv(key, value)

    def place(side):
        return open_store(parse_address("source", f"s3://bucket/{side}/"), S3Options())

    return Lab(tmp_path / "machine", place("in"), place("out"), published.child_environ())


def requests_of(server, action):
    before = len(server.requests())
    result = action()
    return Counter(kind for kind, _ in server.requests()[before:]), result


def listings(patients):
    """LIST requests for so many folders of the source, and for three keys each in the target.

    The target also holds the index, and the folder of the previews.
    """
    return math.ceil(patients / 1000) + math.ceil((3 * patients + 2) / 1000)


def test_the_scheduler_is_not_woken_ever_more_often(lab, tmp_path):
    """Each timer that is set writes down how many of the scheduler's are running."""
    lab.admit("P1")
    lab.admit("P2")
    (tmp_path / "sitecustomize.py").write_text(SPY)
    done = lab.run(cores=1, environ={"PYTHONPATH": str(tmp_path), "SPY_LOG": str(tmp_path / "log")})
    assert done.returncode == 0, done.stdout
    running = [int(line) for line in (tmp_path / "log").read_text().split()]
    assert len(running) > 2
    assert max(running) <= 1, "the one that has just rung"


SPY = """
import os, threading
def ours(timer):
    module = getattr(timer.function, "__module__", "")
    return module in ("snakemake.scheduling.job_scheduler", "lungprep.run.engine.scheduler")
def start(timer):
    if ours(timer):
        timers = [t for t in threading.enumerate() if isinstance(t, threading.Timer) and ours(t)]
        with open(os.environ["SPY_LOG"], "a") as log:
            log.write(f"{len(timers)}\\n")
    threading.Thread.start(timer)
threading.Timer.start = start
"""


def test_requests_grow_with_thousands_of_patients():
    assert listings(1595) == 2 + 5, "what the tests below count"
    assert listings(5000) + 1 <= 25, "and the index"


def test_a_round_bounds_the_jobs_that_are_planned(large):
    assert with_defaults({}, read_schema())["patients_per_round"] <= 1000
    large.target = open_store(large.target.address.join("none"), S3Options())
    done = large.run("-n", patients_per_round=50)
    assert re.search(r"^total +201$", done.stdout, re.MULTILINE), "four a patient, and all"
    assert "missing: 1595 of 1595 patients" in done.stdout


def test_a_published_cohort_costs_ten_requests(large, published):
    requests, listed = requests_of(published, large.missing)
    assert listed == ["0 of 1595 patients"]
    assert requests == {"LIST": 2 + 5, "GET": 1595}, "no index yet: one GET for each sidecar"

    large.target.discard("P0007.json")
    large.source.write("P0007/1.dcm", b"no CT")
    requests, done = requests_of(published, large.run)
    assert done.returncode == 1
    assert requests["LIST"] == 2 + 5 + 2, "its memory is looked up before the job, no one else's"
    assert "failed P0007: no CT image among 1 objects" in done.stdout

    requests, listed = requests_of(published, large.missing)
    assert listed == ["1 of 1595 patients", "  P0007: missing"]
    assert requests == {"LIST": 2 + 5, "GET": 1}
    assert requests.total() <= 10


def test_a_no_op_costs_no_more(large, published):
    config = yaml.safe_load(large.target.read("P0001.json"))
    large.target.write("P0007.json", json.dumps({**config, "patient": "P0007"}).encode())
    assert large.run().returncode == 0
    requests, done = requests_of(published, large.run)
    assert done.returncode == 0, done.stdout
    assert "Nothing to be done" in done.stdout
    assert requests == {"LIST": 2 + 5, "GET": 1}
