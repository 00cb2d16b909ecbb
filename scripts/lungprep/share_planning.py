"""Who of a few patients is to be done, told by the target without a listing of all the others."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from lungprep.cohort import LUNGS, RECEIPT, VOLUME, Cohort, Patient
from lungprep.ledger import read_receipts, stale_reason
from lungprep.planning import Plan, source_digest
from lungprep.recipe import recipe_digest
from lungprep.stores import Entry, S3Options, Store
from lungprep.stores.base import CONNECTIONS


def share_plan(config: dict[str, Any], cohort: Cohort, target: Store) -> Plan:
    """Find out who of a few patients is to be done, with no listing of all the others.

    Requests the metadata of a patient's receipt; where there is one, it and that of two arrays.

    Parameters
    ----------
    config : dict
        The complete config.
    cohort : Cohort
        The patients.
    target : Store
        Where results lie.

    Raises
    ------
    StoreError
        Where the target does not answer, or a source with ``check_source``.
    """
    options = S3Options(**config["s3"])
    present = _present(target, [RECEIPT.format(patient=patient) for patient in cohort.patients])
    receipts = read_receipts(target, present, cohort.patients)
    arrays = [p.format(patient=patient) for patient in receipts.cohort for p in (VOLUME, LUNGS)]
    entries = _present(target, arrays)
    listed = {entry.key: entry.size for entry in entries}
    etags = {entry.key: entry.etag for entry in entries}
    recipe = recipe_digest(config)

    def reason(patient: Patient) -> str | None:
        return stale_reason(
            patient.id,
            listed,
            receipts.cohort.get(patient.id),
            recipe,
            patient.series_uid,
            partial(source_digest, patient.prefix, options) if config["check_source"] else None,
            etags,
        )

    stale = {p: why for p, patient in cohort.patients.items() if (why := reason(patient))}
    return Plan(cohort, stale, {}, receipts, recipe, target)


def _present(target: Store, keys: list[str]) -> list[Entry]:
    """Those of some objects that there are."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return [entry for entry in pool.map(target.stat, keys) if entry is not None]
