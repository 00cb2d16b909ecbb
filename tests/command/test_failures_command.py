"""The command as a user types it, on a folder and on a real S3 server."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from lungprep.cohort.failures import FailedPatient, write_table

COMMAND = Path(__file__).parents[2] / "scripts/command.py"
ROWS = [
    FailedPatient("P10", "load", "MissingSlices", "1 of 49 slices are missing; upload", 2),
    FailedPatient("P2", "segment", "NoLungsFound", "no air; check", 1),
    FailedPatient("P3", "load", "MissingSlices", '=1+1.dcm "is" empty; upload', 1),
]


@pytest.fixture
def target(store):
    """A target with three failures."""
    place = store("out")
    write_table(place, {row.patient: row for row in ROWS})
    return place


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(COMMAND), "failures", *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_failures_are_listed_and_counted(target):
    done = run(target.address)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "patient  step     type           attempt  text",
        "P10      load     MissingSlices  2        1 of 49 slices are missing; upload",
        "P2       segment  NoLungsFound   1        no air; check",
        """P3       load     MissingSlices  1        '=1+1.dcm "is" empty; upload""",
        "",
        "3 patients failed: 2 MissingSlices, 1 NoLungsFound",
    ]


def test_as_tsv(target):
    rows = list(csv.DictReader(io.StringIO(run(target.address, "--tsv").stdout), delimiter="\t"))
    assert [row["patient"] for row in rows] == ["P10", "P2", "P3"]
    assert rows[0] == {
        "patient": "P10", "step": "load", "type": "MissingSlices", "attempt": "2",
        "text": "1 of 49 slices are missing; upload",
    }  # fmt: skip
    assert rows[2]["text"] == r"'=1+1.dcm \x22is\x22 empty; upload"


def test_no_failures(store):
    place = store("out")
    place.write("P1.json", b"{}")
    assert run(place.address).stdout == "no failures\n"
    assert run(place.address, "--tsv").stdout == "patient\tstep\ttype\tattempt\ttext\n"


def test_a_target_that_cannot_be_read_is_no_target_without_failures(s3):
    done = run("s3://no-such-bucket/out/")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("lungprep: bucket no-such-bucket does not exist; ")
    assert done.stderr.count("\n") == 1
    assert run("gs://x").returncode == 1
    assert run().returncode == 2
