"""Which patients are done, from the target's sidecars and the index that saves reading them.

The sidecar ``{patient}.json`` marks a patient as done. The index beside the sidecars repeats the
few values of each that decide it, together with the sidecar's ETag. It is a cache: if it is lost,
outdated or damaged, each unknown sidecar costs one request. It also stores the recipes of the
patients, each once, to show what changed since. A digest of its content detects changed characters.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from lungprep.cohort.patients import ACCEPTED_ID, FAILED, LUNGS, SIDECAR, VOLUME
from lungprep.cohort.sidecar_facts import SidecarFacts, recipe_in
from lungprep.config.recipe_changes import Told
from lungprep.errors import NotFound
from lungprep.stores import Entry, Store
from lungprep.stores.base import CONNECTIONS, read_sound
from lungprep.stores.etags import is_another
from lungprep.workspace.records import LARGEST_RECORD, from_store, to_json

# Patient ids never start with an underscore, so this key can't collide with results.
INDEX = "_cohort.json"
FORMAT = 3
# Format without recipes; its entries are still valid.
BEFORE_RECIPES = 2
# 100,000 patients take 40 MB.
LARGEST_INDEX = 1 << 28
# Maximum number of unknown recipes that are read from sidecars.
MOST_RECIPES = 8
RECIPE_CHANGED = "recipe changed"
SERIES_CHANGED = "another series is requested"
SOURCE_CHANGED = "source changed"


@dataclass(frozen=True)
class Sidecars:
    """Sidecar values of the patients in the target.

    Attributes
    ----------
    cohort : dict of str to SidecarFacts
        Values of the requested patients.
    others : dict of str to SidecarFacts
        Values of other patients. A JSON file that is not a sidecar has sizes of -1.
    unknown : int
        Number of sidecars that the index did not know.
    recipes : dict of str to Told
        Known values of recipes, by their digest.
    """

    cohort: dict[str, SidecarFacts]
    others: dict[str, SidecarFacts]
    unknown: int
    recipes: dict[str, Told] = field(default_factory=dict)

    def with_recipes(self, target: Store, recipe: str, now: Told) -> "Sidecars":
        """Copy with the current recipe, and with recipes that an older index does not contain.

        Requests one sidecar for each unknown recipe, at most `MOST_RECIPES`.
        """
        known = {recipe, *self.recipes}
        unknown = {
            facts.recipe: patient
            for patient, facts in {**self.others, **self.cohort}.items()
            if facts.npy_bytes >= 0 and facts.recipe not in known
        }
        read = {
            digest: recipe_in(target.read(SIDECAR.format(patient=patient)))
            for digest, patient in list(unknown.items())[:MOST_RECIPES]
        }
        return replace(self, recipes={**self.recipes, **read, recipe: now})


def read_sidecars(target: Store, entries: Iterable[Entry], patients: Iterable[str]) -> Sidecars:
    """Read the sidecar values of the target's patients, from the index as far as possible.

    Parameters
    ----------
    target : Store
        Store of the results.
    entries : iterable of Entry
        Listing of the target.
    patients : iterable of str
        Ids to look for.
    """
    listed = {entry.key: entry for entry in entries}
    index = listed.get(INDEX)
    known, recipes = _read_index(target) if index and index.size <= LARGEST_INDEX else ({}, {})
    # Other keys, such as the index and failures, are not sidecars.
    present = {
        patient: entry
        for key, entry in listed.items()
        if key.endswith(".json")
        and ACCEPTED_ID.fullmatch(patient := key.removesuffix(".json"))
        and not key.endswith(FAILED.format(patient=""))
    }
    unknown = {p: e for p, e in present.items() if p not in known or known[p].etag != e.etag}
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        contents = pool.map(partial(_read_sidecar, target), unknown.values())
        read = {}
        for (p, entry), content in zip(unknown.items(), contents, strict=True):
            read[p] = SidecarFacts.of(entry.etag, content)
            if read[p].npy_bytes >= 0 and read[p].recipe not in recipes:
                recipes[read[p].recipe] = recipe_in(content)
    sidecars = {p: read.get(p) or known[p] for p in present}
    cohort = {p: sidecars.pop(p) for p in patients if p in present}
    return Sidecars(cohort, sidecars, len(read), recipes)


def _read_sidecar(target: Store, entry: Entry) -> bytes:
    """Content of a sidecar; empty for a file that is too large to be one."""
    if entry.size > LARGEST_RECORD:
        return b""
    return read_sound(
        target, entry, lambda found: SidecarFacts.of(entry.etag, found).npy_bytes >= 0
    )


def stale_reason(
    patient: str,
    listed: dict[str, int],
    facts: SidecarFacts | None,
    recipe: str,
    series_uid: str | None = None,
    source: Callable[[], str] | None = None,
    etags: dict[str, str] | None = None,
) -> str | None:
    """Reason why a patient is to be done, or None if the patient is done.

    Parameters
    ----------
    patient : str
        Patient id.
    listed : dict of str to int
        Size of each object in the target, by key.
    facts : SidecarFacts or None
        Sidecar values of the patient; None without a sidecar.
    recipe : str
        Digest of the current recipe.
    series_uid : str, optional
        Series that the cohort file requests.
    source : callable, optional
        Returns the digest of the source listing, which is compared if given.
    etags : dict of str to str, optional
        ETag of each object in the target, by key; compared if given.
    """
    if facts is None:
        return "missing"
    if facts.npy_bytes < 0:
        return "incomplete: the sidecar can't be read"
    for pattern, size in ((VOLUME, facts.npy_bytes), (LUNGS, facts.lungs_bytes)):
        key = pattern.format(patient=patient)
        if key not in listed:
            return f"incomplete: {key} is absent"
        if listed[key] != size:
            return f"incomplete: {key} has {listed[key]} bytes instead of {size}"
    if etags and (replaced := _replaced(patient, etags, facts)):
        return f"incomplete: {replaced} was replaced after its sidecar was written"
    if facts.recipe != recipe:
        return RECIPE_CHANGED
    if series_uid not in (facts.series, facts.chosen):
        return SERIES_CHANGED
    if source is not None and source() != facts.source:
        return SOURCE_CHANGED
    return None


def _replaced(patient: str, etags: dict[str, str], facts: SidecarFacts) -> str | None:
    """Key of an array that another run replaced before it was killed, or None.

    A run removes the sidecar before it writes each array, so only one of the two arrays can differ.
    If both ETags differ, the target was copied to a store that computes ETags differently.
    """
    keys = [pattern.format(patient=patient) for pattern in (VOLUME, LUNGS)]
    before = facts.npy_etag, facts.lungs_etag
    others = [k for k, etag in zip(keys, before, strict=True) if is_another(etags[k], etag)]
    same = [k for k, etag in zip(keys, before, strict=True) if etags[k] == etag]
    return others[0] if others and same else None


def _read_index(target: Store) -> tuple[dict[str, SidecarFacts], dict[str, Told]]:
    """Sidecar values and recipes in the index; empty if it is absent or unreadable."""
    try:
        index = from_store(target.read(INDEX))
        if index["format"] == BEFORE_RECIPES:
            index["recipes"], content = {}, index["patients"]
        else:
            content = [index["recipes"], index["patients"]]
        if index["format"] not in (BEFORE_RECIPES, FORMAT) or index["digest"] != _digest(content):
            return {}, {}
        patients = {p: SidecarFacts.from_json(fields) for p, fields in index["patients"].items()}
        return patients, {digest: _told(values) for digest, values in index["recipes"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, NotFound):
        return {}, {}


def _told(values: dict[Any, Any]) -> Told:
    if not all(isinstance(text, str) for text in values.values()):
        raise TypeError("values of a recipe are not text")
    return values


def write_index(target: Store, sidecars: dict[str, SidecarFacts], recipes: dict[str, Told]) -> None:
    """Publish the index of all sidecars, with the recipes that any of them names."""
    patients = {patient: asdict(facts) for patient, facts in sorted(sidecars.items())}
    used = {facts.recipe for facts in sidecars.values()}
    told = {digest: recipes[digest] for digest in sorted(used & recipes.keys())}
    # Convert by way of JSON, because readers compute the digest from parsed JSON.
    told, patients = json.loads(json.dumps([told, patients]))
    digest = _digest([told, patients])
    target.write(
        INDEX, to_json({"format": FORMAT, "digest": digest, "recipes": told, "patients": patients})
    )


def _digest(content: Any) -> str:
    """SHA-256 of the index's content, independent of key order and blanks."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
