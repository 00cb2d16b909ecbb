"""A published cohort outlives edits: what makes it stale, and what a run then does."""

import shutil

import pytest

from workflow.conftest import ROOT, three


@pytest.fixture
def own_code(lab, tmp_path):
    """A copy of the project whose code a test may edit."""
    copy = tmp_path / "project"
    for name in ("Snakefile", "config.yaml"):
        copy.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    for name in ("rules", "scripts", "profiles", "envs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    lab.snakefile = copy / "Snakefile"

    def edit(path, old, new):
        file = copy / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))

    return edit


STALE = ["1 of 1 patients", "  P1: recipe changed"]


def test_a_config_edit_loses_no_cohort(lab):
    lab.admit("P1")
    assert lab.run().returncode == 0
    first = lab.etags()
    lab.config["resample"] = {"spacing_mm": [5.0, 4.0, 4.0]}
    listed = lab.missing()
    assert listed[:2] == STALE
    assert "1 of 1 patients in s3://bucket/" in listed[2]
    refused = lab.run()
    assert refused.returncode == 1
    assert lab.etags() == first
    line = next(ln for ln in refused.stdout.splitlines() if "made with another recipe" in ln)
    assert line.startswith("lungprep: 1 of 1 patients in s3://")
    assert "add overwrite=true to the config to replace them, or choose another target" in line
    assert "Traceback" not in refused.stdout
    done = lab.run(overwrite="true")
    assert done.returncode == 0, done.stdout
    assert lab.published() == three("P1")
    assert lab.sidecar("P1")["spacing_mm"] == [5.0, 4.0, 4.0]
    assert lab.missing() == ["0 of 1 patients"]


def test_an_edit_of_the_image_chain_is_seen_and_a_comment_is_not(lab, own_code):
    lab.admit("P1")
    assert lab.run().returncode == 0
    hu = "scripts/lungprep/hu.py"
    own_code(hu, "HU_MAX = 3071", "# What scanners store.\nHU_MAX = 3071")
    own_code(hu, "Rescale one slice.", "Rescale a slice.")
    own_code("config.yaml", "# Average what", "# Blur what")
    own_code("scripts/lungprep/stores/s3.py", "ATTEMPTS = 6", "ATTEMPTS = 7")
    assert lab.missing() == ["0 of 1 patients"]
    own_code(hu, "HU_MAX = 3071", "HU_MAX = 3070")
    assert lab.missing()[:2] == STALE
    assert lab.run().returncode == 1
    assert lab.run("--rerun-triggers", "mtime", overwrite="True").returncode == 0
    assert lab.missing() == ["0 of 1 patients"]


def test_changed_sources_are_redone_when_asked_for(lab):
    lab.admit("P1")
    lab.admit("P2")
    assert lab.run().returncode == 0
    lab.source.write("P2/NOTES", b"one object more")
    assert lab.missing() == ["0 of 2 patients"]
    assert lab.missing(check_source="true") == ["1 of 2 patients", "  P2: source changed"]
    done = lab.run(check_source="true")
    assert done.returncode == 0, done.stdout
    assert "published P2; 1 of 1 done" in done.stdout
    assert lab.missing(check_source="true") == ["0 of 2 patients"]


def test_an_interrupted_patient_goes_on_where_it_was(lab, own_code):
    """A store that fails leaves the intermediates; the next run needs only the rest."""
    lab.admit("P1")
    script = "scripts/publish.py"
    own_code(script, "with Step(", "from lungprep.errors import StoreUnreachable\nwith Step(")
    own_code(script, "as step:\n", "as step:\n    raise StoreUnreachable('no answer', 'wait')\n")
    failed = lab.run()
    assert failed.returncode == 1
    assert "failed P1: no answer; wait" in failed.stdout
    own_code(script, "    raise StoreUnreachable('no answer', 'wait')\n", "")
    done = lab.run()
    assert done.returncode == 0, done.stdout
    stats = done.stdout.partition("Job stats:")[2]
    assert "publish        1" in stats
    assert "load" not in stats.partition("total")[0]
    assert lab.published() == three("P1")
