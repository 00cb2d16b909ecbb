"""Plan of a run: the cohort minus the patients that the target already holds."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from lungprep.cohort.alike import check_case
from lungprep.cohort.chosen import chosen
from lungprep.cohort.ledger import (
    INDEX,
    RECIPE_CHANGED,
    SOURCE_CHANGED,
    Sidecars,
    read_sidecars,
    stale_reason,
)
from lungprep.cohort.patients import Cohort, Patient, check_prefixes, from_csv, from_listing
from lungprep.cohort.quarantine import Failure, read_failures
from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.cohort.tally import Tally
from lungprep.config.recipe import decisive, recipe_digest
from lungprep.config.recipe_changes import UNTOLD, changes, summed_up, told
from lungprep.errors import LungprepError, StoreUnreachable
from lungprep.stores import Address, S3Options, Store, open_store
from lungprep.stores.address import check_pair
from lungprep.stores.base import CONNECTIONS, listing_digest
from lungprep.stores.system_files import in_system_folder

QUARANTINE_OVER = "quarantined, and something changed since"


@dataclass(frozen=True)
class Plan:
    """Patients of a run.

    Attributes
    ----------
    cohort : Cohort
        Whole cohort.
    stale : dict of str to str
        Reason by patient, for the patients that are to be done, in order of the cohort.
    failures : dict of str to Failure
        Patients that were set aside before, whether they are tried again or not.
    sidecars : Sidecars
        Sidecar values in the target.
    recipe : str
        Digest of the current recipe.
    target : Store
        Store of the results.
    changes : dict of str to str
        Differences from the current recipe, by digest of each other recipe in the target.
    """

    cohort: Cohort
    stale: dict[str, str]
    failures: dict[str, Failure]
    sidecars: Sidecars
    recipe: str
    target: Store
    changes: dict[str, str] = field(default_factory=dict)

    @property
    def other_recipe(self) -> tuple[int, int]:
        """Number of patients of this cohort, and of others, with another recipe in the target."""
        ours = sum(reason.startswith(RECIPE_CHANGED) for reason in self.stale.values())
        return ours, len(self._others)

    @property
    def _others(self) -> list[SidecarFacts]:
        """Sidecars with another recipe that belong to patients outside this cohort."""
        others = self.sidecars.others.values()
        return [r for r in others if r.npy_bytes >= 0 and r.recipe != self.recipe]

    @property
    def quarantined(self) -> dict[str, Failure]:
        """Patients that are set aside and not tried again."""
        return {p: f for p, f in self.failures.items() if p not in self.stale}

    @property
    def source_changed(self) -> list[str]:
        """Patients that are to be done because their source objects changed."""
        return [p for p, reason in self.stale.items() if reason == SOURCE_CHANGED]

    def missing(self, *, overwrite: bool = False) -> str:
        """Say which patients are missing and why: the answer of a dry run."""
        refused = {repr(name): why for name, why in self.cohort.refused.items()}
        absent = {**self.stale, **refused}
        lines = [self.cohort.beside] if self.cohort.beside else []
        lines += [f"quarantined: {failure.text}" for failure in self.quarantined.values()]
        lines += [f"missing: {len(absent)} of {self.cohort.size} patients"]
        lines += [f"  {patient}: {reason}" for patient, reason in absent.items()]
        if self.stale and any(self.other_recipe):
            lines.insert(0, self.replaced() if overwrite else self.overwrite_hint())
        return "\n".join(lines)

    def overwrite_hint(self) -> str:
        """Say what to do about patients of another recipe."""
        ours, others = self.other_recipe
        return (
            f"{ours} patients of this cohort and {others} of others in {self.target.address} were "
            f"made with another recipe ({self._changed()}); add overwrite=true to the config to "
            "replace the former and leave the latter, or choose another target"
        )

    def replaced(self) -> str:
        """Say what happens to patients of another recipe if the config replaces them."""
        ours, others = self.other_recipe
        return (
            f"{ours} patients of this cohort and {others} of others in {self.target.address} were "
            f"made with another recipe ({self._changed()}): the former will be replaced, the "
            "latter stay"
        )

    def _changed(self) -> str:
        """Changes of the recipe since the patients of another recipe were published."""
        texts = Counter(self.changes.get(facts.recipe, UNTOLD) for facts in self._others)
        for reason in self.stale.values():
            if reason.startswith(RECIPE_CHANGED):
                texts[reason.partition(": ")[2] or UNTOLD] += 1
        return summed_up(texts.items())


def make_plan(config: dict[str, Any], tally: Tally | None = None) -> Plan:
    """Find the patients that are to be done.

    Requests one listing of the source's folders, one of the target, the index, and each sidecar
    that the index does not know; one sidecar for each other recipe that the index does not know;
    one object and one listing per quarantined patient; with ``check_source`` also one listing per
    published patient.

    Parameters
    ----------
    config : dict
        Complete config.
    tally : Tally, optional
        Results of the finished rounds of this run: patients that were tried are left out, and
        sources are not compared again.

    Raises
    ------
    ConfigError
        If the addresses or the cohort can't be used.
    StoreError
        If source or target can't be listed. That never counts as missing patients.
    """
    options = S3Options(**config["s3"])
    source, destination = check_pair(config["source"], config["target"])
    cohort = read_cohort(config, source, options)
    check_prefixes(cohort, destination)
    target = open_store(destination, options)
    entries = target.entries()
    sidecars = read_sidecars(target, entries, cohort.patients)
    if any(entry.key == INDEX for entry in entries):
        check_case(target, cohort.patients, sidecars.others)
    tried: set[str] = set() if tally is None else tally.tried
    changed: set[str] = set() if tally is None else set(tally.changed)
    compare = config["check_source"] and (tally is None or tally.rounds == 0)
    listed = {entry.key: entry.size for entry in entries}
    etags = {entry.key: entry.etag for entry in entries}
    recipe, now = recipe_digest(config), told(decisive(config))
    sidecars = sidecars.with_recipes(target, recipe, now)
    others = {digest: made for digest, made in sidecars.recipes.items() if digest != recipe}
    since = {digest: changes(made, now) for digest, made in others.items()}
    failures = read_failures(target, entries, cohort.patients.keys() - sidecars.cohort - tried)

    def reason(patient: Patient) -> str | None:
        if patient.id in tried:
            return None
        source_now = partial(source_digest, patient.prefix, options)
        failure = failures.get(patient.id)
        if failure and config["on_bad_patient"] == "quarantine" and not config["retry_failed"]:
            if failure.stands(recipe, patient.series_uid, source_now):
                return None
            return QUARANTINE_OVER
        stale = stale_reason(
            patient.id,
            listed,
            sidecars.cohort.get(patient.id),
            recipe,
            patient.series_uid,
            source_now if compare else None,
            etags,
        )
        if stale == RECIPE_CHANGED:
            made = sidecars.cohort[patient.id].recipe
            return f"{RECIPE_CHANGED}: {since.get(made, UNTOLD)}"
        return SOURCE_CHANGED if stale is None and patient.id in changed else stale

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        reasons = pool.map(reason, cohort.patients.values())
        stale = {p: why for p, why in zip(cohort.patients, reasons, strict=True) if why}
    return Plan(cohort, stale, failures, sidecars, recipe, target, since)


def read_cohort(config: dict[str, Any], source: Address, options: S3Options) -> Cohort:
    """List the source, or read the cohort file if the config names one.

    The source is listed in any case: if it can't be reached, its patients must not seem missing.
    """
    if config["patients"] is None:
        cohort = from_listing(open_store(source, options))
    else:
        open_store(source, options).level()
        cohort = from_csv(config["patients"], source)
    return chosen(cohort, config["only"])


def source_digest(prefix: Address, options: S3Options) -> str:
    """Digest of a patient's current objects, in a source that has answered before.

    If they can't be listed (a dangling link, a folder without permission, an unusable key), the
    text differs from any digest: the patient then fails alone and does not stop the run.

    Raises
    ------
    StoreUnreachable
        If the source no longer answers.
    """
    try:
        listed = open_store(prefix, options, answered=True).entries(below=True)
    except StoreUnreachable:
        raise
    except LungprepError as error:
        return f"not listed: {type(error).__name__}"
    return listing_digest(entry for entry in listed if not in_system_folder(entry.key))
