"""What runs is the clone's own code, whatever else Python or Snakemake would find by its name."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import own_code

SCRIPTS = Path(__file__).parents[1] / "scripts"
# What stands for the module must not matter, and must not be run.
EVIL = "import os; os.write(1, b'evil\\n'); raise RuntimeError('evil')\n"
COMMAND = [sys.executable, str(SCRIPTS / "command.py"), "failures"]
WORKS = "no failures"


def run(tmp_path, *, command=COMMAND, cwd=None, **environ):
    (tmp_path / "npy").mkdir(exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        [*command, f"{tmp_path}/npy"], cwd=cwd, env={**kept, **environ},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def poisoned(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(EVIL)
    return str(folder)


@pytest.mark.parametrize(
    "names",
    [
        ["lungprep/__init__.py"],
        ["lungprep.py"],
        ["numpy/__init__.py", "obstore.py"],
        ["numpy/__init__.py", "numpy-9.9.9.dist-info/METADATA"],
        ["argparse.py", "json/__init__.py", "random.py"],
        ["lungprep/__init__.py", "lungprep/stores.py", "pathlib.py", "yaml.py", "csv.py"],
    ],
    ids=" ".join,
)
def test_a_poisoned_path_changes_nothing(tmp_path, names):
    done = run(tmp_path, PYTHONPATH=poisoned(tmp_path / "evil", *names))
    assert (done.returncode, done.stdout.strip()) == (0, WORKS), done.stderr
    (line,) = done.stderr.splitlines()
    files = line.removeprefix("lungprep: ").partition(": ignored")[0].split(", ")
    assert {*files} <= {f"{tmp_path}/evil/{name}" for name in names}
    assert len(files) == min(3, len([n for n in names if "METADATA" not in n]))


def test_the_working_directory_and_a_safe_path_change_nothing(tmp_path):
    evil = poisoned(tmp_path / "evil", "lungprep/__init__.py", "argparse.py")
    for environ in ({"PYTHONPATH": ":/nowhere"}, {"PYTHONSAFEPATH": "1"}):
        done = run(tmp_path, cwd=evil, **environ)
        assert (done.returncode, done.stdout.strip()) == (0, WORKS), done.stderr


FINDER = """
import importlib.abc, importlib.util, sys
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.startswith("lungprep"):
            return importlib.util.spec_from_file_location(name, {evil!r})
sys.meta_path.insert(0, Finder())
"""


def test_a_finder_of_a_hook_changes_nothing(tmp_path):
    evil = poisoned(tmp_path / "evil", "evil.py")
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/sitecustomize.py").write_text(FINDER.format(evil=f"{evil}/evil.py"))
    done = run(tmp_path, PYTHONPATH=str(tmp_path / "hook"))
    assert (done.returncode, done.stdout.strip()) == (0, WORKS), done.stderr


def test_a_part_that_is_loaded_before_is_refused_by_name(tmp_path):
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/part.py").write_text("")
    code = "import part, sys; sys.modules['lungprep.errors'] = part"
    (tmp_path / "hook/sitecustomize.py").write_text(code)
    done = run(tmp_path, PYTHONPATH=str(tmp_path / "hook"))
    (line,) = done.stderr.splitlines()
    words = f"lungprep: lungprep.errors was imported from {tmp_path}/hook/part.py, and is not the"
    assert done.returncode == 1
    assert line.startswith(words)


def test_an_end_that_is_inspected_is_no_failed_import(tmp_path):
    done = run(tmp_path, PYTHONINSPECT="1")
    assert "can't be imported" not in done.stderr


def test_the_site_of_the_user_changes_nothing(tmp_path):
    """Its packages are meant to come first; a lungprep among them is not."""
    base = tmp_path / "home"
    code = "import site; print(site.getusersitepackages())"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONUSERBASE": str(base)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    poisoned(Path(found.stdout.strip()), "lungprep/__init__.py", "numpy.py")
    done = run(tmp_path, PYTHONUSERBASE=str(base))
    assert (done.returncode, done.stdout.strip()) == (0, WORKS), done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "lungprep",
            "lungprep was imported from {path}, and is not the one of {scripts}; remove",
        ),
        ("random", "random was imported from {path}, and is not Python's or that of its packages"),
    ],
)
def test_a_module_that_is_loaded_before_is_refused_by_name(tmp_path, name, words):
    """As by a hook of the site, or a .pth file, before any code of ours runs."""
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / f"{name}.py").write_text("")
    (evil / "sitecustomize.py").write_text(f"import {name}\n")
    done = run(tmp_path, PYTHONPATH=str(evil))
    line = words.format(path=f"{evil}/{name}.py", scripts=SCRIPTS)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"lungprep: {line}"), done.stderr
    assert done.stderr.count("\n") == 1


BROKEN = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name == "yaml":
            raise ImportError("libyaml.so.9: cannot open\\nshared object")
sys.meta_path.insert(0, Hidden())
"""


def test_a_package_that_can_not_be_imported_gets_one_line(tmp_path):
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / "sitecustomize.py").write_text(BROKEN)
    done = run(tmp_path, command=[*COMMAND[:2], "missing", "--configfile"], PYTHONPATH=str(evil))
    assert done.returncode == 1
    assert "can't be imported (ImportError: libyaml.so.9: cannot open); install" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


def test_a_bug_keeps_its_traceback(tmp_path):
    code = f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); import own_code\n"
    code += "own_code.check(); [][0]"
    done = run(tmp_path, command=[sys.executable, "-c", code])
    assert "IndexError: list index out of range" in done.stderr


def test_each_script_sees_to_its_code_first():
    for path in SCRIPTS.glob("*.py"):
        if path.name != "own_code.py":
            imports = re.findall(
                r"^(?:import|from) (\w+)|^(own_code\.check\(\))", path.read_text(), re.M
            )
            assert [a or b for a, b in imports[:3]] == ["sys", "own_code", "own_code.check()"], path


def test_packages_of_the_recipe_are_known():
    from lungprep.config.recipe import VERSIONS

    for module, distributions in packages_distributions().items():
        if {*VERSIONS, "obstore", "boto3", "PyYAML", "jsonschema", "scipy"} & {*distributions}:
            assert module in own_code.NEEDED or module.startswith(("_", "numpy", "pydicom"))


def test_processes_that_are_started_inherit_no_poison(tmp_path, monkeypatch):
    good, evil = tmp_path / "good", poisoned(tmp_path / "evil", "json.py")
    good.mkdir()
    environ = {"PYTHONPATH": f":{evil}:{good}:"}
    monkeypatch.setattr(sys, "path", [str(good), *sys.path, evil])
    own_code.pass_on(environ)
    assert environ == {"PYTHONPATH": str(good)}
    monkeypatch.setattr(sys, "path", sys.path[1:])
    own_code.pass_on(environ)
    assert json.dumps(environ) == "{}"
