"""Facts about a patient's source that may be published."""

import logging
import math
from dataclasses import dataclass
from typing import Any

from pydicom.multival import MultiValue

from lungprep.image.series.preference import JOINED
from lungprep.image.series.selection import Choice

# The only tags that may leave the DICOM header: no names, ids, dates, sites or free texts.
TECHNICAL_TAGS = {
    "manufacturer": "Manufacturer",
    "model": "ManufacturerModelName",
    "kernel": "ConvolutionKernel",
    "kvp": "KVP",
    "slice_thickness_mm": "SliceThickness",
    "patient_position": "PatientPosition",
    "image_type": "ImageType",
}

# Greatest length of a long string (LO, PS3.5 6.2); technical values are not longer.
LONGEST = 64

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scan:
    """Facts about a source; every field goes into the sidecar.

    Attributes
    ----------
    series_instance_uid : str
        Series that became the volume.
    source : dict
        ``prefix``, ``objects``, ``bytes`` and ``digest`` (over key, size and ETag of each object),
        ``skipped`` (number of objects that are not CT images, by kind).
    acquisition : dict
        Whitelisted technical tags, shape, spacing and transfer syntax of the series.
    rejected_series : dict
        Reason against each other CT series, in a word, by UID. The log has the full reason, which
        may quote names of objects.
    flags : list of str
        Names of warnings.
    flag_details : dict
        Measure of each flag: slices, millimetres, degrees, pixels or stored values.
    stray_slices : list of dict
        Positions of slices that may not belong, and the fault: ``first_mm``, ``last_mm``,
        ``found``.
    """

    series_instance_uid: str
    source: dict[str, Any]
    acquisition: dict[str, Any]
    rejected_series: dict[str, str]
    flags: list[str]
    flag_details: dict[str, float]
    stray_slices: list[dict[str, Any]]


def describe(choice: Choice) -> dict[str, Any]:
    """Collect publishable facts about the acquisition; None for a tag without a usable value."""
    dataset, stack = choice.volume.slices[0].dataset, choice.volume.stack
    return {
        **{name: _plain(dataset.get(keyword)) for name, keyword in TECHNICAL_TAGS.items()},
        "transfer_syntax": str(dataset.file_meta.TransferSyntaxUID),
        "shape": list(stack.shape),
        "spacing_mm": list(stack.spacing_mm),
        "set_aside": dict(sorted(choice.volume.set_aside.items())),
    }


def _plain(value: Any) -> Any:
    """Convert a tag's value to JSON: a finite number, a text or a list; None for anything else."""
    if isinstance(value, float | int):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, str):
        return value.strip()[:LONGEST] or None
    return [_plain(part) for part in value] or None if isinstance(value, MultiValue) else None


def report(choice: Choice, skipped: dict[str, list[str]]) -> None:
    """Log the choice and the reasons against the rest; `skipped` has keys of objects by kind."""
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
