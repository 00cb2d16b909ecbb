"""Turns: one command takes a large cohort some patients at a time.

Snakemake's planning and scheduling grow faster than the jobs that are ready, so a process gets no
more targets than one turn has. When all of them are published or have failed, the process starts
its own command line anew (exec): same process id, same terminal, a fresh Snakemake for the rest.
What the run did so far is handed on in a file that only this process can take up.
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

from lungprep.errors import ConfigError
from lungprep.records import read_record, write_record
from lungprep.tally import Tally

VARIABLE = "LUNGPREP_TURN"


def take_up(config: dict[str, Any], environ: MutableMapping[str, str]) -> Tally:
    """Tally of the turns before this one, or an empty one at the start of a run.

    The variable and its file are removed, so that neither a job nor a later run finds them.

    Parameters
    ----------
    config : dict
        The complete config.
    environ : mapping
        Environment of this process.

    Raises
    ------
    ConfigError
        If the config is not the one that the run began with.
    """
    digest = hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()
    path = Path(environ.pop(VARIABLE, ""))
    # A job, or a run that a shell with an old environment started, is another process.
    if path.name != _name(os.getpid()) or not path.is_file():
        return Tally(digest)
    tally = Tally(**read_record(path))
    path.unlink()
    if tally.pid != os.getpid():
        return Tally(digest)
    if tally.config != digest:
        raise ConfigError(
            f"the config changed while the run was under way, {len(tally.published)} patients are "
            "published by the former one",
            "run again if the new one is meant",
        )
    return tally


def by_command_line(program: str) -> bool:
    """Whether this process is the command ``snakemake``, which can be started anew as it was.

    Parameters
    ----------
    program : str
        ``sys.argv[0]``.
    """
    path = Path(program)
    return path.name == "snakemake" or path.parts[-2:] == ("snakemake", "__main__.py")


class Signals:
    """Takes note of Ctrl-C and SIGTERM, and leaves them to whoever handles them.

    Attributes
    ----------
    received : bool
        Whether one came.
    """

    def __init__(self) -> None:
        self.received = False
        self._handlers: dict[int, Any] = {}

    def watch(self) -> None:
        """Begin; signals that are ignored, or end the process anyway, are left alone."""
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = True
        self._handlers[number](number, frame)

    def end(self) -> None:
        """From now on a signal ends the process at once."""
        for number in self._handlers:
            signal.signal(number, signal.SIG_DFL)


def next_turn(tally: Tally, folder: Path) -> None:
    """Start this process anew for the next turn; does not return.

    To be called at exit: all threads have ended, the lock is released, and Snakemake is back in the
    folder where it was started, from which paths of the command line may be relative.

    Parameters
    ----------
    tally : Tally
        All turns so far.
    folder : Path
        Where the tally waits meanwhile.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _name(tally.pid)
    write_record(path, asdict(tally))
    _run_down()
    command = [sys.executable, *sys.orig_argv[1:]]
    os.execve(sys.executable, command, {**os.environ, VARIABLE: str(path)})  # noqa: S606


def leave(status: int) -> None:
    """End the process with a status other than the one that Snakemake chose."""
    _run_down()
    os._exit(status)


def _run_down() -> None:
    """What else the end of the interpreter would do: other functions at exit, then the buffers."""
    atexit._run_exitfuncs()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()


def _name(pid: int) -> str:
    return f"lungprep-turn-{pid}.json"
