"""Read the required elements of a DICOM file (PS3.10 7; PS3.5 7 and A)."""

import logging
import struct
import warnings
import zlib
from collections.abc import Iterator
from io import SEEK_CUR, BytesIO
from typing import Any

import pydicom.config
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.errors import BytesLengthException
from pydicom.filereader import data_element_generator
from pydicom.tag import BaseTag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from lungprep.image.dicom.bounds import Metered, check_value
from lungprep.image.dicom.representations import with_known_vr

# If a value breaks the rules of its VR or character set, pydicom warns and quotes it, which would
# write a name to the job's log. lungprep checks each value where it uses it.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
warnings.filterwarnings("ignore", module=r"pydicom\.")

# Errors that pydicom and its decoders raise on broken files; found by truncating files and flipping
# bytes.
BROKEN = (
    ArithmeticError,
    AttributeError,
    BytesLengthException,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    struct.error,
    TypeError,
    ValueError,
    zlib.error,
)

Element = DataElement | RawDataElement
Elements = dict[BaseTag, Element]
Tags = list[BaseTag | int]

PREFIX = slice(128, 132)
CHARACTER_SET = 0x00080005
PIXEL_DATA = 0x7FE00010
UNDEFINED_LENGTH = 0xFFFFFFFF
# Transfer syntax of a file without TransferSyntaxUID; the key says whether its VRs are implicit.
NATIVE = {True: ImplicitVRLittleEndian, False: ExplicitVRLittleEndian}
GROUP_1 = 0x00010000
# pydicom defers longer values; they are then sliced from the content, so pixel data is not copied.
COPIED_BYTES = 1 << 16
# A deflated data set is inflated up to this size without further checks; every header is far
# smaller. A larger one holds frames, and frames have noise, which does not deflate to less than
# 1/MOST_DEFLATED. Only constant data deflates to a thousandth.
TRUSTED_BYTES = 16 << 20
MOST_DEFLATED = 100
# No CT object is larger: 4,000 slices of 512 x 512 pixels.
LARGEST_BYTES = 2 << 30


class BrokenFile(Exception):
    """The elements of a file are truncated or invalid.

    Attributes
    ----------
    dataset : pydicom.Dataset
        Elements that were read before the fault.
    """

    def __init__(self, reason: str, dataset: Dataset) -> None:
        super().__init__(reason)
        self.dataset = dataset


def is_dicom(content: bytes) -> bool:
    """Whether a file starts with a preamble of 128 bytes and the prefix DICM (PS3.10 7.1)."""
    return content[PREFIX] == b"DICM"


def parse(content: bytes, tags: Tags, start: int = PREFIX.stop) -> Dataset:
    """Read some elements of a DICOM file.

    Parameters
    ----------
    content : bytes
        The whole file.
    tags : list of int
        Tags to read; all other elements are skipped.
    start : int
        Offset of the first element: 0 in a file without preamble and prefix.

    Returns
    -------
    Dataset
        Elements, with `file_meta`. A value is converted on first access. PixelData of defined
        length is a memoryview that keeps the content alive. SpecificCharacterSet is ignored: text
        is read as Latin-1, in which every byte is valid.

    Raises
    ------
    BrokenFile
        If the elements are truncated or invalid.
    """
    meta: Elements = {}
    body: Elements = {}
    encoding, whole, syntax = (True, True), True, ""
    failure: Exception | None = None
    stream = Metered(content)
    stream.seek(start)
    try:
        # Group 2 is always explicit little endian.
        for element in data_element_generator(stream, False, True, stop_when=_is_behind_meta):
            meta[element.tag] = element
        syntax = str(FileMetaDataset(meta).get("TransferSyntaxUID", ""))
        if syntax == DeflatedExplicitVRLittleEndian:
            content, whole = inflate(stream.read())
            stream = Metered(content)
        encoding = _is_implicit(stream, syntax), syntax != ExplicitVRBigEndian
        for element in _elements(stream, content, encoding, tags):
            body[element.tag] = element
        if not whole:
            raise ValueError("the deflated data set is truncated or too long")
    except BROKEN as error:
        failure = error
    dataset = Dataset(body)
    dataset.set_original_encoding(*encoding, "iso8859")
    dataset.file_meta = FileMetaDataset(meta)
    if not syntax and _is_native(body.get(BaseTag(PIXEL_DATA))):
        dataset.file_meta.TransferSyntaxUID = NATIVE[encoding[0]]
    if failure is not None:
        # The text of the error may quote the value of a broken element, so it is left out.
        kind = type(failure)
        reason = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        raise BrokenFile(reason, dataset) from failure
    return dataset


