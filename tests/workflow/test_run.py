"""From S3 to S3: what is published, in which order, and what a second run does."""

import csv
import io
import json
import re
from dataclasses import replace

import boto3
import numpy as np
import pytest

from lungprep.image.volume import Grid
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep_demo.phantom import PHI, chest, slices
from workflow.conftest import COARSE, three, wait_for

CONTRACT = {
    "patient", "series_instance_uid", "shape", "spacing_mm", "origin_mm", "direction", "affine",
    "crop", "source", "recipe", "lungs", "flags", "npy", "steps",
}  # fmt: skip


def arrays(lab, patient):
    """The two published arrays."""
    keys = (f"{patient}.npy", f"{patient}.lungs.npy")
    return [np.load(io.BytesIO(lab.target.read(k)), allow_pickle=False) for k in keys]


def test_phantoms_s3_to_s3(lab, server):
    unsigned = replace(
        COARSE, orientation="FFP", signed=False, bits_stored=12, instance_order="against", gap_mm=5
    )
    lab.admit("P1")
    lab.admit("P10", slices(chest(), unsigned))
    lab.source.write("P1/LICENSE", b"not DICOM")
    before = len(server.requests())
    done = lab.run()
    assert done.returncode == 0, done.stdout
    assert lab.published() == sorted(three("P1") + three("P10"))
    assert re.search(r"published P1\d?; 2 of 2 done, 0 failed, about 0 s left", done.stdout)
    assert done.stdout.rstrip().splitlines()[-1].startswith("published 2 patients to s3://bucket/")
    assert "Traceback" not in done.stdout

    for patient in ("P1", "P10"):
        sidecar = lab.sidecar(patient)
        assert set(sidecar) >= CONTRACT
        hu, lungs = arrays(lab, patient)
        grid = Grid.from_json(sidecar)
        assert hu.dtype == np.int16
        assert lungs.dtype == np.uint8
        assert hu.shape == lungs.shape == grid.shape
        np.testing.assert_array_equal(sidecar["affine"], grid.affine)
        np.testing.assert_allclose(sidecar["direction"], np.eye(3), atol=1e-9)
        truth = chest().labels(grid)
        for label in (1, 2):
            both = np.count_nonzero((lungs == label) & (truth == label))
            total = np.count_nonzero(lungs == label) + np.count_nonzero(truth == label)
            assert 2 * both / total > 0.93
        deep = chest().hu(grid)[truth == 1]
        assert abs(float(hu[truth == 1].mean()) - float(deep.mean())) < 25
        assert sidecar["npy"]["bytes"] == len(lab.target.read(f"{patient}.npy"))
        assert sidecar["steps"]["load"]["peak_mb"] > 10
    assert lab.sidecar("P1")["source"]["skipped"] == {"not DICOM": 1}

    puts = [key.rpartition("/out/")[2] for kind, key in server.requests()[before:] if kind == "PUT"]
    for patient in ("P1", "P10"):
        mine = [key for key in puts if re.fullmatch(rf"(qc/)?{patient}(\.lungs)?\.\w+", key)]
        assert mine == [
            f"{patient}.npy", f"{patient}.lungs.npy", f"qc/{patient}.png", f"{patient}.json"
        ]  # fmt: skip

    leftovers = [p for p in (lab.folder / "work").rglob("*") if p.is_file()]
    assert not leftovers
    everything = b"".join(p.read_bytes() for p in lab.folder.rglob("*") if p.is_file())
    everything += b"".join(lab.target.read(e.key) for e in lab.target.entries(below=True))
    for secret in (*PHI.values(), server.secret_key, server.access_key):
        assert secret.encode() not in everything, secret


def test_the_target_alone_decides_who_is_done(lab, server, tmp_path):
    for patient in ("P1", "P2"):
        lab.admit(patient)
    assert lab.missing() == ["2 of 2 patients", "  P1: missing", "  P2: missing"]
    assert lab.run().returncode == 0
    first = lab.etags()

    fresh = tmp_path / "fresh machine"
    before = len(server.requests())
    again = lab.run(cwd=fresh)
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout
    assert again.stdout.rstrip().endswith("0 failed, 2 were done before")
    assert [kind for kind, _ in server.requests()[before:]] == ["LIST", "LIST", "GET"]

    lab.target.discard("P2.lungs.npy")
    assert lab.missing() == ["1 of 2 patients", "  P2: incomplete: P2.lungs.npy is absent"]
    one = lab.run(cwd=fresh)
    assert one.returncode == 0
    assert "published P2; 1 of 1 done" in one.stdout
    assert "published P1" not in one.stdout
    assert lab.etags() == first
    assert lab.missing() == ["0 of 2 patients"]

    lab.target.write("P1.npy", b"cut")
    assert lab.missing()[1].startswith("  P1: incomplete: P1.npy has 3 bytes instead of")
    lab.target.discard("P1.json")
    assert lab.missing() == ["1 of 2 patients", "  P1: missing"]
    assert lab.run().returncode == 0
    assert lab.etags() == first


