"""What stands for containers where there are none: their environment, and a clone to start from."""

import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path

from clusters.role import role
from workflow.conftest import ROOT

PARTS = ("Snakefile", "config.yaml", "rules", "scripts", "profiles", "envs")


def clone(folder):
    """A repository with the workflow's files: they are what Snakemake sends along with jobs."""
    folder.mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder / name)
    for command in (("init", "--quiet"), ("add", ".")):
        subprocess.run([shutil.which("git"), *command], cwd=folder, check=True)


def settings():
    """Variables that the image sets."""
    return dict(re.findall(r"(?m)^(?:ENV|   ) ([A-Z_]+)=(\S+)", (ROOT / "Dockerfile").read_text()))


@contextmanager
def image(folder, server):
    """Environment of a container: what the Dockerfile sets, and what the job's role is told."""
    wheels = folder / "wheels"
    wheels.mkdir()
    wheel(wheels, "snakemake-storage-plugin-s3")
    with role(folder, server.access_key, server.secret_key) as credentials:
        yield {
            **settings(),
            "PIP_FIND_LINKS": str(wheels),
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "NO_PROXY": "127.0.0.1",
            **credentials,
        }


def wheel(folder, name):
    """Pack an installed package into a wheel, as the image holds one."""
    package = distribution(name)
    path = folder / f"{name.replace('-', '_')}-{package.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in package.files:
            if "__pycache__" not in file.parts:
                archive.write(file.locate(), str(file))
