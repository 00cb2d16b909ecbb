"""Ask SLURM whether it accepts a job; otherwise all jobs of a run might fail or wait for ever."""

import re
import subprocess
from collections.abc import Mapping
from typing import Any

from lungprep.errors import ConfigError

# Resources of a rule, with their sbatch options; others do not decide whether a job can run.
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
    """Submit a job to SLURM as a test only.

    Parameters
    ----------
    resources : mapping
        Resources of the job, by Snakemake's names.
    cores : int
        Cores of the job.

    Raises
    ------
    ConfigError
        If no node of the partition could ever run the job, or the partition or SLURM is absent.
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
        raise ConfigError(
            "sbatch is not installed here", "start on a login node of SLURM"
        ) from None
    except subprocess.TimeoutExpired:
        return
    # A busy controller has not judged the job.
    if done.returncode and not BUSY.search(done.stderr):
        said = done.stderr.strip().splitlines() or ["no reason given"]
        for noise in NOISE:
            said[0] = said[0].removeprefix(noise)
        raise ConfigError(
            f"SLURM refuses the jobs ({' '.join(command[2:])}): {said[0]}",
            "correct slurm_partition, slurm_account or set-threads in the profile; sinfo and "
            "scontrol show partition list what exists",
        )