def test_the_index_is_only_a_cache(lab):
    for patient in ("P1", "P2"):
        lab.admit(patient)
    assert lab.run().returncode == 0
    for broken in (None, b"", b"{}", b'{"format": 1, "patients": {"P1": 3}}'):
        lab.target.discard("_cohort.json")
        if broken is not None:
            lab.target.write("_cohort.json", broken)
        assert lab.missing() == ["0 of 2 patients"]


def test_one_bad_patient_fails_alone(lab):
    lab.admit("good")
    lab.admit("torn", [f for i, f in enumerate(slices(chest(), COARSE)) if i != 20])
    lab.admit("text", [("LICENSE", b"words")])
    lab.admit("water", list(slices(chest(), replace(COARSE, edit=fill_with_water))))
    done = lab.run()
    assert done.returncode == 1
    assert lab.published() == three("good"), done.stdout
    lines = done.stdout.rstrip().splitlines()
    summary = next(i for i, line in enumerate(lines) if line.startswith("published 1 patients to"))
    assert "3 failed" in lines[summary]
    told = dict(line.strip().split(": ", 1) for line in lines[summary + 1 :])
    assert "1 of 49 slices are missing" in told["torn"]
    assert told["text"].startswith("no CT image among 1 objects under s3://")
    assert told["water"].partition(";")[2]
    for line in lines[summary + 1 :]:
        assert f"failed {line.strip()}" in done.stdout
    assert "Traceback" not in done.stdout
    assert "again" not in done.stdout.replace("upload it again", ""), "no attempt is in vain"
    assert "Trying to restart" not in done.stdout
    table = list(csv.DictReader(io.StringIO(lab.target.read("failures.csv").decode())))
    assert [(row["patient"], row["step"], row["type"], row["attempt"]) for row in table] == [
        ("text", "load", "NoCTImages", "1"),
        ("torn", "load", "MissingSlices", "1"),
        ("water", "segment", "NoLungsFound", "1"),
    ]
    assert not [p for p in (lab.folder / "work").rglob("*") if p.is_file()]
    assert lab.missing()[0] == "3 of 4 patients"


def fill_with_water(dataset, index):
    dataset.PixelData = np.full(dataset.Rows * dataset.Columns, 1024, "<i2").tobytes()


def test_names_that_cannot_be_ids_are_refused_and_others_run(lab):
    lab.admit("P1")
    for name in ("P 2", "ünï", "x" * 150):
        lab.source.write(f"{name}/1.dcm", b"")
    listed = lab.missing()
    assert listed[0] == "4 of 4 patients"
    assert len([line for line in listed if "not usable as a patient id; rename it" in line]) == 3
    done = lab.run()
    assert done.returncode == 1
    assert lab.published() == three("P1")
    for name in ("'P 2': not usable", "'ünï': not usable", f"'{'x' * 150}': not usable"):
        assert name in done.stdout


def test_folders_as_source_and_target(lab, tmp_path, folder):
    s3_source, s3_target = lab.source, lab.target
    lab.admit("P1")
    lab.source = folder("dicom")
    lab.admit("P1")
    lab.target = folder("npy")
    for source, target in (
        (lab.source, lab.target),
        (lab.source, s3_target),
        (s3_source, folder("b")),
    ):
        lab.source, lab.target = source, target
        done = lab.run()
        assert done.returncode == 0, done.stdout
        assert lab.published() == three("P1")
        assert lab.missing() == ["0 of 1 patients"]
    assert arrays(lab, "P1")[0].tobytes() == np.load(tmp_path / "npy/P1.npy").tobytes()


