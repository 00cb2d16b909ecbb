"""Rounds: one command works through a large cohort in portions.

Snakemake's planning and scheduling time grows faster than the number of ready jobs, so a process
gets the targets of one round only. When all of them are published or have failed, the process
executes its own command line again (exec): same process id, same terminal, and a fresh Snakemake
for the rest. The results so far are passed on in a file that only this process can read back.
"""

import atexit
import hashlib
import json
import logging
import os
import signal
import sys
from collections.abc import MutableMapping
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

from lungprep.cohort.tally import Tally
from lungprep.errors import ConfigError
from lungprep.workspace.records import read_record, write_record

VARIABLE = "LUNGPREP_ROUND"


def take_up(config: dict[str, Any], environ: MutableMapping[str, str]) -> Tally:
    """Read the tally of the earlier rounds, or create an empty one at the start of a run.

    The variable and its file are removed, so that neither a job nor a later run finds them.

    Parameters
    ----------
    config : dict
        Complete config.
    environ : mapping
        Environment of this process.

    Raises
    ------
    ConfigError
        If the config differs from that at the start of the run.
    """
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
    path = Path(environ.pop(VARIABLE, ""))
    # Another process, such as a job or a run started from a shell with an old environment.
    if path.name != _name(os.getpid()) or not path.is_file():
        return Tally(digest)
    tally = Tally(**read_record(path))
    path.unlink()
    if tally.pid != os.getpid():
        return Tally(digest)
    if tally.config != digest:
        raise ConfigError(
            f"the config changed during the run, {len(tally.published)} patients are "
            "published by the former one",
            "run again to use the new one",
        )
    return tally


def by_command_line(program: str) -> bool:
    """Whether this process is the command ``snakemake``, which can be executed again.

    Parameters
    ----------
    program : str
        ``sys.argv[0]``.
    """
    path = Path(program)
    return path.name == "snakemake" or path.parts[-2:] == ("snakemake", "__main__.py")


class Signals:
    """Record of Ctrl-C and SIGTERM, which then go to their usual handlers.

    Attributes
    ----------
    received : bool
        Whether a signal has arrived.
    """

    def __init__(self) -> None:
        self.received = False
        self._handlers: dict[int, Any] = {}

    def watch(self) -> None:
        """Start; signals that are ignored, or that end the process anyway, stay as they are."""
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        self._handlers[number](number, frame)

    def end(self) -> None:
        """Restore the default: from now on a signal ends the process at once."""
        for number in self._handlers:
            signal.signal(number, signal.SIG_DFL)


def next_round(tally: Tally, folder: Path) -> None:
    """Execute this process again for the next round; does not return.

    Call this at exit: all threads have ended, the lock is released, and Snakemake is back in its
    original working directory, which relative paths of the command line refer to.

    Parameters
    ----------
    tally : Tally
        Results of all rounds so far.
    folder : Path
        Folder for the tally's file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _name(tally.pid)
    write_record(path, asdict(tally))
    _run_down()
    command = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, command, {**os.environ, VARIABLE: str(path)})  # noqa: S606


def leave(status: int) -> None:
    """End the process with another status than Snakemake would."""
    _run_down()
    os._exit(status)


def _run_down() -> None:
    """Do the rest of the interpreter's shutdown: other exit functions, then flush the buffers."""
    atexit._run_exitfuncs()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()


def _name(pid: int) -> str:
    return f"lungprep-round-{pid}.json"
