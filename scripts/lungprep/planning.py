"""What a run has to do: the cohort, less what the target already holds."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lungprep.cohort import Cohort, Patient, from_csv, from_listing
from lungprep.ledger import (
    RECIPE_CHANGED,
    Receipt,
    read_receipts,
    stale_reason,
)
from lungprep.recipe import recipe_digest
from lungprep.stores import Address, S3Options, Store, open_store
from lungprep.stores.address import check_pair
from lungprep.stores.base import CONNECTIONS, listing_digest


@dataclass(frozen=True)
class Plan:
    """The patients of a run.

    Attributes
    ----------
    cohort : Cohort
        All of them.
    stale : dict of str to str
        Those to do, with the reason, in order of the cohort.
    receipts : dict of str to Receipt
        What the target holds of the cohort.
    unknown : int
        How many of those the index did not know.
    published : frozenset of str
        All that have a receipt there, of this cohort or another.
    target : Store
        Where results go.
    """

    cohort: Cohort
    stale: dict[str, str]
    receipts: dict[str, Receipt]
    unknown: int
    published: frozenset[str]
    target: Store

    @property
    def other_recipe(self) -> list[str]:
        """Patients that the target holds by another recipe."""
        return [patient for patient, reason in self.stale.items() if reason == RECIPE_CHANGED]

    def missing(self) -> str:
        """Say who is missing and why: what a dry run is asked for."""
        refused = {repr(name): why for name, why in self.cohort.refused.items()}
        absent = {**self.stale, **refused}
        lines = [f"missing: {len(absent)} of {self.cohort.size} patients"]
        lines += [f"  {patient}: {reason}" for patient, reason in absent.items()]
        if self.other_recipe:
            lines.append(self.overwrite_hint())
        return "\n".join(lines)

    def overwrite_hint(self) -> str:
        """Say what to do about patients of another recipe."""
        return (
            f"{len(self.other_recipe)} of {self.cohort.size} patients in {self.target.address} "
            "were made with another recipe; add overwrite=true to the config to replace them, or "
            "choose another target"
        )


def make_plan(config: dict[str, Any]) -> Plan:
    """Find out who is to be done.

    Requests one listing of the source's folders, one of the target, the index, and each receipt
    that the index does not know; with ``check_source`` also one listing per published patient.

    Parameters
    ----------
    config : dict
        The complete config.

    Raises
    ------
    ConfigError
        Where the addresses or the cohort can't be used.
    StoreError
        Where source or target can't be listed: it never means that all are missing.
    """
    options = S3Options(**config["s3"])
    source, destination = check_pair(config["source"], config["target"])
    cohort = read_cohort(config, source, options)
    target = open_store(destination, options)
    entries = target.entries()
    receipts, unknown = read_receipts(target, entries, cohort.patients)
    listed = {entry.key: entry.size for entry in entries}

    def reason(patient: Patient) -> str | None:
        return stale_reason(
            patient.id,
            listed,
            receipts.get(patient.id),
            recipe_digest(config, patient.series_uid),
            (lambda: _source_digest(patient.prefix, options)) if config["check_source"] else None,
        )

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        reasons = pool.map(reason, cohort.patients.values())
        stale = {p: why for p, why in zip(cohort.patients, reasons, strict=True) if why}
    published = frozenset(k.removesuffix(".json") for k in listed if k.endswith(".json"))
    return Plan(cohort, stale, receipts, unknown, published, target)


def read_cohort(config: dict[str, Any], source: Address, options: S3Options) -> Cohort:
    """List the source, or read the cohort file where the config names one."""
    if config["patients"] is not None:
        return from_csv(config["patients"], source)
    return from_listing(open_store(source, options))


def _source_digest(prefix: Address, options: S3Options) -> str:
    return listing_digest(open_store(prefix, options).entries(below=True))
