"""What SLURM says of a job that it is only asked about, by a stand-in for sbatch."""

import pytest

from lungprep.errors import ConfigError
from lungprep.shards.slurm import check_job


@pytest.fixture
def sbatch(tmp_path, monkeypatch):
    """Makes a command of that name, which says something and ends."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def says(text, status):
        program = tmp_path / "sbatch"
        program.write_text(f"#!/bin/sh\necho '{text}' >&2\nexit {status}\n")
        program.chmod(0o755)

    return says


def test_a_refusal_is_one_line(sbatch):
    sbatch("sbatch: error: invalid partition specified: cpu", 1)
    with pytest.raises(ConfigError, match=r"--mem=4600.*: invalid partition specified: cpu; corr"):
        check_job({"slurm_partition": "cpu", "mem_mb": 4600}, 4)


@pytest.mark.parametrize(
    "text",
    [
        "allocation failure: Unable to contact slurm controller (connect failure)",
        "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
    ],
)
def test_a_busy_controller_refuses_no_job(sbatch, text):
    sbatch(text, 1)
    check_job({"mem_mb": 4600}, 4)


def test_without_slurm_there_is_nothing_to_ask(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="sbatch is not installed here; start on a login node"):
        check_job({"mem_mb": 4600}, 4)
