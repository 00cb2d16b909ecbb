"""Run a command and write what it and all its children cost, as JSON, into a file.

Usage: ``measured.py REPORT.json COMMAND ARGUMENT...``; exits with the command's status. It is a
process of its own because the peak of `RUSAGE_CHILDREN` is a maximum over all children there were.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main():
    """Run, wait, report."""
    report, *command = sys.argv[1:]
    start = time.monotonic()
    status = subprocess.run(command, check=False).returncode
    wall = time.monotonic() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak_bytes = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    cost = {"cpu_s": used.ru_utime + used.ru_stime, "wall_s": wall, "peak_bytes": peak_bytes}
    Path(report).write_text(json.dumps(cost), "utf-8")
    raise SystemExit(status)


if __name__ == "__main__":
    main()
