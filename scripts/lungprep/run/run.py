"""One run of the workflow, from its plan to its last lines."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lungprep.cohort.alike import check_case
from lungprep.cohort.ledger import write_index
from lungprep.cohort.missing import absentees, write_absentees
from lungprep.cohort.patients import LUNGS, VOLUME, Patient, from_csv
from lungprep.cohort.planning import Plan, make_plan
from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.cohort.tally import Tally
from lungprep.errors import LungprepError
from lungprep.run.closing import (
    failure_lines,
    lost_patients,
    publish_records,
    quarantine_patient,
    summary,
)
from lungprep.run.progress import Progress
from lungprep.run.rounds import Signals, leave, next_round
from lungprep.shards.dispatch import Dispatch, recall
from lungprep.shards.worker import OVER_S
from lungprep.stores import S3Options
from lungprep.stores.address import check_pair
from lungprep.workspace.intermediates import clear, make_folder
from lungprep.workspace.runlock import FOLDER, Lock, lock_run

WORK = "work"


class Run:
    """Interface for the Snakefile; no store is asked for anything before it is needed.

    Parameters
    ----------
    config : dict
        Complete config.
    earlier : Tally
        Results of the finished rounds.
    """

    def __init__(self, config: dict[str, Any], earlier: Tally) -> None:
        self._config = config
        self.earlier = earlier
        self._per_round: int | None = None
        self._signals = Signals()
        self._source, self._target = check_pair(config["source"], config["target"])
        # Absolute, because Snakemake restores its working directory before the run is closed.
        self._work = Path(WORK).resolve()
        self._locks = FOLDER.resolve()
        self._lock: Lock | None = None
        self._gone = False
        self._dispatch: Dispatch | None = None
        self.progress = Progress(Path("logs").resolve(), self._work)
        self.progress.is_stopping = lambda: self._signals.received
        self.started = False
        self.set_aside: list[str] = []
        #: Estimated memory of load by patient, MB, for patients that need no look-up.
        self.load_mb: dict[str, int] = {}
        self._options = S3Options(**config["s3"])
        table = config["missing_tsv"]
        self._table = Path(table).resolve() if table is not None else None

    @cached_property
    def plan(self) -> Plan:
        """Patients that are to be done."""
        plan = make_plan(self._config, self.earlier)
        self.progress.resume(self.earlier, len(plan.stale))
        return plan

    @cached_property
    def round(self) -> list[str]:
        """Patients that this process handles."""
        return list(self.plan.stale)[: self._per_round]

    @cached_property
    def _patients(self) -> dict[str, Patient]:
        """Patients of the cohort file; empty if the source is listed instead."""
        if self._config["patients"] is None:
            return {}
        return from_csv(self._config["patients"], self._source).patients

    def flags(self, *, in_rounds: bool, per_job: int | None) -> list[str]:
        """Output files of this process: one per patient or shard, of this round or of all."""
        self._per_round = self._config["patients_per_round"] * (per_job or 1) if in_rounds else None
        flags = [f"{WORK}/{patient}/published" for patient in self.round]
        if per_job and flags:
            plan, folder = self.plan, self._locks
            self._dispatch = Dispatch(
                self._config, plan.cohort, plan.target, self.round, per_job, folder
            )
            self.progress.dispatch = self._dispatch
            flags = self._dispatch.flags()
        last = len(self.round) == len(self.plan.stale)
        # Patient ids never start with an underscore.
        return [*flags, f"{WORK}/_refused"] if last and self.plan.cohort.refused else flags

    @property
    def shards(self) -> dict[str, list[str]]:
        """Patients of each shard."""
        return self._dispatch.shards if self._dispatch else {}

    def missing(self) -> str:
        """Say which patients are missing and why: the last lines of a dry run."""
        missing = self.plan.missing(overwrite=self._config["overwrite"])
        if len(self.round) == len(self.plan.stale):
            return missing
        return (
            f"the jobs above are those of the first {len(self.round)} patients; a run goes on with "
            f"the others\n{missing}"
        )

    def lock(self, say: Callable[[str], None]) -> None:
        """Lock the working directory until the process ends.

        Waits for jobs of shards that a killed run left running: otherwise they could replace
        results of this run by results of another recipe.

        Parameters
        ----------
        say : callable
            Called with a line about the wait.

        Raises
        ------
        WorkspaceBusy
            If another run uses the directory.
        StoreError
            If a target that has lists of a killed run does not answer.
        """
        self._lock = self._lock or lock_run(self._locks, say)
        if recall(self._locks, self._config):
            say(f"waiting {OVER_S} s for jobs of a killed run to end")
            time.sleep(OVER_S)

    def write_missing(self) -> None:
        """Write the table of missing patients, if the config names a file for it.

        Raises
        ------
        ConfigError
            If the file can't be written.
        """
        if self._table is not None:
            tally = self.tally
            plan = replace(self.plan, stale={**tally.reasons, **self.plan.stale})
            failures = {p: tally.failures[p].removeprefix(f"{p}: ") for p in tally.set_aside}
            write_absentees(self._table, absentees(plan, tally.published, failures))

    def start(self, load_mb: Mapping[str, int]) -> None:
        """Clear the work folder of a killed run, and check that the target accepts writes.

        Parameters
        ----------
        load_mb : mapping of str to int
            Estimated memory of load by patient, MB, for the lists of shards.

        Raises
        ------
        StoreError
            If the target does not accept writes.
        ConfigError
            If the target ignores case, and two ids differ only by case.
        WorkspaceError
            If the work folder can't be used or cleared.
        """
        make_folder(self._work)
        self.tidy()
        sidecars = self.plan.sidecars
        write_index(self.plan.target, {**sidecars.others, **sidecars.cohort}, sidecars.recipes)
        # The test needs an object in the target; from here on, the index exists.
        check_case(self.plan.target, self.plan.cohort.patients, sidecars.others)
        if self._dispatch:
            self._dispatch.send(load_mb)
        self.started = True
        if self._per_round:
            self._signals.watch()

    def tidy(self) -> None:
        """Clear intermediates of earlier runs from the work folder.

        Raises
        ------
        WorkspaceError
            If a folder's path is not a folder, or a file can't be removed.
        """
        for patient in self.plan.cohort.patients:
            clear(self._work / patient)

    def abort_abandoned(self) -> str | None:
        """Abort uploads of killed jobs for the patients to do; return a line if that fails."""
        keys = [p.format(patient=patient) for patient in self.plan.stale for p in (VOLUME, LUNGS)]
        try:
            self.plan.target.abort_abandoned(keys)
        except LungprepError as error:
            return f"parts of earlier uploads may be left in the target: {error}"
        return None

    def prefix(self, patient: str) -> str:
        """Address of a patient's slices."""
        known = self._patients.get(patient)
        return str(known.prefix if known else self._source.join(patient))

    def series_uid(self, patient: str) -> str | None:
        """Series that the cohort file requests."""
        known = self._patients.get(patient)
        return known.series_uid if known else None

    def refusal(self) -> str | None:
        """Reason why this run must not start, or None."""
        if any(self.plan.other_recipe) and not self._config["overwrite"]:
            return self.plan.overwrite_hint()
        return None

    def settle(self) -> None:
        """Find the outcome of failed jobs of shards, and remove the files of all jobs.

        Call this before the process exits, because no thread can be started then.

        Raises
        ------
        StoreError
            If the target does not answer.
        """
        if self._dispatch and self.started:
            self.progress.settle()
            recall(self._locks, self._config)

    def quarantine(self) -> bool:
        """Quarantine the patients whose data are at fault, if the config says so.

        Returns
        -------
        bool
            Whether the run counts as successful: all other patients are published.

        Raises
        ------
        StoreError
            If the target or a patient's source does not answer.
        """
        if self._config["on_bad_patient"] != "quarantine":
            return False
        for patient, verdict in self.progress.failures.items():
            if verdict.data:
                quarantine_patient(self.plan, patient, verdict, self._options)
                self.set_aside.append(patient)
        ended = len(self.set_aside) + len(self.progress.published)
        last = len(self.round) == len(self.plan.stale)
        return ended == len(self.round) and not (last and self.plan.cohort.refused)

    @property
    def tally(self) -> Tally:
        """Results of the run so far, including this round."""
        failures = {p: f"{p}: {why.text}" for p, why in self.progress.failures.items()}
        reasons = {p: self.plan.stale[p] for p in failures}
        return self.earlier.plus(
            self.progress.published, failures, reasons, self.set_aside, self.plan.source_changed
        )

    @property
    def _goes_on(self) -> bool:
        """Whether this round is finished, patients are left, and no signal asked to stop."""
        tried = self.tally.tried
        reached = self.started and tried.issuperset(self.round) and not self._signals.received
        return reached and not tried.issuperset(self.plan.stale)

    @property
    def _lost(self) -> bool:
        """Whether jobs of shards ended well although some of their patients are unaccounted for."""
        sent = self.started and self._dispatch is not None and self._per_round is not None
        return sent and not self.tally.tried.issuperset(self.round)

    def end(self) -> None:
        """Start the next round in this process, or set the exit status of all rounds."""
        self._signals.end()
        if self._goes_on:
            next_round(self.tally, self._locks)
        # Snakemake knows only jobs, and jobs of shards end well even if patients failed.
        failed = self.earlier.failed or (self.started and self.tally.failed)
        if self._signals.received or failed or self._lost or self._gone:
            leave(1)

    def close(self) -> str:
        """Publish index and report, clear the work folder, and sum up.

        Returns
        -------
        str
            Number of patients published and failed in all rounds, with a line per failure; if
            another round follows, only the progress of the run.
        """
        published, tally, verdicts = self.published(), self.tally, self.progress.failures
        if self._goes_on:
            lines = [f"round {tally.rounds} is over: {self.progress.tally()}"]
        else:
            lines = [self._summary()]
            lines += [f"  {line}" for line in failure_lines(self.plan, tally)]
            lines += [self.plan.cohort.beside] if self.plan.cohort.beside else []
        if published or verdicts or self.plan.sidecars.unknown:
            try:
                publish_records(self.plan, tally, published, verdicts)
            except LungprepError as error:
                lines.append(f"index and report are not up to date: {error}")
        try:
            self.write_missing()
        except LungprepError as error:
            lines.append(str(error))
        try:
            for patient in (*published, *verdicts):
                clear(self._work / patient)
            if not self.plan.stale:
                self.tidy()
        except LungprepError as error:
            lines.append(str(error))
        return "\n".join(lines)

    def published(self) -> dict[str, SidecarFacts]:
        """Sidecar values of the patients that this round published."""
        if self._dispatch:
            return self._dispatch.sidecars
        return {
            patient: SidecarFacts.from_json(
                json.loads((self._work / patient / "published").read_text("utf-8"))
            )
            for patient in self.progress.published
        }

    def _summary(self) -> str:
        try:
            lost = lost_patients(self.plan, self.tally)
        except LungprepError as error:
            return f"{summary(self.plan, self.earlier, self.tally)}; not verified: {error}"
        self._gone = bool(lost)
        return summary(self.plan, self.earlier, self.tally, lost)
