"""From the objects of one patient to a volume and the facts about its source."""

import logging
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from lungprep.dicom import Slice, read_slice
from lungprep.errors import NoCTImages, UndecodablePixels
from lungprep.series import Choice, assemble, choose_series
from lungprep.stores import Entry, Store
from lungprep.stores.base import CONNECTIONS, listing_digest
from lungprep.volume import Volume

# Technical tags that may leave the DICOM header: no name, id, date, site or free text among them.
TECHNICAL_TAGS = {
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "kernel": "ConvolutionKernel",
    "kvp": "KVP",
    "slice_thickness_mm": "SliceThickness",
    "patient_position": "PatientPosition",
    "image_type": "ImageType",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scan:
    """What was found at the source; every field goes into the sidecar.

    Attributes
    ----------
    series_instance_uid : str
        The series that became the volume.
    source : dict
        ``prefix``, ``objects``, ``bytes`` and ``digest`` (over key, size and ETag of each object),
        ``skipped`` (objects by kind that are no CT image).
    acquisition : dict
        Whitelisted technical tags, slices, spacing and transfer syntax of the series.
    rejected_series : dict
        Kind of error for which a larger CT series was not taken, by its UID; the log has the text,
        which may quote names of objects.
    flags : list of str
        Typed warnings.
    """

    series_instance_uid: str
    source: dict[str, Any]
    acquisition: dict[str, Any]
    rejected_series: dict[str, str]
    flags: list[str] = field(default_factory=list)


def load(source: Store, *, min_slices: int, series_uid: str | None = None) -> tuple[Volume, Scan]:
    """Stream the objects of a patient into memory and build the volume; nothing touches the disk.

    Parameters
    ----------
    source : Store
        The patient's prefix.
    min_slices : int
        Series with fewer slices are no volume.
    series_uid : str, optional
        Take this series and no other.

    Returns
    -------
    volume : Volume
        int16 HU, canonical axes, on the grid of the scan.
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
    skipped: Counter[str] = Counter()
    slices = list(_ct_slices(source, entries, skipped))
    if not slices:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(skipped.items()))
        raise NoCTImages(
            f"no CT image among {len(entries)} objects under {source.address} ({kinds})",
            "check the prefix",
        )
    _check_empty(entries, slices)
    choice = choose_series(slices, min_slices=min_slices, series_uid=series_uid)
    slices.clear()
    scan = _describe(source, entries, skipped, choice)
    _report(scan, choice)
    return assemble(choice.slices, choice.stack), scan


def _ct_slices(source: Store, entries: list[Entry], skipped: Counter[str]) -> Iterator[Slice]:
    """Read all objects in parallel, in the order of the listing."""

    def fetch(entry: Entry) -> Slice | str:
        content = source.read(entry.key, entry)
        slice_ = read_slice(entry.key, content)
        return slice_ or ("other DICOM" if content[128:132] == b"DICM" else "not DICOM")

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for found in pool.map(fetch, entries):
            if isinstance(found, str):
                skipped[found] += 1
            else:
                yield found


def _check_empty(entries: list[Entry], slices: list[Slice]) -> None:
    """Refuse an empty object that is named like a slice: an upload that broke off."""
    suffixes = {PurePosixPath(slice_.key).suffix for slice_ in slices} - {""}
    for entry in entries:
        if entry.size == 0 and PurePosixPath(entry.key).suffix in suffixes:
            raise UndecodablePixels(f"{entry.key} is empty", "upload it again")


def _describe(source: Store, entries: list[Entry], skipped: Counter[str], choice: Choice) -> Scan:
    dataset = choice.slices[0].dataset
    acquisition = {
        name: _plain(dataset[keyword].value)
        for name, keyword in TECHNICAL_TAGS.items()
        if keyword in dataset and dataset[keyword].value not in (None, "")
    }
    return Scan(
        series_instance_uid=choice.series_uid,
        source={
            "prefix": str(source.address),
            "objects": len(entries),
            "bytes": sum(entry.size for entry in entries),
            "digest": listing_digest(entries),
            "skipped": dict(sorted(skipped.items())),
        },
        acquisition={
            **acquisition,
            "transfer_syntax": str(dataset.file_meta.TransferSyntaxUID),
            "shape": list(choice.stack.shape),
            "spacing_mm": list(choice.stack.spacing_mm),
        },
        rejected_series={uid: type(error).__name__ for uid, error in choice.rejected.items()},
    )


def _plain(value: Any) -> Any:
    """A tag's value as JSON: numbers as numbers, lists as lists, all else as text."""
    if isinstance(value, float | int):
        return float(value)
    if isinstance(value, str):
        return str(value)
    return [_plain(v) for v in value]


def _report(scan: Scan, choice: Choice) -> None:
    slices, rows, columns = scan.acquisition["shape"]
    gap = scan.acquisition["spacing_mm"][0]
    logger.info(
        "series %s: %d slices of %d x %d, %.3f mm apart",
        *(scan.series_instance_uid, slices, rows, columns, gap),
    )
    for kind, count in scan.source["skipped"].items():
        logger.info("skipped %d objects: %s", count, kind)
    for uid, error in choice.rejected.items():
        logger.info("passed over series %s: %s", uid, error)
