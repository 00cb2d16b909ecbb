"""An uploader, or whoever can write to the target, means ill: nothing but their own fails."""

import json
import os
import re

import boto3
import pytest
from dicom.test_bounds import MANY, PRIVATE, explicit, plain, put
from pydicom.uid import ExplicitVRLittleEndian

from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE, three

ESCAPE = "\x1b[2J"
NAMES = [
    "$(touch pwned)",
    "`touch pwned`",
    "P1;touch pwned",
    "-rf",
    "=1+1",
    '"><script>alert(1)</script>',
    f"a{ESCAPE}b",
    "{wildcard}",
    "%2e%2e",
    "a\\b",
]


@pytest.fixture
def upload(lab, server):
    """Puts an object of any key into the bucket, as nobody's client would."""
    client = boto3.client("s3", endpoint_url=server.endpoint_url)

    def send(address, key, content):
        client.put_object(Bucket=address.bucket, Key=address.prefix + key, Body=content)

    return send


def harmless(lab, done):
    """Nothing ran, nothing steers the terminal, nothing lies where it should not."""
    assert ESCAPE not in done.stdout
    assert "\x1b" not in re.sub(r"\x1b\[[0-9;]*m", "", done.stdout), "colours are Snakemake's"
    assert "Traceback" not in done.stdout
    places = {path.relative_to(lab.folder).parts[0] for path in lab.folder.iterdir()}
    assert places <= {"coarse.yaml", "logs", "work", ".snakemake", "missing.tsv"}
    logs = [path for path in (lab.folder / "logs").rglob("*") if path.is_file()]
    assert all("\x1b" not in path.read_text() for path in logs)


def test_hostile_names_and_objects_fail_alone(lab, upload):
    lab.admit("good")
    files = list(slices(chest(), COARSE))
    for name in NAMES:
        upload(lab.source.address, f"{name}/1.dcm", files[0][1])
    bomb = put(plain(ExplicitVRLittleEndian), explicit(PRIVATE, b"LO", b"") * (20 * MANY))
    for patient, extra in {
        "bomb": ("bomb.dcm", bomb),
        "torn": ("'; touch pwned; '.dcm", files[0][1][:-50]),
        "more": ("=1+1\u202e.txt", b"words"),
        "steers": (f"{ESCAPE}.txt", b"words"),
    }.items():
        lab.admit(patient, files)
        upload(lab.source.address, f"{patient}/{extra[0]}", extra[1])
    done = lab.run(missing_tsv="missing.tsv")
    assert done.returncode == 1
    harmless(lab, done)
    assert lab.published() == sorted([*three("good"), *three("more")])
    assert re.search(r"failed bomb: bomb\.dcm is a broken DICOM file \(ValueError\)", done.stdout)
    assert re.search(r"failed steers: .*\ufffd\[2J\.txt ", done.stdout), "no client takes that key"
    assert re.search(r"failed torn: .*'; touch pwned; '\.dcm ", done.stdout)
    assert "13 failed, 0 were done before" in done.stdout
    page = lab.target.read("qc/index.html").decode()
    assert "<script" not in page
    assert page.isprintable() or all(c == "\n" for c in page if not c.isprintable())
    rows = (lab.folder / "missing.tsv").read_text().splitlines()
    assert [len(row.split("\t")) for row in rows] == [3] * 14
    assert all(row.replace("\t", "").isprintable() and row[0] not in "=+-@" for row in rows)


DEEP = b"[" * 100_000
SIDECAR = {
    "recipe": {"digest": "x"},
    "source": {"digest": "s"},
    "npy": {"bytes": 2},
    "lungs_npy": {"bytes": 1},
    "requested_series_uid": None,
    "series_instance_uid": "1.2",
    "flags": [],
}


