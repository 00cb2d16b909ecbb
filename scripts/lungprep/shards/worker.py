"""Job of a shard: the ordinary workflow in a scratch folder of the node."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from lungprep.errors import LungprepError, StoreError, WorkspaceError
from lungprep.shards.messages import LIST, RESULT, VARIABLE, Result, listed_patients
from lungprep.shards.scratch import scratch
from lungprep.shards.sizes import OWN_MB
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import check_pair
from lungprep.stores.s3_certificates import found_from_elsewhere
from lungprep.workspace.records import to_json
from lungprep.workspace.verdicts import NODE, as_designed

# SLURM kills a stopped job after 30 s by default, on some clusters after 5 s.
GRACE_S = 3
LOOK_S = 20
# Time after the removal of a list until no job uses it any more, s.
OVER_S = LOOK_S + 2 * GRACE_S + 4


def run_shard(
    shard: str,
    config: dict[str, Any],
    snakefile: Path,
    cores: int,
    mem_mb: int,
    tmp: Path,
    say: Callable[[str], None],
) -> Result:
    """Run the workflow on a shard, and write the outcome of its patients into the target.

    Parameters
    ----------
    shard : str
        Name of the shard.
    config : dict
        Complete config of the run that sent the shard.
    snakefile : Path
        Snakefile of the workflow.
    cores, mem_mb : int
        Cores and memory (MB) of the job.
    tmp : Path
        Folder for scratch files, local to the node.
    say : callable
        Called with each line of the run's output.

    Returns
    -------
    Result
        Outcome of every patient of the shard: published, or failed in a way that no retry cures.

    Raises
    ------
    StoreError
        If the target does not answer.
    WorkspaceError
        If the list is gone, or another attempt may do better; the target then has the `Result` so
        far.
    """
    source, destination = check_pair(config["source"], config["target"])
    target = open_store(destination, S3Options(**config["s3"]))
    listing = target.read(LIST.format(shard=shard))
    weights = config["segment"]["weights"]
    with scratch(tmp) as folder:
        (folder / "cohort.csv").write_bytes(listing)
        own = {
            **config,
            "source": str(source),
            "target": str(destination),
            "patients": "cohort.csv",
            "only": None,
            "patients_per_job": None,
            "segment": {**config["segment"], "weights": weights and str(Path(weights).absolute())},
            # The run that sent the shard handles these.
            "on_bad_patient": "fail",
            "missing_tsv": None,
        }
        (folder / "config.json").write_bytes(to_json(own))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(snakefile)]
        command += ["--workflow-profile", str(snakefile.parent / "profiles/default")]
        command += ["--executor", "local", "--cores", str(cores)]
        command += ["--resources", f"mem_mb={max(mem_mb - OWN_MB, 1)}"]
        command += ["--configfile", "config.json"]
        _run(command, folder, lambda: target.stat(LIST.format(shard=shard)) is not None, say)
        try:
            result = Result.from_json((folder / "result.json").read_bytes())
        except FileNotFoundError:
            raise WorkspaceError("the run of the shard did not end", "run again") from None
    if target.stat(LIST.format(shard=shard)) is None:
        raise WorkspaceError(
            "the run that sent the shard has ended", "let the next run process its patients"
        )
    target.write(RESULT.format(shard=shard), result.to_json())
    left = listed_patients(listing) - len(result.published) - len(result.failures)
    again = [v for v in result.failures.values() if v.transient or v.error in NODE]
    if left or again:
        last = f", the last because {again[-1].text}" if again else ""
        raise WorkspaceError(
            f"{left} patients were not reached and {len(again)} interrupted{last}", "run again"
        )
    return result


def _run(
    command: list[str], folder: Path, wanted: Callable[[], bool], say: Callable[[str], None]
) -> None:
    """Run Snakemake in a folder, and stop it when the run no longer wants its result."""
    result = {VARIABLE: str(folder / "result.json")}
    environ = {**os.environ, **found_from_elsewhere(os.environ), **result}
    # Otherwise the workflow would send its jobs to the engine again.
    environ.pop("SNAKEMAKE_PROFILE", None)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as run:
        over = threading.Event()
        threading.Thread(target=_watch, args=(run, over, wanted), daemon=True).start()
        with _ended_with_us(run):
            for line in run.stdout or ():
                say(line.rstrip("\n"))
            run.wait()
        over.set()


def _watch(run: subprocess.Popen[str], over: threading.Event, wanted: Callable[[], bool]) -> None:
    """Stop Snakemake when the shard's list is removed: the run has ended or was replaced."""
    while not over.wait(LOOK_S):
        with suppress(StoreError):
            if not wanted():
                _end(run)
                return


@contextmanager
def _ended_with_us(run: subprocess.Popen[str]) -> Iterator[None]:
    """Stop Snakemake and its jobs when this process is asked to stop."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        # A second signal must not interrupt the clean-up.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(run)
        signal.signal(signal.SIGTERM, before)


def _end(run: subprocess.Popen[str]) -> None:
    """Ask Snakemake to stop, then kill it and its children."""
    for signal_ in (signal.SIGTERM, signal.SIGKILL):
        with suppress(subprocess.TimeoutExpired, ProcessLookupError):
            if run.poll() is None:
                os.killpg(run.pid, signal_)
            run.wait(GRACE_S)


@contextmanager
def told_in(log: str, shard: str) -> Iterator[Callable[[str], None]]:
    """Print lines to a job's log and to its terminal; an error is the last line.

    Parameters
    ----------
    log : str
        Log file of the job.
    shard : str
        Name of the shard, for errors.
    """
    with Path(log).open("w", encoding="utf-8") as file:

        def say(line: str) -> None:
            for out in (file, sys.stdout):
                print(line, file=out, flush=True)

        try:
            yield say
        except (LungprepError, OSError) as error:
            say(f"shard {shard}: {as_designed(error)}")
            sys.exit(1)
        except SystemExit:
            say(f"shard {shard}: stopped; run again")
            raise
