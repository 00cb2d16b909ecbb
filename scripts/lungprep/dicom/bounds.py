"""Bounds on what parsing a header may cost: an object is whatever somebody uploaded.

A sequence of empty items takes 8 bytes an item in a file and 1,300 as objects; an empty element 8
and up to 400. So neither may be more than a real header has, before pydicom makes objects of them.
"""

from io import BytesIO

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement

# A frame of an enhanced object has some 15 functional groups, or 2 kB, and takes 150 reads where
# their length is undefined: these are enough for 6,000 frames and more.
MOST_READS = 1_000_000
MOST_ITEMS = 200_000
SEQUENCE_BYTES = 16 << 20
# Texts and numbers: as much as an explicit VR of 16 bits can tell (PS3.5 7.1.2).
VALUE_BYTES = 1 << 16
PIXEL_DATA = 0x7FE00010
ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")


class Metered(BytesIO):
    """A stream that ends its reader after more reads than any header takes.

    pydicom makes objects of each sequence of undefined length as it passes it, asked for or not,
    and reads at least once for each element and item.
    """

    _reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """See `io.BytesIO.read`.

        Raises
        ------
        ValueError
            After too many reads.
        """
        self._reads += 1
        if self._reads > MOST_READS:
            raise ValueError("too many elements")
        return super().read(size)


def check_value(element: DataElement | RawDataElement, stream: BytesIO) -> None:
    """Refuse a value that would be too many objects, before it is converted.

    Parameters
    ----------
    element : DataElement or RawDataElement
        As pydicom's generator yields it.
    stream : BytesIO
        That it was read from, and stands behind its value.

    Raises
    ------
    ValueError
        Where it is larger, or holds more items at any depth, than that of any real header.
    """
    tag = int(element.tag)
    in_dictionary = dictionary_VR(tag) if dictionary_has_tag(tag) else ""
    is_sequence = element.VR == "SQ" or in_dictionary == "SQ"
    if tag == PIXEL_DATA and not is_sequence:
        return
    start = element.value_tell if isinstance(element, RawDataElement) else element.file_tell
    size = stream.tell() - (start or 0)
    if size > (SEQUENCE_BYTES if is_sequence else VALUE_BYTES):
        raise ValueError("a value of too many bytes")
    if is_sequence:
        with stream.getbuffer() as content:
            value = bytes(content[start : stream.tell()])
        if sum(value.count(item) for item in ITEMS) > MOST_ITEMS:
            raise ValueError("a sequence of too many items")