def test_cohort_file_names_prefix_and_series(lab):
    lab.source.write("scans/a/readme", b"")
    lab.admit("scans/a")
    lab.admit("scans/a/second", slices(chest(), replace(COARSE, gap_mm=10, seed=7)))
    plain = lab.run("-n")
    assert "scans" in plain.stdout
    lab.folder.mkdir(exist_ok=True)
    cohort = lab.folder / "cohort.csv"
    cohort.write_text("patient,prefix\nP1,scans/a\n")
    done = lab.run(patients="cohort.csv")
    assert done.returncode == 0, done.stdout
    first, (second,) = (
        lab.sidecar("P1")["series_instance_uid"],
        lab.sidecar("P1")["rejected_series"],
    )
    assert lab.sidecar("P1")["rejected_series"] == {second: "less preferred: gap"}
    rows = f"P1,scans/a,{second}\nP2,scans/a/,{first}\n"
    cohort.write_text(f"patient,prefix,series_uid\n{rows}")
    listed = lab.missing(patients="cohort.csv")
    assert listed[1:] == ["  P1: another series is requested", "  P2: missing"]
    assert lab.run(patients="cohort.csv").returncode == 0
    assert lab.published() == sorted(three("P1") + three("P2"))
    assert lab.sidecar("P1")["series_instance_uid"] == second
    assert lab.sidecar("P2")["series_instance_uid"] == first


def test_intermediates_of_few_patients_lie_on_disk_at_once(lab):
    """Each resample job writes down which patients have intermediates; cores + 1 is the bound."""
    for n in range(7):
        lab.admit(f"P{n}")
    spy = lab.folder.parent / "spy"
    spy.mkdir()
    (spy / "sitecustomize.py").write_text(SPY)
    done = lab.run(environ={"PYTHONPATH": str(spy), "SPY_LOG": str(spy / "log")})
    assert done.returncode == 0, done.stdout
    counts = [len(json.loads(line)) for line in (spy / "log").read_text().splitlines()]
    assert len(counts) == 28
    assert max(counts) <= 3


SPY = """
import atexit, glob, json, os, sys
def look():
    folders = {os.path.dirname(p) for p in glob.glob("work/*/*.npy")}
    with open(os.environ["SPY_LOG"], "a") as log:
        log.write(json.dumps(sorted(folders)) + "\\n")
if ".snakemake/scripts" in " ".join(sys.orig_argv):
    atexit.register(look)
"""


@pytest.mark.parametrize("cores", [1, 3])
def test_same_bytes_whatever_the_cores_and_the_order_of_slices(lab, cores):
    lab.admit("P1")
    lab.admit("P2", [(f"z{99 - i}.dcm", c) for i, (_, c) in enumerate(slices(chest(), COARSE))])
    assert lab.run(cores=cores).returncode == 0
    assert arrays(lab, "P1")[0].tobytes() == arrays(lab, "P2")[0].tobytes()
    digests = {lab.sidecar("P1")["npy"]["sha256"], lab.sidecar("P2")["npy"]["sha256"]}
    assert len(digests) == 1


def test_looking_on_disturbs_no_run(lab):
    """A second run, graphs and dry runs beside a running one, which ends as if alone."""
    for n in range(9):
        lab.admit(f"P{n}")
    running = lab.start(cores=1)
    wait_for(lab.published, running)
    second = lab.run()
    assert second.returncode == 1
    words = rf"lungprep: another run is at work in .* \(process {running.pid} on .*\); let it end"
    assert re.search(words, second.stdout), second.stdout
    assert "were done before" not in second.stdout
    unlocked = lab.run("--nolock")
    assert re.search(words, unlocked.stdout), unlocked.stdout
    assert lab.run("--summary").returncode == 0
    assert lab.run("--dag").returncode == 0
    assert lab.missing()[0].endswith("of 9 patients")
    output, _ = running.communicate(timeout=120)
    assert running.returncode == 0, output
    assert output.rstrip().splitlines()[-1].startswith("published 9 patients")
    assert lab.missing() == ["0 of 9 patients"]


def test_one_patient_of_a_whole_bucket(lab, server):
    boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
    ).create_bucket(Bucket="whole")
    whole = open_store(parse_address("source", "s3://whole/"), S3Options(server.endpoint_url))
    for name, content in slices(chest(), COARSE):
        whole.write(f"P1/{name}", content)
        whole.write(f"P2/{name}", content)
    done = lab.run(source="s3://whole/", only="P2")
    assert done.returncode == 0, done.stdout
    assert lab.published() == three("P2")
    assert lab.missing(source="s3://whole/") == ["1 of 2 patients", "  P1: missing"]
    assert lab.missing(source="s3://whole/", only="P2,P1") == ["1 of 2 patients", "  P1: missing"]
