"""Ask SLURM whether it would take a job, before all of a run's jobs fail or wait for ever."""

import re
import subprocess
from collections.abc import Mapping
from typing import Any

from lungprep.errors import ConfigError

# Resources of a rule as sbatch's options; others have no bearing on whether a job can run.
OPTIONS = {
    "slurm_partition": "--partition",
    "slurm_account": "--account",
    "mem_mb": "--mem",
    "runtime": "--time",
    "constraint": "--constraint",
    "qos": "--qos",
}
BUSY = re.compile("timed out|unable to contact|connection refused", re.IGNORECASE)
NOISE = ("sbatch: error: ", "allocation failure: ")


def check_job(resources: Mapping[str, Any], cores: int) -> None:
    """Let SLURM look at a job without taking it.

    Parameters
    ----------
    resources : mapping
        Of the job, as Snakemake names them.
    cores : int
        Of the job.

    Raises
    ------
    ConfigError
        If no node of the partition could ever run it, or there is no such partition, or no SLURM.
    """
    asked = {option: resources.get(name) for name, option in OPTIONS.items()}
    words = [f"{option}={value}" for option, value in asked.items() if value]
    command = ["sbatch", "--test-only", "--ntasks=1", f"--cpus-per-task={cores}", *words]
    try:
        done = subprocess.run(
            [*command, "--wrap=true"],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=60,
        )
    except FileNotFoundError:
        raise ConfigError("there is no sbatch here", "start on a login node of SLURM") from None
    except subprocess.TimeoutExpired:
        return
    # A controller that is busy says nothing about the job.
    if done.returncode and not BUSY.search(done.stderr):
        said = done.stderr.strip().splitlines() or ["no reason given"]
        for noise in NOISE:
            said[0] = said[0].removeprefix(noise)
        raise ConfigError(
            f"SLURM refuses the jobs ({' '.join(command[2:])}): {said[0]}",
            "correct slurm_partition, slurm_account or set-threads in the profile; sinfo and "
            "scontrol show partition tell what there is",
        )
