"""The demo hears none of the caller's variables."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from lungprep_demo.environ import SETTINGS, drop_network, drop_settings

ROOT = Path(__file__).parents[2]
HEARD = {"PATH": "/bin", "TMPDIR": "/tmp", "PIP_CERT": "ca.pem", "LANG": "C"}  # noqa: S108
SET = {
    "AWS_PROFILE": "none", "AWS_CA_BUNDLE": "/nowhere", "SNAKEMAKE_PROFILE": "slurm",
    "PYTHONPATH": "/evil", "PYTHONHOME": "/nowhere", "PYTHONUTF8": "0", "OPENBLAS_CORETYPE": "x",
    "OMP_NUM_THREADS": "0", "MKL_NUM_THREADS": "0", "LUNGPREP_SHARD": "x",
}  # fmt: skip
WAYS_OUT = {
    "SSL_CERT_FILE": "/nowhere", "SSL_CERT_DIR": "/nowhere", "REQUESTS_CA_BUNDLE": "/nowhere",
    "HTTPS_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1", "NO_PROXY": "x",
}  # fmt: skip


def test_settings_go_first_and_ways_out_after_the_download():
    environ = {**HEARD, **SET, **WAYS_OUT}
    drop_settings(environ)
    assert environ == {**HEARD, **WAYS_OUT}
    drop_network(environ)
    profiles = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    assert environ == {**HEARD, **profiles}


def test_make_drops_the_settings_before_python_starts(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs/requirements.txt").touch()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/run").touch()
    python = tmp_path / ".venv/bin/python"
    python.write_text(f"#!/bin/sh\nexec {shutil.which('env')}\n")
    python.chmod(0o755)
    environ = {"PATH": os.environ["PATH"], **SET, **WAYS_OUT}
    done = subprocess.run(
        [shutil.which("make"), "--silent", "demo"],
        cwd=tmp_path, env=environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    seen = {line.partition("=")[0] for line in done.stdout.splitlines()}
    assert not seen & SET.keys(), done.stdout
    assert seen >= WAYS_OUT.keys()


def test_make_and_the_script_drop_the_same():
    named = re.search(r"unexport \$\(filter (.*?),", (ROOT / "Makefile").read_text(), re.DOTALL)[1]
    assert named.replace("\\\n", "").split() == [f"{name}%" for name in SETTINGS]