def _is_native(pixels: Element | None) -> bool:
    """Whether pixel data is native (PS3.5 A.4): encapsulated data has undefined length."""
    return isinstance(pixels, RawDataElement) and pixels.length != UNDEFINED_LENGTH


def _is_behind_meta(tag: BaseTag, vr: str | None, length: int) -> bool:
    return tag.group != 2


def _is_implicit(stream: BytesIO, syntax: str) -> bool:
    """Whether VRs are implicit, by the first element: some files name the wrong transfer syntax."""
    start = stream.tell()
    vr = stream.read(6)[4:]
    stream.seek(start)
    return syntax == ImplicitVRLittleEndian if len(vr) < 2 else not (vr.isalpha() and vr.isupper())


def _elements(
    stream: BytesIO, content: bytes, encoding: tuple[bool, bool], tags: Tags
) -> Iterator[Element]:
    """Yield the requested elements up to the pixel data.

    The rest of a file is mostly padding and may be very long, so it is not read.

    Parameters
    ----------
    stream : BytesIO
        Stream of the content, positioned at the start of the data set.
    content : bytes
        The whole content.
    encoding : tuple of bool
        Whether VRs are implicit, and whether the byte order is little endian.
    tags : list of int
        Tags to read.

    Raises
    ------
    ValueError
        If an element of group 0 follows: a run of zeros would be read as a million elements.
    """
    implicit, little = encoding
    header = struct.Struct("<>"[not little] + ("HHL" if implicit else "HH2xH"))
    while True:
        for element in data_element_generator(
            stream,
            implicit,
            little,
            stop_when=_is_passed_over,
            defer_size=COPIED_BYTES,
            specific_tags=tags,
        ):
            check_value(element, stream)
            yield with_known_vr(_with_value(element, content))
            if element.tag == PIXEL_DATA:
                return
        start = stream.read(header.size)
        if len(start) < header.size:
            return
        group, number, length = header.unpack(start)
        if group << 16 | number != CHARACTER_SET:
            raise ValueError("an element of group 0")
        stream.seek(length, SEEK_CUR)


def _with_value(element: Element, content: bytes) -> Element:
    """Set the value of an element that pydicom deferred; a truncated value stays truncated."""
    if not isinstance(element, RawDataElement) or element.value is not None or not element.length:
        return element
    where = slice(element.value_tell, element.value_tell + element.length)
    is_view = element.tag == PIXEL_DATA and element.VR in (None, "OB", "OW")
    value: Any = memoryview(content)[where] if is_view else content[where]
    return element._replace(value=value)


def _is_passed_over(tag: BaseTag, vr: str | None, length: int) -> bool:
    """Whether to skip an element: SpecificCharacterSet, which pydicom quotes, or group 0."""
    return int(tag) == CHARACTER_SET or int(tag) < GROUP_1


def inflate(zipped: bytes) -> tuple[bytes, bool]:
    """Inflate a data set (PS3.5 A.5) up to the size that its header announces.

    Parameters
    ----------
    zipped : bytes
        A deflate stream without header (RFC 1951); bytes after its end are ignored.

    Returns
    -------
    inflated : bytes
        The data set; at most 16 MiB more than the pixels that the header announces.
    whole : bool
        Whether the data set is complete: false if the stream is truncated, or longer than the
        limit.

    Raises
    ------
    zlib.error
        If the bytes are not a deflate stream.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = stream.decompress(zipped, TRUSTED_BYTES)
    wanted = 0 if stream.eof else _pixel_bytes(inflated)
    if 0 < wanted <= min(LARGEST_BYTES, MOST_DEFLATED * len(zipped)):
        inflated += stream.decompress(stream.unconsumed_tail, wanted)
    return inflated, stream.eof


def _pixel_bytes(start: bytes) -> int:
    """Return the size of the pixels that the start of a data set announces, bytes.

    A deflated data set is always explicit little endian (PS3.5 A.5).
    """
    tags: Tags = [BaseTag(tag) for tag in (0x00280008, 0x00280010, 0x00280011, PIXEL_DATA)]
    header = Dataset({e.tag: e for e in _elements(BytesIO(start), start, (False, True), tags)})
    frames, rows, columns = (
        int(header.get(keyword) or 1) for keyword in ("NumberOfFrames", "Rows", "Columns")
    )
    return 2 * rows * columns * frames
