"""Who is done: what the target holds, and the index that spares reading each receipt.

The receipt ``{patient}.json`` says that a patient is done. The index beside the receipts repeats,
for each receipt by its ETag, the few values that decide it. It is a cache: lost, old or broken, it
only costs one request for each receipt that it does not know. It also has the recipes of the
patients, each once, to tell what changed since. It carries a digest of its content, for a changed
character of a value would be another value.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from lungprep.cohort import ACCEPTED_ID, FAILED, LUNGS, RECEIPT, VOLUME
from lungprep.errors import NotFound
from lungprep.receipt import Receipt, recipe_in
from lungprep.recipe_changes import Told
from lungprep.records import LARGEST_RECORD, from_store, to_json
from lungprep.stores import Entry, Store
from lungprep.stores.base import CONNECTIONS, read_sound
from lungprep.stores.etags import is_another

# No patient id starts with an underscore, so no patient's file has this name.
INDEX = "_cohort.json"
FORMAT = 3
# Without recipes; its receipts are as good.
BEFORE_RECIPES = 2
# Of 100,000 patients there are 40 MB.
LARGEST_INDEX = 1 << 28
# Of how many recipes a target that holds many is asked what they were.
MOST_RECIPES = 8
RECIPE_CHANGED = "recipe changed"
SERIES_CHANGED = "another series is asked for"
SOURCE_CHANGED = "source changed"


@dataclass(frozen=True)
class Receipts:
    """What the target says of its patients.

    Attributes
    ----------
    cohort : dict of str to Receipt
        Of the patients that were asked for.
    others : dict of str to Receipt
        Of others; a JSON file that is no receipt has sizes of -1.
    unknown : int
        How many of all these the index did not know.
    recipes : dict of str to Told
        Values of recipes by their digest, as far as they are known.
    """

    cohort: dict[str, Receipt]
    others: dict[str, Receipt]
    unknown: int
    recipes: dict[str, Told] = field(default_factory=dict)

    def with_recipes(self, target: Store, recipe: str, now: Told) -> "Receipts":
        """With what is known of the recipe in force, and of those that an older index knows not.

        Requests one sidecar for each of these, `MOST_RECIPES` at most.
        """
        known = {recipe, *self.recipes}
        unknown = {
            receipt.recipe: patient
            for patient, receipt in {**self.others, **self.cohort}.items()
            if receipt.npy_bytes >= 0 and receipt.recipe not in known
        }
        read = {
            digest: recipe_in(target.read(RECEIPT.format(patient=patient)))
            for digest, patient in list(unknown.items())[:MOST_RECIPES]
        }
        return replace(self, recipes={**self.recipes, **read, recipe: now})


def read_receipts(target: Store, entries: Iterable[Entry], patients: Iterable[str]) -> Receipts:
    """Receipts of the patients that have one, through the index where it knows them.

    Parameters
    ----------
    target : Store
        Where results lie.
    entries : iterable of Entry
        Its listing.
    patients : iterable of str
        Ids to look for.
    """
    listed = {entry.key: entry for entry in entries}
    index = listed.get(INDEX)
    known, recipes = _read_index(target) if index and index.size <= LARGEST_INDEX else ({}, {})
    # Other keys, the index and failures among them, are no receipts of ours.
    present = {
        patient: entry
        for key, entry in listed.items()
        if key.endswith(".json")
        and ACCEPTED_ID.fullmatch(patient := key.removesuffix(".json"))
        and not key.endswith(FAILED.format(patient=""))
    }
    unknown = {p: e for p, e in present.items() if p not in known or known[p].etag != e.etag}
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        contents = pool.map(partial(_read_receipt, target), unknown.values())
        read = {}
        for (p, entry), content in zip(unknown.items(), contents, strict=True):
            read[p] = Receipt.of(entry.etag, content)
            if read[p].npy_bytes >= 0 and read[p].recipe not in recipes:
                recipes[read[p].recipe] = recipe_in(content)
    receipts = {p: read.get(p) or known[p] for p in present}
    cohort = {p: receipts.pop(p) for p in patients if p in present}
    return Receipts(cohort, receipts, len(read), recipes)


def _read_receipt(target: Store, entry: Entry) -> bytes:
    """A receipt; nothing for a file that is too large to be one."""
    if entry.size > LARGEST_RECORD:
        return b""
    return read_sound(target, entry, lambda found: Receipt.of(entry.etag, found).npy_bytes >= 0)


def stale_reason(
    patient: str,
    listed: dict[str, int],
    receipt: Receipt | None,
    recipe: str,
    series_uid: str | None = None,
    source: Callable[[], str] | None = None,
    etags: dict[str, str] | None = None,
) -> str | None:
    """Why a patient is to be done, or None for a patient who is done.

    Parameters
    ----------
    patient : str
        Id.
    listed : dict of str to int
        Size of each object in the target, by key.
    receipt : Receipt or None
        What the target holds of the patient.
    recipe : str
        Digest of the recipe in force.
    series_uid : str, optional
        The series that the cohort file asks for.
    source : callable, optional
        Gives the digest of the source listing; compared if given.
    etags : dict of str to str, optional
        ETag of each object in the target, by key; compared if given.
    """
    if receipt is None:
        return "missing"
    if receipt.npy_bytes < 0:
        return "incomplete: the receipt can't be read"
    for pattern, size in ((VOLUME, receipt.npy_bytes), (LUNGS, receipt.lungs_bytes)):
        key = pattern.format(patient=patient)
        if key not in listed:
            return f"incomplete: {key} is absent"
        if listed[key] != size:
            return f"incomplete: {key} has {listed[key]} bytes in place of {size}"
    if etags and (replaced := _replaced(patient, etags, receipt)):
        return f"incomplete: {replaced} was replaced after its sidecar was written"
    if receipt.recipe != recipe:
        return RECIPE_CHANGED
    if series_uid not in (receipt.series, receipt.chosen):
        return SERIES_CHANGED
    if source is not None and source() != receipt.source:
        return SOURCE_CHANGED
    return None


def _replaced(patient: str, etags: dict[str, str], receipt: Receipt) -> str | None:
    """One of the arrays that another run has put in place of this receipt's, and was killed.

    Each removes the receipt before each array, so that it can only be one of the two. Where both
    have other ETags, the target was copied to a store that makes them otherwise.
    """
    keys = [pattern.format(patient=patient) for pattern in (VOLUME, LUNGS)]
    before = receipt.npy_etag, receipt.lungs_etag
    others = [k for k, etag in zip(keys, before, strict=True) if is_another(etags[k], etag)]
    same = [k for k, etag in zip(keys, before, strict=True) if etags[k] == etag]
    return others[0] if others and same else None


def _read_index(target: Store) -> tuple[dict[str, Receipt], dict[str, Told]]:
    """Receipts and recipes that the index knows; none where it is absent or can't be read."""
    try:
        index = from_store(target.read(INDEX))
        if index["format"] == BEFORE_RECIPES:
            index["recipes"], content = {}, index["patients"]
        else:
            content = [index["recipes"], index["patients"]]
        if index["format"] not in (BEFORE_RECIPES, FORMAT) or index["digest"] != _digest(content):
            return {}, {}
        patients = {p: Receipt.from_json(fields) for p, fields in index["patients"].items()}
        return patients, {digest: _told(values) for digest, values in index["recipes"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, NotFound):
        return {}, {}


def _told(values: dict[Any, Any]) -> Told:
    if not all(isinstance(text, str) for text in values.values()):
        raise TypeError("values of a recipe are no texts")
    return values


def write_index(target: Store, receipts: dict[str, Receipt], recipes: dict[str, Told]) -> None:
    """Publish the index of all receipts, with those of the recipes that made one of them."""
    patients = {patient: asdict(receipt) for patient, receipt in sorted(receipts.items())}
    used = {receipt.recipe for receipt in receipts.values()}
    told = {digest: recipes[digest] for digest in sorted(used & recipes.keys())}
    # By way of JSON, which is what the digest of a reader is of.
    told, patients = json.loads(json.dumps([told, patients]))
    digest = _digest([told, patients])
    target.write(
        INDEX, to_json({"format": FORMAT, "digest": digest, "recipes": told, "patients": patients})
    )


def _digest(content: Any) -> str:
    """SHA-256 of the index's content, whatever its order and blanks."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
