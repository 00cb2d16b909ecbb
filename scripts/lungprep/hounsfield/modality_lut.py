"""Modality look-up tables: HU by table in place of slope and intercept (PS3.3 C.11.1.1.1)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from lungprep.dicom.parsing import BROKEN
from lungprep.dicom.slices import Slice
from lungprep.errors import NotHounsfield, UndecodablePixels
from lungprep.hounsfield.scale import Stored

# Defined terms of Modality LUT Type and Rescale Type (PS3.3 C.11.1.1.2), to be quoted.
TYPES = {"OD", "HU", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT"}
# US is unspecified; an absent type means HU in CT (PS3.3 C.8.2.1).
HOUNSFIELD_BY_NAME = {"", "HU", "HOUNSFIELD", "HOUNSFIELD UNIT", "HOUNSFIELD UNITS"}
HOUNSFIELD = {*HOUNSFIELD_BY_NAME, "HU_MOD", "US", "UNSPECIFIED"}
# Value 4 of ImageType of what multi-energy CT computes in place of attenuation: densities, shares
# and atomic numbers (PS3.3 C.8.2.1.1.1). Such a map is one of HU only where its header says so.
MATERIAL_MAPS = {"MAT_SPECIFIC", "MAT_FRACTIONAL", "EFF_ATOMIC_NUM", "ELECTRON_DENSITY"}


@dataclass(frozen=True)
class ModalityLUT:
    """A table.

    Attributes
    ----------
    first : int
        The stored value that the first entry belongs to.
    entries : ndarray of uint16
        One value for each stored value from there on; by the standard there are no negative ones.
    """

    first: int
    entries: NDArray[np.uint16]

    def values(self, stored: Stored) -> NDArray[np.uint16]:
        """Look up each stored value; those before and behind the table take its ends."""
        last = self.first + self.entries.size - 1
        index = np.clip(stored.astype(np.int32), self.first, last) - self.first
        return self.entries[index]


def check_unit(slice_: Slice) -> None:
    """Refuse a slice whose header says that it holds no Hounsfield units.

    Raises
    ------
    NotHounsfield
        For such a Rescale Type, and for a material map whose Rescale Type is not HU.
    """
    kind = slice_.text("RescaleType")
    check_type(slice_, kind)
    if _values(kind) <= HOUNSFIELD_BY_NAME:
        return
    if maps := sorted(MATERIAL_MAPS & _values(slice_.text("ImageType"))):
        raise NotHounsfield(
            f"{slice_.key} is a material map ({maps[0]}) in other units than Hounsfield's",
            "name a series of CT numbers in the cohort file",
        )


def check_type(slice_: Slice, kind: str) -> None:
    """Refuse values that are no Hounsfield units by their own header.

    Raises
    ------
    NotHounsfield
        For a Rescale Type or Modality LUT Type such as ED (electron density).
    """
    if not _values(kind) <= HOUNSFIELD:
        name = kind if kind in TYPES else "another unit"
        raise NotHounsfield(
            f"{slice_.key} is rescaled to {name}, not to Hounsfield units",
            "name a series of CT numbers in the cohort file",
        )


def _values(text: str) -> set[str]:
    """The values of a tag in capitals."""
    return {value.strip() for value in text.upper().split("\\")}


def read_lut(slice_: Slice) -> ModalityLUT | None:
    """The Modality LUT of a slice; None where it has none, as nearly all.

    Raises
    ------
    NotHounsfield
        Where the table's values are no Hounsfield units.
    UndecodablePixels
        Where there is a table that can't be read.
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
    # 16 bits, which the tag's VR may give the wrong sign; 0 entries stands for what 16 bits can't.
    count = count % 65536 or 65536
    first = first % 65536 - (65536 if signed and first % 65536 > 32767 else 0)
    entries = _entries(item, count)
    if bits not in (8, 16) or entries.size != count:
        raise ValueError("descriptor and data of a LUT that contradict each other")
    return ModalityLUT(first, entries)


def _entries(item: Dataset, count: int) -> NDArray[np.uint16]:
    """The entries, which have 8 bits where there are only as many bytes as entries."""
    data = item.LUTData
    if not isinstance(data, bytes):
        values = np.atleast_1d(np.array(data, dtype=np.int64)) % 65536
        return values.astype(np.uint16)
    order = "<" if item.original_encoding[1] is not False else ">"
    words = np.frombuffer(data, dtype=order + "u2")
    if len(data) == count + count % 2 and count > 1:
        return words.astype("<u2").view(np.uint8)[:count].astype(np.uint16)
    return words.astype(np.uint16)
