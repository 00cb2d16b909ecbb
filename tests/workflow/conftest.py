"""Runs of the whole workflow as a user starts them, on phantoms in a real S3 server."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from lungprep.cohort.failures import TABLE
from lungprep.cohort.ledger import INDEX
from lungprep.stores import S3Options, Store, open_store
from lungprep.stores.address import parse_address
from lungprep_demo.phantom import Scan, chest, slices

ROOT = Path(__file__).parents[2]
COARSE = Scan(gap_mm=6, shape=(96, 96), spacing_mm=(3.75, 3.75), noise_hu=10)
# Coarse grids keep a run in seconds; every path is that of the stock config.
CONFIG = {"resample": {"spacing_mm": [4.0, 4.0, 4.0]}}


@dataclass
class Lab:
    """A working directory, a source and a target, and Snakemake."""

    folder: Path
    source: Store
    target: Store
    environ: dict[str, str]
    snakefile: Path = ROOT / "Snakefile"
    config: dict = field(default_factory=lambda: dict(CONFIG))

    def admit(self, patient, files=None):
        """Put a patient into the source: a phantom, or the given files."""
        for name, content in files or slices(chest(), COARSE):
            self.source.write(f"{patient}/{name}", content)

    def start(self, *arguments, cores=2, cwd=None, environ=None, **config):
        """Start Snakemake as a user does, in a process group of its own; keys of `config` go to
        ``--config``."""
        cwd = self.folder if cwd is None else cwd
        cwd.mkdir(exist_ok=True)
        (cwd / "coarse.yaml").write_text(yaml.safe_dump(self.config))
        config = {"source": self.source.address, "target": self.target.address, **config}
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.snakefile)]
        command += ["--cores", str(cores), "--configfile", "coarse.yaml"]
        command += ["--config", *(f"{key}={value}" for key, value in config.items()), *arguments]
        return subprocess.Popen(
            command,
            cwd=cwd,
            env={**self.environ, **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments, **options):
        """Run Snakemake to its end."""
        process = self.start(*arguments, **options)
        output, _ = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, output)

    def missing(self, **config):
        """Last lines of a dry run: who is missing, and why."""
        done = self.run("-n", **config)
        assert done.returncode == 0, done.stdout
        head, _, tail = done.stdout.rpartition("missing: ")
        assert head, done.stdout
        return tail.strip().splitlines()

    def published(self):
        """Keys in the target that belong to patients."""
        keys = {e.key for e in self.target.entries()} - {INDEX, TABLE}
        return sorted(keys)

    def sidecar(self, patient):
        """The sidecar of a patient."""
        return json.loads(self.target.read(f"{patient}.json"))

    def etags(self):
        """Fingerprint of each array and picture in the target, by key."""
        entries = self.target.entries(below=True)
        return {e.key: e.etag for e in entries if e.key.endswith((".npy", ".png"))}


@pytest.fixture
def lab(request, server, tmp_path):
    """An empty source and target in S3."""
    name = "".join(c if c.isalnum() else "-" for c in request.node.name)
    environ = server.child_environ()

    def place(text):
        return open_store(parse_address("source", text), S3Options())

    monkeypatch = pytest.MonkeyPatch()
    for key, value in server.environ.items():
        monkeypatch.setenv(key, value)
    source, target = (place(f"s3://bucket/{name}/{side}/") for side in ("in", "out"))
    yield Lab(tmp_path / "machine", source, target, environ)
    monkeypatch.undo()


def three(patient):
    """Keys of a published patient."""
    return [f"{patient}.json", f"{patient}.lungs.npy", f"{patient}.npy"]


def wait_for(condition, running):
    """Wait until a condition holds while a run goes on."""
    deadline = time.monotonic() + 120
    while not condition():
        assert running.poll() is None, running.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
