"""Correct the VR of elements that were written under another VR than the dictionary's (PS3.6)."""

import re
from functools import cache

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement

TEXTS = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR")
) | {"UT"}
# Bytes per number of the binary VRs that are corrected.
NUMBERS = {"US": 2, "SS": 2, "UL": 4, "SL": 4}
BYTES = frozenset(("OB", "OW", "OD", "OF", "OL", "OV", "UN"))
PRINTABLE = re.compile(rb"[\x20-\x7e\t\r\n]*\0*")
# Text under the VR of a binary number: as a number, these digits would be far out of range.
PLAIN_NUMBER = re.compile(rb"(?=.*[0-9])[0-9+\-.eE\\ ]+\0*")


def with_known_vr(element: DataElement | RawDataElement) -> DataElement | RawDataElement:
    """Give a standard element the VR of the dictionary if its value fits.

    Exporters that don't know a tag write its text as OB or LO, for example. A printable value of a
    text VR, and a value of the right length of a binary VR, are unambiguous. All other elements
    keep the VR under which they were written.
    """
    known = _dictionary_vr(element.tag)
    vr = element.VR
    if known is None or vr is None or vr == known or not isinstance(element, RawDataElement):
        return element
    value = element.value
    if not isinstance(value, bytes):
        return element
    if known in TEXTS:
        own = PLAIN_NUMBER if vr in NUMBERS or vr in ("FD", "FL") else PRINTABLE
        return element._replace(VR=known) if own.fullmatch(value) else element
    is_binary = vr in BYTES or (vr in TEXTS and not PRINTABLE.fullmatch(value))
    if is_binary and len(value) == NUMBERS.get(known):
        return element._replace(VR=known)
    return element


@cache
def _dictionary_vr(tag: int) -> str | None:
    """Return the VR of a tag, the first if it has several; None for a private or unknown tag."""
    return dictionary_VR(tag).partition(" ")[0] if dictionary_has_tag(tag) else None
