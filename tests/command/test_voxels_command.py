"""The command as a user types it, on a folder and on a real S3 server."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lungprep.command import voxels as coordinates
from lungprep.image.export import Product
from lungprep.image.output.scales import Scale
from lungprep.image.volume import Grid
from lungprep.publish.publishing import publish

COMMAND = Path(__file__).parents[2] / "scripts/command.py"
GRID = Grid((40, 30, 20), (2.0, 1.0, 0.5), (-10.0, -20.0, -300.0))
LUNA = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"
MIXED = (
    LUNA
    + "1.1,-5,-13.5,-280,3\n"  # inside P1
    + "1.1,-5,-13.5,-80,3\n"  # too high
    + "1.9,1,2,3,4\n"  # of nobody
    + "1.2,-5,-13.5,-280,-1\n"
)


def sidecar(patient, series_uid, grid=GRID):
    return {
        "patient": patient,
        "series_instance_uid": series_uid,
        **grid.to_json(),
        "affine": grid.affine.tolist(),
        "recipe": {"digest": "r"},
        "source": {"digest": "s"},
        "requested_series_uid": None,
        "flags": [],
        "steps": {},
    }


@pytest.fixture
def target(store):
    """Two patients as they are published, and what else lies in a target."""
    place = store("out")
    array = np.zeros(GRID.shape, np.int16)
    product = Product(array, array.astype(np.uint8), GRID, (0, 0, 0), GRID.shape, Scale(), None)
    for patient, series_uid in (("P1", "1.1"), ("P2", "1.2")):
        publish(place, patient, product, b"", sidecar(patient, series_uid), dict)
    place.write("_cohort.json", b'{"format": 1, "patients": {}}')
    place.write("P3.failed.json", b'{"patient": "P3", "series_instance_uid": "1.9"}')
    return place


def run(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, str(COMMAND), "voxels", *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def refusal(*arguments):
    """The one line of a run that fails."""
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    return line


def test_a_point_becomes_a_voxel_and_a_voxel_a_point(target):
    done = run(target.address, "P1", "--world", "-5", "-13.5", "-280")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "10.000000 6.500000 10.000000\n"
    done = run(target.address, "P1", "--voxel", "10", "6.5", "10")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "-5.000000 -13.500000 -280.000000\n"


def test_a_list_is_converted_and_the_rest_reported(target, tmp_path):
    (tmp_path / "annotations.csv").write_text(MIXED, encoding="utf-8-sig")
    options = (target.address, "--nodules", "annotations.csv", "--output", "voxels.csv")
    done = run(*options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "wrote 4 rows to voxels.csv: 2 inside, 1 outside of the array, 1 without a voxel",
        "outside of the array: line 3 (P1)",
        "without a voxel: line 4: series '1.9' is not published",
    ]
    with (tmp_path / "voxels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["inside"] for row in rows] == ["yes", "no", "", "yes"]
    assert [row["patient"] for row in rows] == ["P1", "P1", "", "P2"]
    assert [rows[0][f"voxel{axis}"] for axis in "ZYX"] == ["10.000000", "6.500000", "10.000000"]
    assert rows[0]["diameterX_voxels"] == "6.000000"
    assert [rows[2][name] for name in ("voxelZ", "coordX", "diameter_mm")] == ["", "1", "4"]
    assert rows[3]["diameterX_voxels"] == ""


@pytest.fixture
def local(folder):
    """One patient in a folder."""
    place = folder("out")
    place.write("P1.json", json.dumps(sidecar("P1", "1.1")).encode())
    return place


@pytest.fixture
def nodules(tmp_path):
    """Runs the command on a list in a folder."""

    def convert(place, content):
        (tmp_path / "in.csv").write_text(content)
        arguments = (place.address, "--nodules", "in.csv", "--output", "out.csv")
        return run(*arguments, cwd=tmp_path)

    return convert


def test_small_negative_numbers_are_numbers(local):
    done = run(local.address, "P1", "--voxel", "-1e-05", "-.5", "-2E1")
    assert done.stdout == "-20.000000 -20.500000 -300.000020\n"


def test_a_point_outside_is_converted_and_told(local):
    done = run(local.address, "P1", "--world", "-10", "0", "-300.99")
    assert (done.returncode, done.stderr) == (0, "")
    done = run(local.address, "P1", "--world", "-10.0000001", "0", "-301.01")
    assert (done.returncode, done.stdout) == (0, "-0.505000 20.000000 0.000000\n")
    assert done.stderr == "outside of the array of P1, whose (z, y, x) are (40, 30, 20)\n"


def test_only_sidecars_that_are_named_are_read(local, nodules):
    local.write("P2.json", b"{")
    done = nodules(local, "patient,coordX,coordY,coordZ\nP1,1,2,3\n../P1,1,2,3\n")
    assert done.returncode == 0
    assert "not a sidecar" not in done.stderr
    assert "without a voxel: line 3: patient '../P1' is not published" in done.stderr


def test_a_broken_sidecar_is_told_and_the_others_serve(local, nodules):
    local.write("P2.json", json.dumps(sidecar("P1", "1.2")).encode())
    done = nodules(local, LUNA + "1.1,-5,-13.5,-280,3\n1.2,1,2,3,4\n")
    assert done.returncode == 0
    assert done.stderr.splitlines()[0].endswith(
        "1 inside, 0 outside of the array, 1 without a voxel"
    )
    assert done.stderr.splitlines()[-1] == (
        "not a sidecar: P2.json can't be used as a sidecar (it names patient 'P1'); "
        "publish the patient again"
    )


def test_a_long_report_is_cut_short(local, nodules):
    done = nodules(local, LUNA + "1.9,1,2,3,4\n" * 25)
    assert done.stderr.count("is not published") == 20
    assert done.stderr.splitlines()[-1] == "without a voxel: and 5 more"


def test_reading_for_long_is_told(local, tmp_path, monkeypatch, capsys):
    local.write("P2.json", json.dumps(sidecar("P2", "1.2")).encode())
    (tmp_path / "in.csv").write_text(LUNA)
    monkeypatch.setattr(coordinates, "QUIET_S", 0)
    coordinates.convert_list(local, tmp_path / "in.csv", tmp_path / "out.csv")
    told = capsys.readouterr().err.splitlines()
    assert told[:2] == ["read 1 of 2 sidecars", "read 2 of 2 sidecars"]


def test_a_bad_list_leaves_no_output(local, nodules, tmp_path):
    done = nodules(local, LUNA + "1.1,x,2,3,4\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "lungprep: line 2 of in.csv has coordX 'x'; write a number in mm, such as -128.7\n"
    )
    assert not (tmp_path / "out.csv").exists()


def test_what_can_not_be_done_is_one_line(local, tmp_path):
    place, point = local.address, ("--world", 1, 2, 3)
    (tmp_path / "in.csv").write_text(LUNA)
    assert refusal(place, "P9", *point) == (
        f"lungprep: patient P9 is not published in {place}; "
        "check the id and the target, or publish the patient first"
    )
    assert refusal(place, "../out/P1", *point).startswith(
        "lungprep: '../out/P1' is not usable as a patient id; rename it: an id has"
    )
    local.write("P2.json", b"[]")
    assert refusal(place, "P2", *point).startswith(
        "lungprep: P2.json can't be used as a sidecar (list indices"
    )
    assert refusal("http://x/y", "P1", *point) == (
        "lungprep: TARGET is 'http://x/y', with an unknown scheme; "
        "write s3://bucket/prefix/ or a folder such as ./dicom"
    )
    nodules = ("--nodules", tmp_path / "in.csv")
    nowhere = tmp_path / "nowhere"
    assert refusal(nowhere, *nodules, "--output", tmp_path / "o.csv") == (
        f"lungprep: {nowhere}/ holds no published patient; check the address"
    )
    assert refusal(place, *nodules, "--output", tmp_path / "x/../in.csv").endswith(
        "is the nodule list itself; give another file"
    )
    assert refusal(place, *nodules, "--output", tmp_path / "x/o.csv") == (
        f"lungprep: --output {tmp_path}/x/o.csv can't be written (No such file or directory); "
        "name a file in a folder that you can write to"
    )


def test_a_store_that_refuses_is_one_line(s3, monkeypatch):
    address = s3("out").address
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert "was refused (SignatureDoesNotMatch); check the AWS_* variables" in refusal(
        address, "P1", "--world", 1, 2, 3
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["t"], "one of the arguments --world --voxel --nodules is required"),
        (["t", "--world", "1", "2", "3"], "--world and --voxel take a PATIENT, and no --output"),
        (["t", "P", "--world", "1", "2"], "argument --world: expected 3 arguments"),
        (["t", "P", "--world", "1", "2", "x"], "argument --world: invalid number value: 'x'"),
        (["t", "P", "--voxel", "1", "2", "-inf"], "argument --voxel: expected 3 arguments"),
        (["t", "P", "--voxel", "1", "2", "nan"], "argument --voxel: invalid number value: 'nan'"),
        (["t", "P", "--voxel", "1", "2", "3", "--world", "1", "2", "3"], "not allowed with"),
        (["t", "--nodules", "a.csv"], "--nodules takes an --output, and no PATIENT"),
        (["t", "P", "--nodules", "a", "--output", "b"], "--nodules takes an --output, and no PATI"),
    ],
)
def test_a_wrong_command_line_is_told(arguments, message):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr.splitlines()[-1]


def test_help_shows_orders_and_examples():
    text = run("--help").stdout
    for phrase in ("x y z in mm", "z y x", "examples:", "exit status:", "--requester-pays"):
        assert phrase in text
