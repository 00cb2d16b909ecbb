"""Runs on AWS Batch: a control plane with its API, the registered commands, a real S3 server.

The service's own part, from a definition to a container on a machine, is not here:
`batch_service.py` says what stands for it.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from clusters import containers
from clusters.test_shards import PHANTOM, digests, papers, summary
from lungprep.shards.aws_batch import SIZES
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from workflow.conftest import wait_for

PROFILE = "profiles/aws-batch"
REGION = "eu-west-1"
COHORT = 3


@pytest.fixture
def start(lab, server, tmp_path):
    """Starts a run with the profile as it stands, but for the queue and the place of flags."""
    pytest.importorskip("snakemake_executor_plugin_aws_batch", reason="make test-cloud has it")
    containers.clone(lab.folder)
    lab.snakefile = Path("Snakefile")
    lab.config["s3"] = {"endpoint_url": server.endpoint_url}
    nodes = tmp_path / "nodes"
    nodes.mkdir()
    with containers.image(tmp_path, server) as image:
        service = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("batch_service.py"), nodes],
            env={"PATH": image["PATH"], "IMAGE": json.dumps(image), "AWS_REGION": REGION},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            said = json.loads(service.stdout.readline())
            environ = {"AWS_REGION": REGION, "AWS_ENDPOINT_URL_BATCH": said["endpoint"]}

            def run(*arguments, act=lab.run, **options):
                place = f"{lab.target.address}jobs"
                return act(
                    *("--workflow-profile", PROFILE, "--default-storage-prefix", place),
                    *("--aws-batch-job-queue", said["queue"]),
                    *("--storage-s3-endpoint-url", server.endpoint_url, *arguments),
                    **{"cores": 4, "environ": environ, "patients_per_job": 2, **options},
                )

            yield run
        finally:
            service.communicate()


def admit(lab):
    for n in range(COHORT):
        lab.admit(f"P{n}", PHANTOM)


def local_digests(lab):
    """Digests of a patient by a run on this machine."""
    target = f"{lab.target.address}local/"
    row = f"P0,{lab.source.address}P0/"
    place = lab.folder.with_name("local")
    place.mkdir()
    (place / "one.csv").write_text(f"patient,prefix\n{row}\n")
    done = lab.run(
        *("--snakefile", str(lab.folder / "Snakefile")),
        cwd=place,
        environ=containers.settings(),
        patients="one.csv",
        target=target,
    )
    assert done.returncode == 0, done.stdout
    facts = json.loads(open_store(parse_address("target", target), S3Options()).read("P0.json"))
    return [facts[key]["sha256"] for key in ("npy", "lungs_npy")]


def test_cohort_on_aws_batch(lab, start, server, tmp_path):
    admit(lab)
    done = start()
    logs = "".join(log.read_text() for log in (tmp_path / "nodes").glob("*.log"))
    assert done.returncode == 0, done.stdout + logs
    assert f"published {COHORT} patients to" in summary(done.stdout)[0]
    assert digests(lab) == dict.fromkeys(("P0", "P1", "P2"), local_digests(lab))
    assert papers(lab) == []
    assert "Memory value" not in done.stdout, "the plugin had to choose another size"

    lines = (tmp_path / "nodes/definitions.jsonl").read_text()
    assert server.access_key not in lines
    assert server.secret_key not in lines
    definitions = [json.loads(line) for line in lines.splitlines()]
    assert len(definitions) == 2
    for each in definitions:
        container = each["containerProperties"]
        names = {variable["name"] for variable in container["environment"]}
        assert names == {
            "AWS_REGION",
            "SNAKEMAKE_STORAGE_S3_REGION",
            "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL",
        }
        asked = {r["type"]: int(r["value"]) for r in container["resourceRequirements"]}
        least, most, step = SIZES[asked["VCPU"]]
        assert asked["MEMORY"] in range(least, most + 1, step)
        assert asked == {"VCPU": 4, "MEMORY": 8192}
        assert each["timeout"] == {"attemptDurationSeconds": 3600}
        assert container["jobRoleArn"].startswith("arn:aws:iam::")
        assert not container["image"].endswith(":latest")

    # What is left: a log and a flag per shard, where the profile says.
    left = {
        e.key.rpartition(".")[2]
        for e in lab.target.entries(below=True)
        if e.key.startswith("jobs/")
    }
    assert left == {"log", "json"}
    again = start()
    assert again.returncode == 0, again.stdout
    assert (
        f"published 0 patients to {lab.target.address}, 0 failed, {COHORT} were done"
        in (summary(again.stdout)[0])
    )
    assert len((tmp_path / "nodes/definitions.jsonl").read_text().splitlines()) == 2


def test_jobs_that_fail(lab, start, tmp_path):
    admit(lab)
    lab.source.write("bad/1.dcm", PHANTOM[0][1])
    lab.source.write("not an id/1.dcm", PHANTOM[0][1])
    # A command that ends before it does anything, once: an instance that was taken away.
    (tmp_path / "nodes/lost").touch()
    done = start()
    assert done.returncode == 1, done.stdout
    assert f"published {COHORT} patients to" in summary(done.stdout)[0], done.stdout
    assert "2 failed" in summary(done.stdout)[0]
    assert "sending shard" in done.stdout
    assert "Traceback" not in done.stdout
    definitions = (tmp_path / "nodes/definitions.jsonl").read_text().splitlines()
    memory = [
        int(r["value"])
        for line in definitions
        for r in json.loads(line)["containerProperties"]["resourceRequirements"]
        if r["type"] == "MEMORY"
    ]
    assert sorted(memory) == [8192, 8192, 8192], "600 and 4 times 1,500 are still of that size"


def test_refusals_come_before_anything_is_sent(lab, start, tmp_path):
    admit(lab)
    for arguments, words in [
        (
            ("--envvars", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"),
            "AWS_SECRET_ACCESS_KEY would be stored in the job definitions",
        ),
        (("--set-threads", "shard=3"), "AWS Batch has no job with 3 vCPUs"),
        (("--aws-batch-task-timeout", "600"), "a job may take 780 s"),
    ]:
        done = start(*arguments)
        assert done.returncode == 1, done.stdout
        assert f"lungprep: {words}" in done.stdout
    assert not (tmp_path / "nodes/definitions.jsonl").exists()


def at_work(folder):
    """Processes that run below a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append(process.name)
    return found


def test_stopped_by_hand_on_aws_batch(lab, start, tmp_path):
    admit(lab)
    running = start(act=lab.start, patients_per_job=1)
    wait_for(lambda: any(key.endswith(".json") for key in lab.published()), running)
    os.killpg(running.pid, signal.SIGINT)
    output, _ = running.communicate(timeout=60)
    assert running.returncode != 0
    assert "Traceback" not in output, output
    assert re.search(r"published \d patients to .* 0 failed", output), output
    assert papers(lab) == []
    deadline = time.monotonic() + 20
    while at_work(tmp_path / "nodes"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    again = start()
    assert again.returncode == 0, again.stdout
    assert lab.missing() == [f"0 of {COHORT} patients"]
