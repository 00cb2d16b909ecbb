"""Plan for the patients of a shard, without a listing of the whole target."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from lungprep.cohort.ledger import read_sidecars, stale_reason
from lungprep.cohort.patients import LUNGS, SIDECAR, VOLUME, Cohort, Patient
from lungprep.cohort.planning import Plan, source_digest
from lungprep.config.recipe import recipe_digest
from lungprep.stores import Entry, S3Options, Store
from lungprep.stores.base import CONNECTIONS


def shard_plan(config: dict[str, Any], cohort: Cohort, target: Store) -> Plan:
    """Find which of a few patients are to be done, without a listing of the whole target.

    Requests the metadata of each patient's sidecar; if it exists, also its content and the metadata
    of the two arrays.

    Parameters
    ----------
    config : dict
        Complete config.
    cohort : Cohort
        Patients of the shard.
    target : Store
        Store of the results.

    Raises
    ------
    StoreError
        If the target does not answer, or with ``check_source`` a patient's source.
    """
    options = S3Options(**config["s3"])
    present = _present(target, [SIDECAR.format(patient=patient) for patient in cohort.patients])
    sidecars = read_sidecars(target, present, cohort.patients)
    arrays = [p.format(patient=patient) for patient in sidecars.cohort for p in (VOLUME, LUNGS)]
    entries = _present(target, arrays)
    listed = {entry.key: entry.size for entry in entries}
    etags = {entry.key: entry.etag for entry in entries}
    recipe = recipe_digest(config)

    def reason(patient: Patient) -> str | None:
        return stale_reason(
            patient.id,
            listed,
            sidecars.cohort.get(patient.id),
            recipe,
            patient.series_uid,
            partial(source_digest, patient.prefix, options) if config["check_source"] else None,
            etags,
        )

    stale = {p: why for p, patient in cohort.patients.items() if (why := reason(patient))}
    return Plan(cohort, stale, {}, sidecars, recipe, target)


def _present(target: Store, keys: list[str]) -> list[Entry]:
    """Entries of the given objects that exist."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return [entry for entry in pool.map(target.stat, keys) if entry is not None]
