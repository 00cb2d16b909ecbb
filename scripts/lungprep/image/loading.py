"""Load the objects of one patient into a volume, with the facts about its source."""

import logging
import re
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import PurePosixPath

from lungprep.errors import DataError, NoCTImages, UndecodablePixels
from lungprep.image.allocator import SLICES, VOLUMES, release_freed
from lungprep.image.dicom.archives import FILES, is_archive_kind, without_suffix
from lungprep.image.dicom.broken import BrokenObject, read_or_break
from lungprep.image.dicom.kinds import CT, NOT_DICOM
from lungprep.image.dicom.objects import read_object
from lungprep.image.dicom.parsing import LARGEST_BYTES
from lungprep.image.dicom.slices import Slice
from lungprep.image.provenance import Scan, describe, report
from lungprep.image.series.assembly import assemble
from lungprep.image.series.image_types import LOCALIZER
from lungprep.image.series.image_types import kind_of as image_kind
from lungprep.image.series.persons import check_one_person
from lungprep.image.series.policy import LoadOptions
from lungprep.image.series.selection import Choice, choose_series
from lungprep.image.volume import Volume
from lungprep.stores import Entry, Store
from lungprep.stores.base import CONNECTIONS, confirm_sizes, listing_digest, read_listed
from lungprep.stores.system_files import in_system_folder

# Kind of an object that is too large for a CT image; probably an archive.
TOO_LARGE = "over 2 GiB"
BROKEN_CT = "broken CT"
# A prefix of more than COHORT_BYTES may hold a cohort. To find out, the first objects of up to
# SAMPLED folders are read, unless they are larger than LARGEST_SAMPLE.
COHORT_BYTES, SAMPLED, LARGEST_SAMPLE = 2 << 30, 24, 4 << 20
# Decimal and hexadecimal numbers, as in IM000123, 1.2.840.113619 or 4B1F9D2C.
NUMBERS = re.compile(r"[0-9A-Fa-f.]+")

logger = logging.getLogger(__name__)


def load(
    source: Store, options: LoadOptions, *, series_uid: str | None = None
) -> tuple[Volume, Scan]:
    """Stream the objects of a patient into memory and build the volume, without using the disk.

    Each object is freed once its slice is decoded. The peak of memory is therefore the size of the
    objects or of the volume, whichever is larger. The function configures the process's allocator
    for this.

    Parameters
    ----------
    source : Store
        The patient's prefix.
    options : LoadOptions
        Policy for acceptance, repairs and preferences.
    series_uid : str, optional
        Take only this series.

    Returns
    -------
    volume : Volume
        int16 HU, canonical axes, on the grid of the scan; with a `Slicing` if the slices are uneven
        or shifted and will be repaired.
    scan : Scan
        Facts about the source.

    Raises
    ------
    DataError
        If the objects do not form a sound CT volume.
    StoreError
        If the objects can't be read.
    """
    # Slices in a wastebasket or a snapshot inside the patient's folder are not part of the scan.
    entries = [e for e in source.entries(below=True) if not in_system_folder(e.key)]
    try:
        return _load(source, entries, options, series_uid)
    except DataError as error:
        error.source = listing_digest(entries)
        raise


def _load(
    source: Store, entries: list[Entry], options: LoadOptions, series_uid: str | None
) -> tuple[Volume, Scan]:
    if not entries:
        raise NoCTImages(f"nothing lies under {source.address}", "check the prefix")
    release_freed(SLICES)
    if series_uid is None:
        _check_sample(source, entries)
    slices, kinds, broken = _read(source, entries)
    confirm_sizes(source, [entry for entry in entries if entry.size > LARGEST_BYTES])
    if not slices:
        raise _no_images(source, kinds, broken)
    _check_lost(entries, kinds)
    offered = [s for s in slices if series_uid in (None, s.series_uid)]
    check_one_person(offered, str(source.address), named=series_uid is not None)
    offered.clear()
    choice = _choose(slices, broken, options, series_uid)
    kinds[BROKEN_CT] = [each.header.key for each in broken]
    skipped = {kind: keys for kind, keys in sorted(kinds.items()) if kind != CT and keys}
    slices.clear()
    acquisition = describe(choice)
    report(choice, skipped)
    release_freed(VOLUMES)
    assembled = assemble(choice.volume, options)
    details = {**choice.volume.flags, **assembled.flags}
    if broken:
        details["broken_objects_set_aside"] = len(broken)
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


