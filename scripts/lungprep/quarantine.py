"""Patients whose data proved unusable: set aside in the target, until something changes."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from lungprep.cohort import FAILED, RECEIPT
from lungprep.records import to_json
from lungprep.stores import Entry, Store
from lungprep.stores.base import CONNECTIONS


@dataclass(frozen=True)
class Failure:
    """Content of ``{patient}.failed.json``.

    Attributes
    ----------
    patient : str
        Who.
    step, error, text : str
        The rule that failed, the type of the error, and its line.
    recipe, source : str
        Digests of the recipe and of the source listing by which it failed.
    requested_series_uid : str or None
        The series that the cohort file asked for.
    """

    patient: str
    step: str
    error: str
    text: str
    recipe: str
    source: str
    requested_series_uid: str | None

    def stands(self, recipe: str, series_uid: str | None, source: Callable[[], str]) -> bool:
        """Whether another try would only fail again: nothing that decides it has changed."""
        asked = (recipe, series_uid)
        return asked == (self.recipe, self.requested_series_uid) and source() == self.source


def set_aside(target: Store, failure: Failure) -> None:
    """Write a failure in place of the receipt, which an earlier source or recipe may have left."""
    target.discard(RECEIPT.format(patient=failure.patient))
    target.write(FAILED.format(patient=failure.patient), to_json(asdict(failure)))


def read_failures(
    target: Store, entries: Iterable[Entry], patients: Iterable[str]
) -> dict[str, Failure]:
    """Failures of the given patients, by id; one that can't be read is none.

    Parameters
    ----------
    target : Store
        Where results lie.
    entries : iterable of Entry
        Its listing.
    patients : iterable of str
        Ids to look for.
    """
    listed = {entry.key for entry in entries}
    keys = [key for patient in patients if (key := FAILED.format(patient=patient)) in listed]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = [_parsed(content) for content in pool.map(target.read, keys)]
    return {failure.patient: failure for failure in found if failure is not None}


def _parsed(content: bytes) -> Failure | None:
    try:
        fields: dict[str, Any] = json.loads(content)
        return Failure(**fields)
    except (ValueError, TypeError):
        return None
