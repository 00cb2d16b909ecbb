"""Run of a shard on its node: an ordinary run with another plan and another ending."""

from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lungprep.cohort.patients import from_csv
from lungprep.cohort.planning import Plan
from lungprep.cohort.shard_planning import shard_plan
from lungprep.cohort.tally import Tally
from lungprep.run.closing import summary
from lungprep.run.run import Run
from lungprep.shards.messages import VARIABLE, Result, listed_mb
from lungprep.stores import open_store
from lungprep.stores.address import check_pair
from lungprep.workspace.verdicts import Verdict


class ShardRun(Run):
    """`Run` that plans for its own patients only, and whose result is a record.

    Parameters
    ----------
    config : dict
        Complete config; its cohort file is the shard's list.
    earlier : Tally
        Tally without rounds.
    result : Path
        File for the `Result`.
    """

    def __init__(self, config: dict[str, Any], earlier: Tally, result: Path) -> None:
        super().__init__(config, earlier)
        self._result = result.resolve()
        self._logs = Path("logs").resolve()
        self.load_mb = listed_mb(Path(config["patients"]).read_bytes())

    @cached_property
    def plan(self) -> Plan:
        """Patients of the shard that are to be done."""
        source, destination = check_pair(self._config["source"], self._config["target"])
        target = open_store(destination, self._options)
        plan = shard_plan(self._config, from_csv(self._config["patients"], source), target)
        self.progress.resume(self.earlier, len(plan.stale))
        return plan

    def flags(self, *, in_rounds: bool, per_job: int | None) -> list[str]:
        """Output files of this process: one per patient to process."""
        return super().flags(in_rounds=False, per_job=None)

    def start(self, load_mb: Mapping[str, int]) -> None:
        """Start; the run that sent the shard has prepared the target."""
        self.started = True

    def abort_abandoned(self) -> None:
        """Do nothing: only the run that sent the shard aborts uploads below the whole prefix."""

    def close(self) -> str:
        """Record the outcome of the patients, and return the summary."""
        done = {p: r for p, r in self.plan.sidecars.cohort.items() if p not in self.plan.stale}
        failures = {p: replace(v, text=self._told(v, p)) for p, v in self.progress.failures.items()}
        result = Result({**done, **self.published()}, failures)
        self._result.write_bytes(result.to_json())
        # The run that sent the shard checks the target itself.
        return summary(self.plan, self.earlier, self.tally)

    def _told(self, verdict: Verdict, patient: str) -> str:
        """Text of a verdict without its log file, which vanishes with the scratch folder."""
        log = self._logs / verdict.step / f"{patient}.log"
        return verdict.text.replace(str(log), "the log of its shard")


def run_of(config: dict[str, Any], earlier: Tally, environ: MutableMapping[str, str]) -> Run:
    """Run of this process: that of a shard if the environment says so."""
    result = environ.pop(VARIABLE, "")
    return ShardRun(config, earlier, Path(result)) if result else Run(config, earlier)