def test_a_tampered_target_misleads_nobody(lab, upload):
    lab.admit("P1")
    lab.admit("P2", [("LICENSE", b"words")])
    odd = {
        "flags.json": {**SIDECAR, "flags": ["<script>alert(1)</script>", f"{ESCAPE}"]},
        "surrogate.json": {**SIDECAR, "series_instance_uid": "\ud800"},
        "sizes.json": {**SIDECAR, "npy": {"bytes": float("inf")}},
    }
    for key, fields in odd.items():
        upload(lab.target.address, key, json.dumps(fields).encode())
    upload(lab.target.address, "deep.json", DEEP)
    upload(lab.target.address, "_cohort.json", DEEP)
    upload(lab.target.address, f"{ESCAPE}.json", b"{}")
    failure = {
        "patient": "P2", "step": "load", "error": "TooShort", "text": f"P2: {ESCAPE}",
        "recipe": "r", "source": "s", "requested_series_uid": None,
    }  # fmt: skip
    upload(lab.target.address, "P2.failed.json", json.dumps(failure).encode())
    listed = lab.run("-n", on_bad_patient="quarantine")
    assert listed.stdout.endswith("missing: 2 of 2 patients\n  P1: missing\n  P2: missing\n")
    harmless(lab, listed)
    lab.target.discard("surrogate.json")
    done = lab.run(on_bad_patient="quarantine")
    assert done.returncode == 0, done.stdout
    harmless(lab, done)
    assert set(three("P1")) <= set(lab.published())
    assert b"<script" not in lab.target.read("qc/index.html")
    assert lab.run("-n").stdout.endswith("missing: 1 of 2 patients\n  P2: missing\n")


SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI-kWvYxj-secret",
    "AWS_SESSION_TOKEN": "FwoGZXIvYXdzE-kWvYxj-token",
    "HTTPS_PROXY": "http://me:kWvYxj-proxy@127.0.0.1:1",
}


def test_refused_credentials_are_written_nowhere(lab):
    lab.admit("P1")
    done = lab.run("--verbose", "--printshellcmds", environ=SECRETS)
    assert done.returncode != 0
    left = [path.read_bytes() for path in lab.folder.rglob("*") if path.is_file()]
    for content in (done.stdout.encode(), *left):
        assert b"kWvYxj" not in content


def test_files_are_as_private_as_the_umask_says(lab, tmp_path, folder):
    """Intermediates are images of people; whoever shares a machine sets a umask."""
    lab.admit("P1")
    lab.admit("P2", [("LICENSE", b"words")])
    lab.target = folder("npy")
    before = os.umask(0o077)
    try:
        done = lab.run()
    finally:
        os.umask(before)
    assert done.returncode == 1
    assert (lab.folder / ".snakemake/metadata").stat().st_mode & 0o077 == 0
    made = [*lab.folder.rglob("*"), *(tmp_path / "npy").rglob("*")]
    # Files that Snakemake lets its group write, in a folder that its group can't enter.
    made = [path for path in made if path.parent.name != "metadata"]
    assert len([path for path in made if path.suffix == ".npy"]) == 2
    assert not [path for path in made if path.lstat().st_mode & 0o077 and not path.is_symlink()]


def test_a_key_that_nobody_can_ask_for_stops_one_patient_alone(lab, upload):
    for patient in ("P1", "P2"):
        lab.admit(patient)
    assert lab.run().returncode == 0
    upload(lab.source.address, "P2/tab\there.dcm", b"words")
    config = {"check_source": "true", "on_bad_patient": "quarantine"}
    assert lab.missing(**config) == ["1 of 2 patients", "  P2: source changed"]
    done = lab.run(**config)
    assert done.returncode == 0, done.stdout
    assert "failed P2: s3://" in done.stdout
    assert "holds an object that can't be requested (" in done.stdout
    assert "trying P2 again" not in done.stdout
    assert lab.missing(**config) == ["0 of 2 patients"]
    assert set(three("P1")) <= set(lab.published())
    failure = json.loads(lab.target.read("P2.failed.json"))
    assert failure["error"] == "UnusableKey"
