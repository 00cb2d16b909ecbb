"""DICOM data sets to files and back, and a patient's files as a store."""

import io
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian

from lungprep.stores import Entry

Files = dict[str, bytes]
Series = list[Dataset]


class Patient:
    """Files in memory, in place of the patient's prefix in a store."""

    address = "s3://corpus/patient/"

    def __init__(self, files: Mapping[str, bytes]):
        self.files = dict(files)

    def entries(self, *, below=False):
        return [Entry(name, len(content), "") for name, content in sorted(self.files.items())]

    def read(self, key, expected=None):
        return self.files[key]


def read(content: bytes) -> Dataset:
    """Parse one file."""
    return dcmread(io.BytesIO(content))


def write(dataset: Dataset) -> bytes:
    """One data set as a file in the transfer syntax of its meta information."""
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def pack(series: Iterable[Dataset], folder: str = "ct") -> Files:
    """Write a series, named in the order that it is given in."""
    return {f"{folder}/{number:03d}.dcm": write(d) for number, d in enumerate(series, 1)}


def unpack(files: Mapping[str, bytes]) -> Series:
    """Parse all files that are DICOM."""
    return [read(content) for content in files.values() if content[128:132] == b"DICM"]


def stored(dataset: Dataset) -> NDArray[np.int16] | NDArray[np.uint16]:
    """Stored values (rows, columns) of a little endian uncompressed data set; a copy."""
    kind = "<i2" if dataset.PixelRepresentation else "<u2"
    return np.frombuffer(dataset.PixelData, kind).reshape(dataset.Rows, dataset.Columns).copy()


def store(dataset: Dataset, values: NDArray[np.integer], bits: int = 16) -> None:
    """Put 16-bit values, (rows, columns), into a data set; their dtype decides on the sign."""
    dataset.Rows, dataset.Columns = values.shape
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, bits, bits - 1
    dataset.add_new("PixelData", "OW", values.astype(values.dtype.newbyteorder("<")).tobytes())


def encode(dataset: Dataset, syntax: str, **options) -> None:
    """Change the transfer syntax of an uncompressed little endian data set in place."""
    syntax = UID(syntax)
    if syntax.is_encapsulated:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(syntax, generate_instance_uid=False, **options)
        return
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    # pydicom refuses to write a data set in another encoding than that it was read in.
    plain = Dataset()
    plain.update(dataset)
    plain.file_meta = dataset.file_meta
    plain.file_meta.TransferSyntaxUID = syntax
    dataset.__dict__.update(plain.__dict__)
