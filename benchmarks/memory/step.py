"""Run the script of one step as Snakemake runs it, with what a JSON file says of the job.

Usage: ``step.py STEP JOB.json``. A process of its own, because what it peaks at is measured.
"""

import json
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


class Named(list):
    """A list whose items also have names, as Snakemake's."""

    def __init__(self, items):
        super().__init__(items.values())
        self.__dict__.update(items)

    def __getitem__(self, key):
        """Item by number or name."""
        return self.__dict__[key] if isinstance(key, str) else super().__getitem__(key)


def main():
    """Run."""
    # What Snakemake's own preamble imports counts as well.
    from snakemake.iocontainers import Snakemake  # noqa: F401
    from snakemake.logging import logger  # noqa: F401

    step, job = sys.argv[1], json.loads(Path(sys.argv[2]).read_text())
    names = {name: Named(items) for name, items in job.items() if name != "threads"}
    sys.path.append(str(SCRIPTS))
    snakemake = SimpleNamespace(**names, threads=job["threads"])
    runpy.run_path(str(SCRIPTS / f"{step}.py"), init_globals={"snakemake": snakemake})


if __name__ == "__main__":
    main()
