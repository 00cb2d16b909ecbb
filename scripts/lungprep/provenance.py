"""What was found at a patient's source, as far as it may be published."""

import logging
import math
from dataclasses import dataclass
from typing import Any

from pydicom.multival import MultiValue

from lungprep.series.preference import JOINED
from lungprep.series.selection import Choice

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

# As long as a long string (LO) may be, PS3.5 6.2; what is longer is no technical value.
LONGEST = 64

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
        Why another CT series was not taken, in a word, by its UID; the log has the text, which may
        quote names of objects.
    flags : list of str
        Typed warnings.
    flag_details : dict
        The measure of each flag: slices, millimetres, degrees, pixels or stored values.
    stray_slices : list of dict
        Where slices may not belong, and why: ``first_mm``, ``last_mm``, ``found``.
    """

    series_instance_uid: str
    source: dict[str, Any]
    acquisition: dict[str, Any]
    rejected_series: dict[str, str]
    flags: list[str]
    flag_details: dict[str, float]
    stray_slices: list[dict[str, Any]]


def describe(choice: Choice) -> dict[str, Any]:
    """Facts about the acquisition that may be published; None for a tag without a usable value."""
    dataset, stack = choice.volume.slices[0].dataset, choice.volume.stack
    return {
        **{name: _plain(dataset.get(keyword)) for name, keyword in TECHNICAL_TAGS.items()},
        "transfer_syntax": str(dataset.file_meta.TransferSyntaxUID),
        "shape": list(stack.shape),
        "spacing_mm": list(stack.spacing_mm),
        "set_aside": dict(sorted(choice.volume.set_aside.items())),
    }


def _plain(value: Any) -> Any:
    """A tag's value as JSON: a finite number, a text, or a list of them; None for all else."""
    if isinstance(value, float | int):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.strip()[:LONGEST] or None
    return [_plain(part) for part in value] or None if isinstance(value, MultiValue) else None


def report(choice: Choice, skipped: dict[str, list[str]]) -> None:
    """Log what was chosen, and what was not and why; `skipped` has the keys of objects by kind."""
    stack = choice.volume.stack
    slices, rows, columns = stack.shape
    logger.info(
        "series %s: %d slices of %d x %d, %.3f mm apart",
        *(choice.series_uid, slices, rows, columns, stack.spacing_mm[0]),
    )
    for kind, keys in skipped.items():
        others = ", ..." if len(keys) > 3 else ""
        logger.info("skipped %d objects: %s (%s%s)", len(keys), kind, ", ".join(keys[:3]), others)
    for kind, count in sorted(choice.volume.set_aside.items()):
        logger.info("set aside %d images of the series: %s", count, kind)
    for uid, rejection in choice.rejected.items():
        outcome = "joined" if rejection.kind == JOINED else "passed over"
        logger.info("%s series %s: %s", outcome, uid, rejection.reason)
