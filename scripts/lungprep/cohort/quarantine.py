"""Quarantine: patients with unusable data, set aside in the target until something changes."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial

from lungprep.cohort.patients import FAILED, SIDECAR
from lungprep.stores import Entry, Store
from lungprep.stores.base import CONNECTIONS, read_sound
from lungprep.workspace.records import LARGEST_RECORD, from_store, to_json


@dataclass(frozen=True)
class Failure:
    """Content of ``{patient}.failed.json``.

    Attributes
    ----------
    patient : str
        Patient id.
    step, error, text : str
        Rule that failed, type of the error, and its line.
    recipe, source : str
        Digests of the recipe and of the source listing on which the failure is based.
    requested_series_uid : str or None
        Series that the cohort file requested.
    """

    patient: str
    step: str
    error: str
    text: str
    recipe: str
    source: str
    requested_series_uid: str | None

    def stands(self, recipe: str, series_uid: str | None, source: Callable[[], str]) -> bool:
        """Whether another attempt would only fail again, because nothing relevant has changed."""
        asked = (recipe, series_uid)
        return asked == (self.recipe, self.requested_series_uid) and source() == self.source


def set_aside(target: Store, failure: Failure) -> None:
    """Write a failure, and first remove the sidecar of an earlier source or recipe."""
    target.discard(SIDECAR.format(patient=failure.patient))
    target.write(FAILED.format(patient=failure.patient), to_json(asdict(failure)))


def read_failures(
    target: Store, entries: Iterable[Entry], patients: Iterable[str]
) -> dict[str, Failure]:
    """Read the failures of the given patients, by id; unreadable ones are ignored.

    Parameters
    ----------
    target : Store
        Store of the results.
    entries : iterable of Entry
        Listing of the target.
    patients : iterable of str
        Ids to look for.
    """
    listed = {entry.key: entry for entry in entries if entry.size <= LARGEST_RECORD}
    failed = [patient for patient in patients if FAILED.format(patient=patient) in listed]

    def read(patient: str) -> Failure | None:
        entry = listed[FAILED.format(patient=patient)]
        sound = partial(_parsed, patient)
        return sound(read_sound(target, entry, lambda found: sound(found) is not None))

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        found = [failure for failure in pool.map(read, failed) if failure is not None]
    return {failure.patient: failure for failure in found}


def _parsed(patient: str, content: bytes) -> Failure | None:
    """Failure of this patient; its texts go to terminals, so control characters are refused."""
    try:
        failure = Failure(**from_store(content))
    except (ValueError, TypeError):
        return None
    texts = {**asdict(failure), "requested_series_uid": failure.requested_series_uid or ""}
    if failure.patient != patient:
        return None
    usable = all(isinstance(text, str) and text.isprintable() for text in texts.values())
    return failure if usable else None
