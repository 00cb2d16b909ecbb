"""The command ``lungprep`` as a whole, and its subcommand ``missing``."""

import csv
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lungprep import __version__
from lungprep.command import SUBCOMMANDS
from lungprep.command.missing import read_config
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(ROOT / "scripts/command.py")]


def run(*arguments, cwd=None):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_help_names_every_subcommand():
    done = run("--help")
    assert done.returncode == 0
    for name in SUBCOMMANDS:
        assert f"\n    {name} " in done.stdout
        assert run(name, "--help").stdout.startswith(f"usage: lungprep {name} ")
    assert run("--version").stdout == f"lungprep {__version__}\n"


def test_without_a_subcommand_the_command_line_is_wrong():
    done = run()
    assert done.returncode == 2
    assert "required: SUBCOMMAND" in done.stderr


@pytest.fixture
def cohort(tmp_path, store):
    """A config beside a source of two patients and an empty target."""
    source, target = store("in"), store("out")
    for patient in ("P1", "P2"):
        source.write(f"{patient}/1.dcm", b"slice")
    config = {"source": str(source.address), "target": str(target.address)}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    return tmp_path


def test_missing_patients_are_listed(cohort):
    done = run("missing", cwd=cohort)
    assert done.returncode == 0, done.stderr
    rows = csv.DictReader(io.StringIO(done.stdout), delimiter="\t")
    assert [(r["patient"], r["state"]) for r in rows] == [("P1", "missing"), ("P2", "missing")]


def test_settings_are_read_as_they_are_written(cohort):
    source = yaml.safe_load((cohort / "config.yaml").read_text())["source"]
    open_store(parse_address("source", source), S3Options()).write("00042/1.dcm", b"slice")
    (cohort / "more.yaml").write_text(
        (cohort / "config.yaml").read_text() + "resample: {antialias: false}\n"
    )
    settings = ["only=00042", "check_source=true", "resample={spacing_mm: [2, 2, 2]}"]
    arguments = [part for setting in settings for part in ("--set", setting)]
    done = run("missing", "--configfile", "more.yaml", *arguments, cwd=cohort)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["00042\tmissing\t"]
    config = read_config(str(cohort / "more.yaml"), settings)
    assert config["resample"] == {"antialias": False, "spacing_mm": [2, 2, 2]}


def test_a_library_without_the_workflow_says_so(cohort, tmp_path):
    shutil.copytree(ROOT / "scripts/lungprep", tmp_path / "site/lungprep")
    done = subprocess.run(
        [sys.executable, "-m", "lungprep", "missing"],
        cwd=cohort, env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "lungprep: this installation has no scripts of the workflow, which are part of the recipe; "
        "in a clone, pip install --editable .\n"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--configfile", "none.yaml"], "none.yaml can't be read"),
        (["--set", "overwrite"], "--set overwrite has no value; write --set overwrite=VALUE"),
        (["--set", "overwrite=perhaps"], "overwrite"),
    ],
)
def test_what_is_wrong_is_one_line(cohort, arguments, line):
    done = run("missing", *arguments, cwd=cohort)
    assert done.returncode == 1
    assert line in done.stderr
    assert len(done.stderr.splitlines()) == 1