def _read(
    source: Store, entries: list[Entry]
) -> tuple[list[Slice], dict[str, list[str]], list[BrokenObject]]:
    """Read all objects in parallel: CT slices, keys of other objects by kind, broken objects."""

    def fetch(entry: Entry) -> list[Slice] | str | BrokenObject:
        if entry.size > LARGEST_BYTES:
            return TOO_LARGE
        return read_or_break(entry.key, read_listed(source, entry))

    slices: list[Slice] = []
    kinds: dict[str, list[str]] = defaultdict(list)
    broken: list[BrokenObject] = []
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for entry, found in zip(entries, pool.map(fetch, entries), strict=True):
            if isinstance(found, BrokenObject):
                broken.append(found)
                continue
            kinds[found if isinstance(found, str) else CT].append(entry.key)
            if not isinstance(found, str):
                slices += found
    return slices, kinds, broken


def _no_images(source: Store, kinds: dict[str, list[str]], broken: list[BrokenObject]) -> DataError:
    """Explain why the prefix holds no CT slice."""
    if broken:
        return broken[0].error
    objects = sum(len(keys) for keys in kinds.values())
    counts = ", ".join(f"{len(keys)} {kind}" for kind, keys in sorted(kinds.items()))
    packed = any(is_archive_kind(kind) for kind in kinds)
    return NoCTImages(
        f"no CT image among {objects} objects under {source.address} ({counts})",
        "unpack them"
        if packed and len(kinds) == 1
        else "unpack the archives"
        if packed
        else "check the prefix",
    )


def _choose(
    slices: list[Slice], broken: list[BrokenObject], options: LoadOptions, series_uid: str | None
) -> Choice:
    """Choose the series; fail if a broken object is, or may be, one of its slices."""
    try:
        choice = choose_series(slices, options, series_uid=series_uid)
    except DataError:
        for each in broken:
            if _may_belong(each, series_uid):
                raise each.error from None
        raise
    for each in broken:
        if _may_belong(each, choice.series_uid):
            raise each.error
        logger.warning("set aside: %s", each.error)
    return choice


def _may_belong(broken: BrokenObject, series_uid: str | None) -> bool:
    """Whether a broken object may be a slice of this series, or of any series if None."""
    if image_kind(broken.header) == LOCALIZER:
        return False
    return series_uid is None or broken.header.series_uid in ("", series_uid)


def _check_sample(source: Store, entries: list[Entry]) -> None:
    """Refuse a prefix that holds a whole cohort, before its objects fill the memory."""
    if sum(entry.size for entry in entries) < COHORT_BYTES:
        return
    firsts = {PurePosixPath(entry.key).parent: entry for entry in reversed(entries)}
    sample = [entry for entry in sorted(firsts.values()) if entry.size <= LARGEST_SAMPLE][:SAMPLED]
    slices = []
    for entry in sample:
        # Faulty objects are reported later, when all objects are read.
        with suppress(DataError):
            found = read_object(entry.key, read_listed(source, entry))
            slices += found if isinstance(found, list) else []
    check_one_person(slices, str(source.address), sampled=True)


def _check_lost(entries: list[Entry], kinds: dict[str, list[str]]) -> None:
    """Refuse an object that is named like a slice but is not DICOM: an incomplete upload."""
    like_slices = {_pattern(key) for key in kinds[CT]}
    sizes = {entry.key: entry.size for entry in entries}
    for kind, keys in kinds.items():
        if kind != NOT_DICOM and not is_archive_kind(kind):
            continue
        for key in keys:
            if _pattern(key) not in like_slices or PurePosixPath(key).name.startswith("."):
                continue
            found, remedy = "is not DICOM" if sizes[key] else "is empty", "upload it again"
            if kind != NOT_DICOM:
                found, remedy = f"is packed ({kind.removesuffix(FILES)})", "unpack it"
            raise UndecodablePixels(f"{key} {found}, though named like a slice", remedy)


def _pattern(key: str) -> str:
    """Return the common part of a series' file names: the suffix, or the name without numbers."""
    path = PurePosixPath(without_suffix(key))
    return path.suffix if path.suffix.strip(".0123456789") else NUMBERS.sub("0", path.name)
