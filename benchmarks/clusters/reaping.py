"""Run a command, with a SLURM beside it if asked, and write what all of it cost, as JSON.

Usage: ``reaping.py REPORT.json [FOLDER OF SLURM] -- COMMAND ARGUMENT...``. Daemons and their jobs
leave their parents; as their reaper (prctl(2), ``PR_SET_CHILD_SUBREAPER``) this process becomes
their parent anew, waits for them, and the kernel counts them with its children.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import nullcontext, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests"), str(ROOT / "scripts")]

from clusters.slurm import slurm  # noqa: E402

PR_SET_CHILD_SUBREAPER = 36


def main():
    """Run, reap, report."""
    dashes = sys.argv.index("--")
    (report, *folders), command = sys.argv[1:dashes], sys.argv[dashes + 1 :]
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    for folder in folders:
        Path(folder).mkdir()
    with slurm(Path(folders[0])) if folders else nullcontext():
        start = time.monotonic()
        status = subprocess.run(command, check=False).returncode
        wall = time.monotonic() - start
    with suppress(ChildProcessError):
        while True:
            os.wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    Path(report).write_text(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "wall_s": wall}))
    raise SystemExit(status)


if __name__ == "__main__":
    main()
