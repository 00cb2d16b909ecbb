"""The job of a share: the ordinary workflow in a scratch folder of the node."""

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
from lungprep.records import to_json
from lungprep.shards.needs import OWN_MB
from lungprep.shards.papers import LIST, RESULT, VARIABLE, Result, listed_patients
from lungprep.shards.scratch import scratch
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import check_pair
from lungprep.stores.s3_certificates import found_from_elsewhere
from lungprep.verdicts import NODE, as_designed

# A stopped job has 30 s on a stock SLURM before it is killed, and 5 where that is short.
GRACE_S = 3
LOOK_S = 20
# After a list was removed, until no job works by it any more.
OVER_S = LOOK_S + 2 * GRACE_S + 4


def run_share(
    shard: str,
    config: dict[str, Any],
    snakefile: Path,
    cores: int,
    mem_mb: int,
    tmp: Path,
    say: Callable[[str], None],
) -> Result:
    """Run the workflow on a share, and leave what became of its patients in the target.

    Parameters
    ----------
    shard : str
        Name of the share.
    config : dict
        The complete config of the run that sent it.
    snakefile : Path
        The workflow.
    cores, mem_mb : int
        What the job may use.
    tmp : Path
        A folder of the node's own.
    say : callable
        Called with each line that the run says.

    Returns
    -------
    Result
        Each patient of the share is in it: published, or failed in a way that no repetition cures.

    Raises
    ------
    StoreError
        If the target does not answer.
    WorkspaceError
        If the list is gone, or another attempt may end better: the target has the `Result` so far.
    """
    source, destination = check_pair(config["source"], config["target"])
    target = open_store(destination, S3Options(**config["s3"]))
    share = target.read(LIST.format(shard=shard))
    weights = config["segment"]["weights"]
    with scratch(tmp) as folder:
        (folder / "cohort.csv").write_bytes(share)
        own = {
            **config,
            "source": str(source),
            "target": str(destination),
            "patients": "cohort.csv",
            "patients_per_job": None,
            "segment": {**config["segment"], "weights": weights and str(Path(weights).absolute())},
            # Left to the run that sent the share.
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
            raise WorkspaceError("the run of the share did not end", "run again") from None
    if target.stat(LIST.format(shard=shard)) is None:
        raise WorkspaceError("the run that sent the share is over", "leave it to the next one")
    target.write(RESULT.format(shard=shard), result.to_json())
    left = listed_patients(share) - len(result.published) - len(result.failures)
    again = [v for v in result.failures.values() if v.transient or v.error in NODE]
    if left or again:
        last = f", the last because {again[-1].text}" if again else ""
        raise WorkspaceError(
            f"{left} patients were not reached and {len(again)} cut off{last}", "run again"
        )
    return result


def _run(
    command: list[str], folder: Path, wanted: Callable[[], bool], say: Callable[[str], None]
) -> None:
    """Run Snakemake in a folder for as long as it is wanted there."""
    result = {VARIABLE: str(folder / "result.json")}
    environ = {**os.environ, **found_from_elsewhere(os.environ), **result}
    # What sent the share must not send its steps.
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
    """End a run whose list was removed: those who sent it are through, or were replaced."""
    while not over.wait(LOOK_S):
        with suppress(StoreError):
            if not wanted():
                _end(run)
                return


@contextmanager
def _ended_with_us(run: subprocess.Popen[str]) -> Iterator[None]:
    """End a run, its jobs included, if this process is asked to end."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        # Only one such exception: what follows must not be cut short by another signal.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(run)
        signal.signal(signal.SIGTERM, before)


def _end(run: subprocess.Popen[str]) -> None:
    """Ask a run to end, then end it and all that it started."""
    for signal_ in (signal.SIGTERM, signal.SIGKILL):
        with suppress(subprocess.TimeoutExpired, ProcessLookupError):
            if run.poll() is None:
                os.killpg(run.pid, signal_)
            run.wait(GRACE_S)


@contextmanager
def told_in(log: str, shard: str) -> Iterator[Callable[[str], None]]:
    """Say lines in a job's log and on its terminal; an error is the last of them.

    Parameters
    ----------
    log : str
        The job's log file.
    shard : str
        Who speaks.
    """
    with Path(log).open("w", encoding="utf-8") as file:

        def say(line: str) -> None:
            for out in (file, sys.stdout):
                print(line, file=out, flush=True)

        try:
            yield say
        except (LungprepError, OSError) as error:
            say(f"share {shard}: {as_designed(error)}")
            sys.exit(1)
        except SystemExit:
            say(f"share {shard}: stopped; run again")
            raise
