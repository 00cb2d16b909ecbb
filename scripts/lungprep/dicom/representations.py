"""Elements under another VR than the data dictionary's (PS3.6), where their bytes are plain."""

import re
from functools import cache

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement

TEXTS = frozenset(
    ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR")
) | {"UT"}
# Bytes of a number of the other VRs that are looked at.
NUMBERS = {"US": 2, "SS": 2, "UL": 4, "SL": 4}
BYTES = frozenset(("OB", "OW", "OD", "OF", "OL", "OV", "UN"))
PRINTABLE = re.compile(rb"[\x20-\x7e\t\r\n]*\0*")
# Digits in place of a binary number, which would be one beyond all reason.
PLAIN_NUMBER = re.compile(rb"(?=.*[0-9])[0-9+\-.eE\\ ]+\0*")


def with_known_vr(element: DataElement | RawDataElement) -> DataElement | RawDataElement:
    """Give a standard element that was written under a wrong VR its own.

    Exporters that don't know a tag write its text as OB or LO, say. Text in place of a text, and a
    binary number of the right length in place of one, can't be mistaken for anything else; all
    others keep the VR that they came with.
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
    """The VR of a tag; None of a private or unknown one. Of several possible ones the first."""
    return dictionary_VR(tag).partition(" ")[0] if dictionary_has_tag(tag) else None
