"""Bounds on the memory and time that parsing a header may take.

An object may hold anything that somebody uploaded. An empty item of a sequence takes 8 bytes in a
file and 1,300 bytes as a Python object; an empty element takes 8 and up to 400 bytes. Their number
and size are therefore limited to what real headers have, before pydicom makes objects of them.
"""

from io import BytesIO

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement

# A frame of an enhanced object has about 15 functional groups, or 2 kB, and takes 150 reads if
# their length is undefined. These limits allow more than 6,000 frames.
MOST_READS = 1_000_000
MOST_ITEMS = 200_000
SEQUENCE_BYTES = 16 << 20
# Texts and numbers: the largest length that an explicit VR of 16 bits can give (PS3.5 7.1.2).
VALUE_BYTES = 1 << 16
PIXEL_DATA = 0x7FE00010
ITEMS = (b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00")


class Metered(BytesIO):
    """A stream that fails after more reads than any real header takes.

    pydicom makes objects of every sequence of undefined length that it passes, even of those that
    were not requested. It reads at least once for each element and item.
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
    """Refuse a value that would become too many objects, before it is converted.

    Parameters
    ----------
    element : DataElement or RawDataElement
        Element, as pydicom's generator yields it.
    stream : BytesIO
        Stream that the element was read from, positioned at the end of its value.

    Raises
    ------
    ValueError
        If the value is larger, or holds more items at any depth, than any real header.
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
