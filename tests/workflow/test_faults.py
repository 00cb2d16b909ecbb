"""Whole runs through a bad network and over a server that dies: the same bytes, nobody lost."""

import hashlib
import os
import signal
import threading
import time
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from faults import faulty
from lungprep.cohort.tally import Tally
from lungprep.config.schema import complete, read_schema
from lungprep.run.run import Run
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep_demo import rclone
from lungprep_demo.server import s3_server
from workflow.conftest import CONFIG, Lab, three

# A restart takes 20 to 30; the policy's own test has such a one, without waiting.
DOWN_S = 4
PATIENTS = ["P1", "P2", "P3", "P4"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """Four patients in a server of their own, and what an undisturbed run makes of them."""
    folder = tmp_path_factory.mktemp("faults")
    with (
        s3_server(folder / "s3", buckets=["bucket"]) as server,
        pytest.MonkeyPatch.context() as env,
    ):
        for key, value in server.environ.items():
            env.setenv(key, value)
        lab = at(server, folder / "machine", "undisturbed")
        for patient in PATIENTS:
            lab.admit(patient)
        done = lab.run()
        assert done.returncode == 0, done.stdout
        yield server, folder, lab, digests(lab)


def at(server, machine, target):
    """A lab of which only the machine and the target are new."""

    def place(side):
        return open_store(parse_address("source", f"s3://bucket/{side}/"), S3Options())

    return Lab(machine, place("in"), place(target), server.child_environ(), config=dict(CONFIG))


def digests(lab):
    """SHA-256 of each published array."""
    keys = [key for patient in PATIENTS for key in three(patient) if key.endswith(".npy")]
    return {key: hashlib.sha256(lab.target.read(key)).hexdigest() for key in keys}


def test_a_bad_network_loses_nothing_and_changes_nothing(cohort, tmp_path):
    server, _, _, undisturbed = cohort
    lab = at(server, tmp_path / "machine", "bad-network")
    lab.config["s3"] = {"timeout_s": 1}
    faults = {"slow_down": 1 / 3, "cut_every": 3, "stall_every": 50, "latency_s": 0.02}
    with faulty(server.endpoint_url, **faults) as proxy:
        done = lab.run(environ={"AWS_ENDPOINT_URL_S3": proxy.endpoint_url})
    assert done.returncode == 0, done.stdout
    assert "published 4 patients" in done.stdout
    assert ", 0 failed" in done.stdout
    assert digests(lab) == undisturbed
    assert min(proxy.happened[fault] for fault in ("slow_down", "cut", "stall")) > 0


def test_a_server_that_dies_and_comes_back_loses_nothing(cohort, tmp_path):
    """Killed while slices are being read, and again while results are being written."""
    server, folder, _, undisturbed = cohort
    lab = at(server, tmp_path / "machine", "dead-server")
    revived, revivals, deaths = [], [], []
    one_at_a_time, over = threading.Lock(), threading.Event()

    def revive():
        time.sleep(DOWN_S)
        port, keys = urlsplit(server.endpoint_url).port, (server.access_key, server.secret_key)
        revived.append(rclone.start(folder / "s3", port, keys, folder / "revived.log", "NOTICE"))
        # The server is to end with the thread that started it.
        over.wait()

    def watch(request):
        moment = request[0], request[1][-4:]
        with one_at_a_time:
            if moment in {("GET", ".dcm"), ("PUT", ".npy")} - set(deaths):
                deaths.append(moment)
                os.kill(revived[-1].pid if revived else server.pid, signal.SIGKILL)
                revivals.append(threading.Thread(target=revive))
                revivals[-1].start()

    with faulty(server.endpoint_url) as proxy:
        proxy.watch = watch
        try:
            done = lab.run(environ={"AWS_ENDPOINT_URL_S3": proxy.endpoint_url})
            ended = digests(lab)
        finally:
            over.set()
            for each in revivals:
                each.join()
            for each in revived:
                rclone.stop(each)
    assert len(deaths) == 2
    assert done.returncode == 0, done.stdout
    assert ", 0 failed" in done.stdout
    assert ended == undisturbed


@pytest.mark.parametrize("allowed", [True, False])
def test_a_run_gives_up_the_parts_that_killed_jobs_left(ceph_s3, ceph_client, monkeypatch, allowed):
    source, target = ceph_s3("in"), ceph_s3("out")
    source.write("P1/1.dcm", b"1")
    key = {"Bucket": "bucket", "Key": f"{target.address.prefix}P1.lungs.npy"}
    begun = ceph_client.create_multipart_upload(**key)
    ceph_client.upload_part(**key, UploadId=begun["UploadId"], PartNumber=1, Body=b"1")
    addresses = {"source": str(source.address), "target": str(target.address)}
    run = Run(complete(addresses, read_schema()), Tally(""))
    assert list(run.plan.stale) == ["P1"]
    if not allowed:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        run.plan = replace(run.plan, target=ceph_s3("out"))
    line = run.abort_abandoned()
    left = ceph_client.list_multipart_uploads(Bucket="bucket", Prefix=target.address.prefix)
    if allowed:
        assert line is None
        assert "Uploads" not in left
    else:
        assert line.startswith("parts of earlier uploads may be left in the target: s3://bucket/")
        assert len(left["Uploads"]) == 1
