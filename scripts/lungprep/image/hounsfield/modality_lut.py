"""Modality look-up tables, which replace slope and intercept (PS3.3 C.11.1.1.1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lungprep.errors import NotHounsfield, UndecodablePixels
from lungprep.image.dicom.parsing import BROKEN
from lungprep.image.dicom.slices import Slice
from lungprep.image.hounsfield.scale import Stored

# Defined terms of Modality LUT Type and Rescale Type (PS3.3 C.11.1.1.2), which messages may quote.
TYPES = {"OD", "HU", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"}
# US is unspecified; an absent type means HU in CT (PS3.3 C.8.2.1).
HOUNSFIELD_BY_NAME = {"", "HU", "HOUNSFIELD", "HOUNSFIELD UNIT", "HOUNSFIELD UNITS"}
HOUNSFIELD = {*HOUNSFIELD_BY_NAME, "HU_MOD", "US", "UNSPECIFIED"}
# Value 4 of ImageType of the maps that multi-energy CT computes instead of attenuation: densities,
# fractions and atomic numbers (PS3.3 C.8.2.1.1.1). Such a map is in HU only if its header says so.
MATERIAL_MAPS = {"MAT_SPECIFIC", "MAT_FRACTIONAL", "EFF_ATOMIC_NUM", "ELECTRON_DENSITY"}


@dataclass(frozen=True)
class ModalityLUT:
    """A Modality LUT.

    Attributes
    ----------
    first : int
        Stored value of the first entry.
    entries : ndarray of uint16
        One value for each stored value from `first` on; the standard excludes negative values.
    """

    first: int
    entries: NDArray[np.uint16]

    def values(self, stored: Stored) -> NDArray[np.uint16]:
        """Look up each stored value; values outside the table take its first or last entry."""
        last = self.first + self.entries.size - 1
        index = np.clip(stored.astype(np.int32), self.first, last) - self.first
        return self.entries[index]


def check_unit(slice_: Slice) -> None:
    """Refuse a slice whose header names another unit than Hounsfield units.

    Raises
    ------
    NotHounsfield
        If the Rescale Type is another unit, or the slice is a material map and its Rescale Type is
        not HU.
    """
    kind = slice_.text("RescaleType")
    check_type(slice_, kind)
    if _values(kind) <= HOUNSFIELD_BY_NAME:
        return
    if maps := sorted(MATERIAL_MAPS & _values(slice_.text("ImageType"))):
        raise NotHounsfield(
            f"{slice_.key} is a material map ({maps[0]}), not in Hounsfield units",
            "name a series of CT numbers in the cohort file",
        )


def check_type(slice_: Slice, kind: str) -> None:
    """Refuse a Rescale Type or Modality LUT Type other than Hounsfield units.

    Raises
    ------
    NotHounsfield
        If the type is, for example, ED (electron density).
    """
    if not _values(kind) <= HOUNSFIELD:
        name = kind if kind in TYPES else "another unit"
        raise NotHounsfield(
            f"{slice_.key} is rescaled to {name}, not to Hounsfield units",
            "name a series of CT numbers in the cohort file",
        )


def _values(text: str) -> set[str]:
    """Return the values of a tag in capitals."""
    return {value.strip() for value in text.upper().split("\\")}


def read_lut(slice_: Slice) -> ModalityLUT | None:
    """Read the Modality LUT of a slice; None if it has none, like nearly all slices.

    Raises
    ------
    NotHounsfield
        If the values of the table are not Hounsfield units.
    UndecodablePixels
        If the table can't be read.
    """
    if "ModalityLUTSequence" not in slice_.dataset:
        return None
    try:
        items = list(slice_.dataset.ModalityLUTSequence or [])
        if not items:
            return None
        lut = _table(items[0], signed=bool(slice_.integer("PixelRepresentation", 0)))
        kind = str(items[0].get("ModalityLUTType") or "").strip()
    except BROKEN as error:
        raise UndecodablePixels(
            f"{slice_.key} has a Modality LUT that can't be read", "export it again"
        ) from error
    check_type(slice_, kind)
    return lut


def _table(item: Dataset, *, signed: bool) -> ModalityLUT:
    count, first, bits = (int(value) for value in item.LUTDescriptor)
    # The VR may give these 16-bit numbers the wrong sign. A count of 0 means 65536 entries.
    count = count % 65536 or 65536
    first = first % 65536 - (65536 if signed and first % 65536 > 32767 else 0)
    entries = _entries(item, count)
    if bits not in (8, 16) or entries.size != count:
        raise ValueError("descriptor and data of a LUT that contradict each other")
    return ModalityLUT(first, entries)


def _entries(item: Dataset, count: int) -> NDArray[np.uint16]:
    """Read the entries; they have 8 bits if the data has one byte per entry."""
    data = item.LUTData
    if not isinstance(data, bytes):
        values = np.atleast_1d(np.array(data, dtype=np.int64)) % 65536
        return values.astype(np.uint16)
    order = "<" if item.original_encoding[1] is not False else ">"
    words = np.frombuffer(data, dtype=order + "u2")
    if len(data) == count + count % 2 and count > 1:
        return words.astype("<u2").view(np.uint8)[:count].astype(np.uint16)
    return words.astype(np.uint16)
