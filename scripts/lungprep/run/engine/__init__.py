"""The wall before Snakemake: every name that it does not document is used here and nowhere else.

A test holds each of them against the version in use. docs/architecture.md says what is missing in
Snakemake for each to be given up.
"""

from lungprep.run.engine.events import Listener
from lungprep.run.engine.scheduler import job_scheduler, stop_at_any_time
from lungprep.run.engine.version import check_version
from lungprep.run.engine.workflow import Engine

__all__ = ["Engine", "Listener", "check_version", "job_scheduler", "stop_at_any_time"]
