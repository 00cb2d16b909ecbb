"""One run of the workflow, from its plan to its last lines."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

from lungprep.cohort import Patient, from_csv
from lungprep.errors import LungprepError
from lungprep.intermediates import clear
from lungprep.ledger import Receipt, write_index
from lungprep.planning import Plan, make_plan
from lungprep.progress import Progress
from lungprep.report import PAGE, page
from lungprep.stores.address import check_pair

WORK = "work"


class Run:
    """What the Snakefile asks for; nothing is requested from a store before it is needed.

    Parameters
    ----------
    config : dict
        The complete config.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._source, self._target = check_pair(config["source"], config["target"])
        self.progress = Progress(Path("logs").resolve())
        self.started = False
        # Snakemake has left its working directory again when the run is closed.
        self._work = Path(WORK).resolve()

    @cached_property
    def plan(self) -> Plan:
        """Who is to be done."""
        plan = make_plan(self._config)
        self.progress.total = len(plan.stale)
        return plan

    @cached_property
    def _patients(self) -> dict[str, Patient]:
        """Patients of the cohort file; empty where the source is listed."""
        if self._config["patients"] is None:
            return {}
        return from_csv(self._config["patients"], self._source).patients

    def flags(self) -> list[str]:
        """Files that this run has to make: one per patient to do."""
        flags = [f"{WORK}/{patient}/published" for patient in self.plan.stale]
        # No patient id starts with an underscore.
        return [*flags, f"{WORK}/_refused"] if self.plan.cohort.refused else flags

    def start(self) -> None:
        """Clear what a killed run left in the work folder; Snakemake holds its lock by now."""
        self.started = True
        for patient in self.plan.cohort.patients:
            clear(self._work / patient)

    def prefix(self, patient: str) -> str:
        """Address of the slices of a patient."""
        known = self._patients.get(patient)
        return str(known.prefix if known else self._source.join(patient))

    def series_uid(self, patient: str) -> str | None:
        """Series that the cohort file asks for."""
        known = self._patients.get(patient)
        return known.series_uid if known else None

    def refusal(self) -> str | None:
        """Why this run must not start, if so."""
        if self.plan.other_recipe and not self._config["overwrite"]:
            return self.plan.overwrite_hint()
        return None

    def close(self) -> str:
        """Publish index and report, clear the work folder, and sum up.

        Returns
        -------
        str
            How many patients were published, how many failed and why each.
        """
        published = {
            patient: Receipt.from_json(json.loads((self._work / patient / "published").read_text()))
            for patient in self.progress.published
        }
        failures = [
            *self.progress.failures.values(),
            *(f"{name!r}: {why}" for name, why in self.plan.cohort.refused.items()),
        ]
        lines = [self._summary(len(published)), *(f"  {line}" for line in failures)]
        if published or self.plan.receipts.unknown:
            try:
                self._publish(published, failures)
            except LungprepError as error:
                lines.append(f"index and report are not up to date: {error}")
        for patient in published:
            clear(self._work / patient)
        return "\n".join(lines)

    def _publish(self, published: dict[str, Receipt], failures: list[str]) -> None:
        """Write the index and the report; they keep what the target holds of other cohorts."""
        target, known = self.plan.target, self.plan.receipts
        receipts = {**known.others, **known.cohort, **published}
        write_index(target, receipts)
        target.write(PAGE, page(receipts, failures))

    def _summary(self, published: int) -> str:
        plan = self.plan
        failed = len(self.progress.failures) + len(plan.cohort.refused)
        left = len(plan.stale) - published - len(self.progress.failures)
        done = plan.cohort.size - len(plan.cohort.refused) - len(plan.stale)
        text = (
            f"published {published} patients to {plan.target.address}, {failed} failed, "
            f"{done} were done before"
        )
        return text + (f", {left} not reached" if left else "")
