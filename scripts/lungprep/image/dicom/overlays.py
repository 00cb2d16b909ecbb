"""Overlays in the unused bits of pixel data, as in old files (PS3.3 C.9.2, retired)."""

from contextlib import suppress

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from lungprep.image.dicom.parsing import BROKEN, Tags

# Sixteen repeating groups (PS3.5 7.6).
GROUPS = range(0x6000, 0x6020, 2)
BITS_ALLOCATED, BIT_POSITION = 0x0100, 0x0102
OVERLAYS: Tags = [
    BaseTag(group << 16 | element) for group in GROUPS for element in (BITS_ALLOCATED, BIT_POSITION)
]
IN_PIXELS = 16


def overlay_bits(dataset: Dataset) -> int:
    """Return a mask of the bits of a cell that hold overlays, according to the header.

    An overlay with separate data has one bit allocated, at position 0. An overlay with 16 bits
    allocated lies in the pixel data; if it names no bit, it may lie in any of them.
    """
    mask = 0
    for group in GROUPS:
        position, allocated = (
            _number(dataset, group << 16 | element) for element in (BIT_POSITION, BITS_ALLOCATED)
        )
        if 0 < position < IN_PIXELS:
            mask |= 1 << position
        elif allocated == IN_PIXELS:
            mask |= 0xFFFF
    return mask


def _number(dataset: Dataset, tag: int) -> int:
    with suppress(*BROKEN):
        return int(dataset[tag].value)
    return 0
