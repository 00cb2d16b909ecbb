"""The locks: each pins its packages with hashes, once, and they agree with one another."""

import importlib.util
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENVS = ROOT / "envs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SPEC = importlib.util.spec_from_file_location("trim_lock", ROOT / ".ci" / "trim_lock.py")
trim_lock = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(trim_lock)

HASHED = ["", "-dev", "-audit", "-slurm", "-cloud", "-cloud-dev"]
BUILT_ON = {
    "-slurm": [""],
    "-dev": ["-slurm"],
    "-cloud": [""],
    "-cloud-dev": ["-dev", "-cloud"],
}


def path(name):
    return ENVS / f"requirements{name}.txt"


def own(name):
    """The pins of one lock, with their markers."""
    lines = path(name).read_text().splitlines()
    return [line.removesuffix(" \\") for line in lines if "==" in line]


def installed(name):
    """The pins of a lock and of those that it builds on."""
    return {*own(name)}.union(*(installed(base) for base in BUILT_ON.get(name, [])))


def packages(pins):
    return {pin.partition("==")[0] for pin in pins}


@pytest.mark.parametrize("name", HASHED)
def test_each_locked_package_has_hashes_and_no_address(name):
    text = path(name).read_text()
    pins = [block for block in re.split(r"\n(?=[\w])", text) if "==" in block]
    assert pins
    assert not [pin for pin in pins if "--hash=sha256:" not in pin]
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("name", BUILT_ON)
def test_a_lock_names_those_that_it_builds_on_and_repeats_no_pin(name):
    first = re.findall(r"(?m)^-r (.+)$", path(name).read_text())
    assert first == [path(base).name for base in BUILT_ON[name]]
    below = set().union(*(installed(base) for base in BUILT_ON[name]))
    assert not packages(own(name)) & packages(below)


@pytest.mark.parametrize(
    ("name", "extras"),
    [("", ["workflow", "demo"]), ("-slurm", ["slurm"]), ("-dev", ["dev"]), ("-cloud", ["cloud"])],
)
def test_a_lock_has_what_the_project_asks_for(name, extras):
    asked = PROJECT["dependencies"] + [
        one for extra in extras for one in PROJECT["optional-dependencies"][extra]
    ]
    assert {re.split("[=<>]", one)[0].lower() for one in asked} <= packages(installed(name))


@pytest.mark.parametrize("name", ["-cloud-dev", "-networks"])
def test_no_package_has_two_versions(name):
    ours, others = installed(name), installed("-dev")
    shared = packages(ours) & packages(others)
    assert not [pin for pin in ours ^ others if packages([pin]) & shared]


def test_the_networks_are_locked():
    wanted = {re.split("[=<>]", n)[0] for n in PROJECT["optional-dependencies"]["networks"]}
    assert wanted <= packages(own("-networks"))


def test_conda_environment_is_in_step_with_the_lock():
    asked = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["workflow"]
    direct = {re.split("[=<>]", name)[0] for name in asked}
    locked = {}
    for line in own(""):
        pin = re.match(r"([\w-]+)==(\S+)(?: ; (.*))?$", line)
        if pin and (not pin[3] or "< '3.12'" in pin[3]):
            locked[pin[1]] = pin[2]
    conda = (ENVS / "lungprep.yaml").read_text()
    pins = dict(re.findall(r"- ([\w-]+)==(\S+)", conda))
    assert pins == {name: locked[name] for name in direct}


@pytest.fixture
def locks(tmp_path):
    """Writes locks and returns their folder."""

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.txt").write_text(f"# by make lock\n{text}")
        return tmp_path

    return write


NUMPY = "numpy==2.4 ; python_version < '3.12' \\\n    --hash=sha256:aa\n"
NEWER = "numpy==2.5 ; python_version >= '3.12' \\\n    --hash=sha256:bb\n"
PANDAS = "pandas==3 \\\n    --hash=sha256:cc\n"
RUFF = "ruff==1 \\\n    --hash=sha256:dd\n"


def test_a_trimmed_lock_has_what_it_adds_whatever_lies_between(locks):
    folder = locks(
        base=NUMPY + NEWER, middle=f"-r base.txt\n{PANDAS}", whole=NUMPY + NEWER + PANDAS + RUFF
    )
    for _ in range(2):
        trim_lock.main(folder / "whole.txt", [folder / "middle.txt"])
        assert (folder / "whole.txt").read_text() == f"# by make lock\n-r middle.txt\n{RUFF}"


def test_a_pin_wanted_on_more_systems_stays(locks):
    everywhere = NUMPY.replace(" ; python_version < '3.12'", "")
    folder = locks(base=NUMPY, whole=everywhere)
    trim_lock.main(folder / "whole.txt", [folder / "base.txt"])
    assert (folder / "whole.txt").read_text().endswith(f"-r base.txt\n{everywhere}")


def test_another_version_is_refused_and_nothing_written(locks):
    folder = locks(base=NUMPY, whole=NUMPY.replace("2.4", "2.3") + RUFF)
    before = (folder / "whole.txt").read_text()
    with pytest.raises(SystemExit, match=r"whole.txt: numpy==2.3 is another version"):
        trim_lock.main(folder / "whole.txt", [folder / "base.txt"])
    assert (folder / "whole.txt").read_text() == before
