"""Code that is not the clone's changes no voxel: jobs run the clone's, or fail by one line."""

import pytest

from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE, three

PHANTOM = list(slices(chest(), COARSE))
EVIL = "import os; open(os.environ['SPY'], 'a').write(__name__); raise RuntimeError\n"


@pytest.fixture
def evil(tmp_path):
    """Environment with folders of other modules on its path, each of which leaves a trace."""
    for name in (
        "site/lungprep/__init__.py",
        "site/fill_voids/__init__.py",
        "site/cc3d.py",
        "cwd/scipy.py",
    ):
        path = tmp_path / "evil" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(EVIL)
    path = f":{tmp_path}/evil/site:{tmp_path}/evil/cwd"
    return {"PYTHONPATH": path, "SPY": str(tmp_path / "spy")}


def test_a_poisoned_path_changes_no_voxel(lab, evil, tmp_path):
    lab.admit("P1", PHANTOM)
    lab.folder.mkdir()
    (lab.folder / "lungprep.py").write_text(EVIL)
    (lab.folder / "pydicom.py").write_text(EVIL)
    done = lab.run(environ=evil)
    assert done.returncode == 0, done.stdout
    assert lab.published() == three("P1")
    assert not (tmp_path / "spy").exists()
    ignored = [line for line in done.stdout.splitlines() if "ignored, because" in line]
    assert len(ignored) == 3, done.stdout
    assert f"{tmp_path}/evil/site/lungprep/__init__.py, " in done.stdout
    first = lab.sidecar("P1")
    lab.target.discard("P1.json")
    assert lab.run().returncode == 0
    again = lab.sidecar("P1")
    for key in ("npy", "lungs_npy", "recipe"):
        assert again[key] == first[key]


BROKEN = """
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "cc3d":
            raise ImportError("libc3d.so: cannot open shared object file")
if ".snakemake/scripts" in " ".join(sys.orig_argv):
    sys.meta_path.insert(0, Broken())
"""


def test_a_broken_package_gets_its_line(lab, tmp_path):
    lab.admit("P1", PHANTOM)
    (tmp_path / "sitecustomize.py").write_text(BROKEN)
    done = lab.run(environ={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "Traceback" not in done.stdout, done.stdout
    assert "trying P1 again" not in done.stdout
    last = done.stdout.rstrip().splitlines()[-1]
    words = (
        "cc3d.so: cannot open shared object file); install the packages of envs/requirements.txt"
    )
    assert last.startswith("  P1: ") and words.replace("cc3d", "libc3d") in last, done.stdout
