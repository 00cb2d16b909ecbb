"""The few values of a patient's sidecar that decide whether the patient is done."""

import re
from dataclasses import dataclass
from typing import Any

from lungprep.config.recipe_changes import Told, told
from lungprep.workspace.records import from_store

# Flags appear in the report's HTML, which names CSS classes after them.
FLAG = re.compile(r"[a-z][a-z0-9_]{0,63}")


@dataclass(frozen=True)
class SidecarFacts:
    """Values of a patient's sidecar.

    Attributes
    ----------
    etag : str
        ETag of the sidecar that was read.
    recipe, source : str
        Digests of the recipe and of the source listing.
    series, chosen : str or None
        Series that the cohort file requested, and the series that was used.
    npy_bytes, lungs_bytes : int
        Sizes of the two arrays; -1 if the sidecar is unreadable.
    flags : tuple of str
        Warnings, for the report.
    doubt : float
        Doubt in the mask, 0 to 1; -1 if an earlier lungprep wrote the sidecar.
    npy_etag, lungs_etag : str
        ETags of the arrays as published; empty if they are not digests.
    """

    etag: str
    recipe: str
    source: str
    series: str | None
    chosen: str | None
    npy_bytes: int
    lungs_bytes: int
    flags: tuple[str, ...] = ()
    npy_etag: str = ""
    lungs_etag: str = ""
    doubt: float = -1.0

    @classmethod
    def of(cls, etag: str, sidecar: bytes) -> "SidecarFacts":
        """Take the values from a sidecar; those of an unreadable one match nothing."""
        try:
            fields = from_store(sidecar)
            return cls(
                etag,
                str(fields["recipe"]["digest"]),
                str(fields["source"]["digest"]),
                _text_or_none(fields["requested_series_uid"]),
                _text_or_none(fields["series_instance_uid"]),
                int(fields["npy"]["bytes"]),
                int(fields["lungs_npy"]["bytes"]),
                _flags(fields["flags"]),
                _etag(fields["npy"]),
                _etag(fields["lungs_npy"]),
                _doubt(fields.get("doubt", -1.0)),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            return cls(etag, "", "", None, None, -1, -1)

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "SidecarFacts":
        """Inverse of `dataclasses.asdict` after a pass through JSON, which has no tuples.

        Raises
        ------
        TypeError, KeyError, ValueError
            If the fields are not those of a `SidecarFacts`.
        """
        sizes = fields["npy_bytes"], fields["lungs_bytes"]
        if not all(isinstance(size, int) for size in sizes):
            raise TypeError(f"sizes are {sizes}")
        if not all(isinstance(fields.get(name, ""), str) for name in ("npy_etag", "lungs_etag")):
            raise TypeError("ETags are not text")
        known = {"flags": _flags(fields["flags"]), "doubt": _doubt(fields.get("doubt", -1.0))}
        return cls(**{**fields, **known})


def recipe_in(sidecar: bytes) -> Told:
    """Recipe in a sidecar; empty if it can't be read."""
    try:
        return told(from_store(sidecar)["recipe"])
    except (ValueError, KeyError, TypeError):
        return {}


def _etag(array: dict[str, Any]) -> str:
    # Sidecars of earlier versions have no ETags.
    return str(array.get("etag") or "")


def _doubt(found: Any) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not -1 <= found <= 1:
        raise ValueError(f"{found!r} is not a number from -1 to 1")
    return float(found)


def _flags(found: list[Any]) -> tuple[str, ...]:
    for flag in found:
        if not FLAG.fullmatch(flag):
            raise ValueError(f"{flag!r} is not a flag")
    return tuple(found)


def _text_or_none(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value
