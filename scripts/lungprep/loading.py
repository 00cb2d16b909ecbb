"""From the objects of one patient to a volume and the facts about its source."""

import logging
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import PurePosixPath

from lungprep.allocator import SLICES, VOLUMES, release_freed
from lungprep.dicom.kinds import CT, NOT_DICOM
from lungprep.dicom.parsing import LARGEST_BYTES
from lungprep.dicom.slices import Slice, read_object
from lungprep.errors import NoCTImages, UndecodablePixels
from lungprep.provenance import Scan, describe, report
from lungprep.series.assembly import assemble
from lungprep.series.policy import LoadOptions
from lungprep.series.selection import choose_series
from lungprep.stores import Entry, Store
from lungprep.stores.base import CONNECTIONS, listing_digest
from lungprep.volume import Volume

# A kind of objects: archives, most likely.
TOO_LARGE = "over 2 GiB"
# Decimal and hexadecimal numbers, as in IM000123, 1.2.840.113619 or 4B1F9D2C.
NUMBERS = re.compile(r"[0-9A-Fa-f.]+")

logger = logging.getLogger(__name__)


def load(
    source: Store, options: LoadOptions, *, series_uid: str | None = None
) -> tuple[Volume, Scan]:
    """Stream the objects of a patient into memory and build the volume; nothing touches the disk.

    As each slice is decoded its object is let go, so that the memory taken peaks at the bytes of
    the objects or of the volume, whichever are more. For that the process's allocator is set.

    Parameters
    ----------
    source : Store
        The patient's prefix.
    options : LoadOptions
        What is accepted, repaired and preferred.
    series_uid : str, optional
        Take this series and no other.

    Returns
    -------
    volume : Volume
        int16 HU, canonical axes, on the grid of the scan; with a `Slicing` where that is repaired.
    scan : Scan
        What was found.

    Raises
    ------
    DataError
        Where the objects hold no sound CT volume.
    StoreError
        Where the objects can't be read.
    """
    entries = source.entries(below=True)
    if not entries:
        raise NoCTImages(f"nothing lies under {source.address}", "check the prefix")
    release_freed(SLICES)
    slices, kinds = _read(source, entries)
    if not slices:
        counts = ", ".join(f"{len(keys)} {kind}" for kind, keys in sorted(kinds.items()))
        raise NoCTImages(
            f"no CT image among {len(entries)} objects under {source.address} ({counts})",
            "check the prefix",
        )
    _check_lost(entries, kinds)
    skipped = {kind: keys for kind, keys in sorted(kinds.items()) if kind != CT and keys}
    choice = choose_series(slices, options, series_uid=series_uid)
    slices.clear()
    acquisition = describe(choice)
    report(choice, skipped)
    release_freed(VOLUMES)
    assembled = assemble(choice.volume, options)
    details = {**choice.volume.flags, **assembled.flags}
    for name, measure in details.items():
        logger.warning("flag %s: %g", name, measure)
    source_facts = {
        "prefix": str(source.address),
        "objects": len(entries),
        "bytes": sum(entry.size for entry in entries),
        "digest": listing_digest(entries),
        "skipped": {kind: len(keys) for kind, keys in skipped.items()},
    }
    rejected = {uid: rejection.kind for uid, rejection in choice.rejected.items()}
    flags = sorted(details)
    strays = [stray.to_json() for stray in assembled.strays]
    return assembled.volume, Scan(
        choice.series_uid, source_facts, acquisition, rejected, flags, details, strays
    )


def _read(source: Store, entries: list[Entry]) -> tuple[list[Slice], dict[str, list[str]]]:
    """Read all objects in parallel: the CT slices, and the keys of all objects by kind."""

    def fetch(entry: Entry) -> list[Slice] | str:
        if entry.size > LARGEST_BYTES:
            return TOO_LARGE
        return read_object(entry.key, source.read(entry.key, entry))

    slices: list[Slice] = []
    kinds: dict[str, list[str]] = defaultdict(list)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for entry, found in zip(entries, pool.map(fetch, entries), strict=True):
            kinds[found if isinstance(found, str) else CT].append(entry.key)
            if not isinstance(found, str):
                slices += found
    return slices, kinds


def _check_lost(entries: list[Entry], kinds: dict[str, list[str]]) -> None:
    """Refuse an object that is named like a slice and is none: an upload that broke off."""
    like_slices = {_pattern(key) for key in kinds[CT]}
    sizes = {entry.key: entry.size for entry in entries}
    for key in kinds[NOT_DICOM]:
        if _pattern(key) in like_slices and not PurePosixPath(key).name.startswith("."):
            found = "is not DICOM" if sizes[key] else "is empty"
            raise UndecodablePixels(f"{key} {found}, though named like a slice", "upload it again")


def _pattern(key: str) -> str:
    """What the names of a series' files share: the suffix, or else the name less its numbers."""
    path = PurePosixPath(key.removesuffix(".gz"))
    return path.suffix if path.suffix.strip(".0123456789") else NUMBERS.sub("0", path.name)
