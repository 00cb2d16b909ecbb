"""A published cohort outlives edits: what makes it stale, and what a run then does."""

import io
import os
import shutil
import signal

import numpy as np
import pytest

from workflow.conftest import ROOT, three, wait_for


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


SPACING = "resample.spacing_mm [4, 4, 4] -> [5, 4, 4]"


def test_a_config_edit_loses_no_cohort(lab):
    lab.admit("P1")
    assert lab.run().returncode == 0
    first = lab.etags()
    lab.config["resample"] = {"spacing_mm": [5.0, 4.0, 4.0]}
    stale = ["1 of 1 patients", f"  P1: recipe changed: {SPACING}"]
    assert lab.missing(missing_tsv="m.tsv") == stale
    assert (lab.folder / "m.tsv").read_text().splitlines()[1:] == [f"P1\trecipe changed\t{SPACING}"]
    dry = lab.run("-n", overwrite="true").stdout
    assert "overwrite=true" not in dry
    assert f"made with another recipe ({SPACING}): the former will be replaced, the latter" in dry
    refused = lab.run()
    assert refused.returncode == 1
    assert lab.etags() == first
    line = next(ln for ln in refused.stdout.splitlines() if "made with another recipe" in ln)
    assert line.startswith("lungprep: 1 patients of this cohort and 0 of others in s3://")
    assert f"made with another recipe ({SPACING}); add overwrite=true to the config" in line
    assert "add overwrite=true to the config to replace the former and leave the latter" in line
    assert refused.stdout.rstrip().splitlines()[-1] == line
    done = lab.run(overwrite="true")
    assert done.returncode == 0, done.stdout
    assert lab.published() == three("P1")
    assert lab.sidecar("P1")["spacing_mm"] == [5.0, 4.0, 4.0]
    assert lab.missing() == ["0 of 1 patients"]


def test_an_edit_of_the_image_chain_is_seen_and_a_comment_is_not(lab, own_code):
    lab.admit("P1")
    assert lab.run().returncode == 0
    hu = "scripts/lungprep/image/hounsfield/scale.py"
    own_code(hu, "HU_MAX = 3071", "# What scanners store.\nHU_MAX = 3071")
    own_code(hu, "Rescale one slice.", "Rescale a slice.")
    own_code("config.yaml", "# Average details", "# Blur details")
    own_code("scripts/lungprep/stores/retrying.py", "attempts: int = 30", "attempts: int = 31")
    assert lab.missing() == ["0 of 1 patients"]
    own_code(hu, "HU_MAX = 3071", "HU_MAX = 3070")
    listed = lab.missing()
    assert listed == ["1 of 1 patients", "  P1: recipe changed: the code of the image chain"]
    assert lab.run().returncode == 1
    assert lab.run("--rerun-triggers", "mtime", overwrite="True").returncode == 0
    assert lab.missing() == ["0 of 1 patients"]


def test_changed_sources_are_redone_when_asked_for(lab):
    lab.admit("P1")
    lab.admit("P2")
    assert lab.run().returncode == 0
    lab.source.write("P2/NOTES", b"one object more")
    lab.source.write("P3.zip", b"archive")
    beside = f"beside the patients' folders in {lab.source.address}: 1 archive (P3.zip); none of it"
    assert lab.missing() == ["0 of 2 patients"]
    assert lab.missing(check_source="true") == ["1 of 2 patients", "  P2: source changed"]
    done = lab.run(check_source="true")
    assert done.returncode == 0, done.stdout
    assert "published P2; 1 of 1 done" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(beside)
    assert beside in lab.run("-n").stdout
    assert lab.missing(check_source="true") == ["0 of 2 patients"]


def test_a_subset_by_another_recipe_is_not_mixed_in(lab):
    for patient in ("P1", "P2"):
        lab.admit(patient)
    lab.folder.mkdir()
    cohort = lab.folder / "cohort.csv"
    cohort.write_text("patient,prefix\nP1,P1\n")
    assert lab.run(patients="cohort.csv").returncode == 0
    cohort.write_text("patient,prefix\nP2,P2\n")
    lab.config["resample"] = {"spacing_mm": [5.0, 5.0, 5.0]}
    refused = lab.run(patients="cohort.csv")
    assert refused.returncode == 1
    assert "lungprep: 0 patients of this cohort and 1 of others in s3://" in refused.stdout
    lab.target.discard("_cohort.json")
    assert lab.run(patients="cohort.csv").returncode == 1, "the index is no guard"
    assert lab.published() == three("P1")


def test_nothing_of_an_earlier_recipe_is_reused(lab, own_code):
    """Intermediates that a killed run left, on a machine whose Snakemake knows nothing of them."""
    lab.admit("P1")
    script = "scripts/publish.py"
    waits = "import time\ntime.sleep(60)\n"
    own_code(script, "with Step(", f"{waits}with Step(")
    running = lab.start()
    segmented = lab.folder / "work/P1/segment.json"
    wait_for(segmented.exists, running)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert list((lab.folder / "work/P1").glob("*.npy"))
    own_code(script, waits, "")
    shutil.rmtree(lab.folder / ".snakemake")
    lab.config["resample"] = {"spacing_mm": [5.0, 5.0, 5.0]}
    assert lab.run().returncode == 0
    hu = np.load(io.BytesIO(lab.target.read("P1.npy")), allow_pickle=False)
    assert list(hu.shape) == lab.sidecar("P1")["shape"]
    assert hu.shape[0] < 60


def test_a_target_that_refuses_leaves_no_intermediates(lab, folder):
    for n in range(3):
        lab.admit(f"P{n}")
    lab.target = folder("npy")
    lab.target.write("qc", b"a file where a folder should be")
    done = lab.run()
    assert done.returncode == 1
    assert done.stdout.count("part of its path is not a folder; remove it") >= 3
    assert not [p for p in (lab.folder / "work").rglob("*") if p.is_file()]
