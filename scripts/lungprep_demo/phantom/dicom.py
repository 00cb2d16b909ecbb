"""Write a scanned phantom as the files of a DICOM CT series."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import format_number_as_ds

from lungprep.image.volume import Grid
from lungprep_demo.phantom.chest import Phantom
from lungprep_demo.phantom.scan import Scan

#: Identifying values of the (invented) patient; none of them may leave lungprep.
PHI = MappingProxyType(
    {
        "PatientName": "Phantomiak^Quirina",
        "PatientID": "PHI-4711-0815",
        "PatientBirthDate": "19520229",
        "PatientAddress": "17 Nowhere Lane, Atlantis",
        "AccessionNumber": "ACC9081726354",
        "InstitutionName": "St. Elsewhere Hospital",
        "ReferringPhysicianName": "Kilroy^Zebulon",
        "StudyDate": "20030718",
        "SeriesDate": "20030719",
        "AcquisitionDate": "20030720",
        "ContentDate": "20030721",
        "StudyTime": "031415.926",
        "StudyID": "STUDY-2718",
    }
)

_Value = TypeVar("_Value")


def stored(
    hu: NDArray[np.floating], slope: float = 1.0, intercept: float = -1024.0
) -> NDArray[np.floating]:
    """Pixel values that the rescale (PS3.3 C.11.1.1.2) turns into `hu`, rounded, not clipped."""
    values: NDArray[np.floating] = np.rint((hu - intercept) / slope)
    return values


def slices(phantom: Phantom, scan: Scan | None = None) -> Iterator[tuple[str, bytes]]:
    """Scan a phantom.

    Parameters
    ----------
    phantom : Phantom
        Patient to scan.
    scan : Scan, optional
        Geometry and encoding; by default 256×256 pixels, 2.5 mm, head first supine, signed.

    Yields
    ------
    name : str
        File name, ``1-001.dcm``, numbered as InstanceNumber.
    content : bytes
        DICOM file with preamble, one CT image. The order is that of the slice normal.
    """
    scan = Scan() if scan is None else scan
    for index, dataset in enumerate(images(phantom, scan)):
        yield f"1-{dataset.InstanceNumber:03d}.dcm", encode(dataset, scan, index)


def images(phantom: Phantom, scan: Scan) -> Iterator[Dataset]:
    """CT images of a scan along the slice normal, not encoded yet: little endian pixels."""
    grid = scan.grid(phantom)
    outside = ~scan.field()
    for index, number in enumerate(scan.instance_numbers(grid.shape[0])):
        where = _slice_grid(grid, scan, index)
        hu, _ = next(phantom.planes(where))
        dataset = _header(scan, where, index, number)
        _set_pixels(dataset, _noisy(hu, scan, index), outside, _at(scan.padding, index))
        yield dataset


def _at(value: _Value | Callable[[int], _Value], index: int) -> _Value:
    return value(index) if callable(value) else value


def _slice_grid(grid: Grid, scan: Scan, index: int) -> Grid:
    x, y, z = (
        a + b for a, b in zip(grid.position_mm((index, 0, 0)), scan.offset_mm(index), strict=True)
    )
    return replace(grid, shape=(1, *scan.shape), origin_mm=(x, y, z))


def _noisy(hu: NDArray[np.float32], scan: Scan, index: int) -> NDArray[np.float32]:
    if not scan.noise_hu:
        return hu
    random = np.random.default_rng([scan.seed, index])
    return hu + np.float32(scan.noise_hu) * random.standard_normal(hu.shape, dtype=np.float32)


def _header(scan: Scan, where: Grid, index: int, number: int) -> Dataset:
    """Header of one CT image: all elements but the pixels and those that depend on them."""
    uid = {
        level: generate_uid(entropy_srcs=["lungprep", str(scan.seed), level])
        for level in ("study", "series", "frame", f"image {index}")
    }
    dataset = Dataset()
    for keyword, value in PHI.items():
        setattr(dataset, keyword, value)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = uid[f"image {index}"]
    dataset.StudyInstanceUID = uid["study"]
    dataset.SeriesInstanceUID = uid["series"]
    dataset.FrameOfReferenceUID = uid["frame"]
    dataset.Modality = "CT"
    dataset.Manufacturer = "lungprep phantom"
    dataset.BodyPartExamined = "CHEST"
    dataset.KVP = "120"
    dataset.ConvolutionKernel = "STANDARD"
    dataset.PatientPosition = scan.position_name
    dataset.SeriesNumber = 4
    dataset.InstanceNumber = number
    dataset.SliceThickness = format_number_as_ds(float(scan.gap_mm))
    dataset.ImagePositionPatient = [format_number_as_ds(v) for v in where.origin_mm]
    dataset.ImageOrientationPatient = [format_number_as_ds(float(v)) for v in scan.cosines.ravel()]
    normal = np.array(where.direction)[:, 2]
    dataset.SliceLocation = format_number_as_ds(float(normal @ where.origin_mm))
    dataset.PixelSpacing = [format_number_as_ds(float(v)) for v in scan.spacing_mm]
    dataset.RescaleSlope = format_number_as_ds(float(_at(scan.slope, index)))
    dataset.RescaleIntercept = format_number_as_ds(float(_at(scan.intercept, index)))
    dataset.RescaleType = "HU"
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = scan.shape
    dataset.BitsAllocated = 16
    dataset.BitsStored = scan.bits_stored
    dataset.HighBit = scan.bits_stored - 1
    dataset.PixelRepresentation = int(_at(scan.signed, index))
    return dataset


def _set_pixels(
    dataset: Dataset,
    hu: NDArray[np.float32],
    outside: NDArray[np.bool_],
    padding: int | None,
) -> None:
    """Store HU as little endian pixel data, clipped to the bits and padded outside the circle."""
    signed = bool(dataset.PixelRepresentation)
    lowest = -(2 ** (dataset.BitsStored - 1)) if signed else 0
    values = stored(hu, dataset.RescaleSlope, dataset.RescaleIntercept)
    values = values.clip(lowest, lowest + 2**dataset.BitsStored - 1)
    if padding is not None:
        values[outside] = padding
        dataset.add_new("PixelPaddingValue", "SS" if signed else "US", padding)
    dataset.add_new("PixelData", "OW", values.astype("<i2" if signed else "<u2").tobytes())


def encode(dataset: Dataset, scan: Scan, index: int) -> bytes:
    """Write an image as a file in the scan's transfer syntax, after applying the scan's `edit`."""
    syntax = UID(scan.transfer_syntax)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = (
        ExplicitVRLittleEndian if syntax.is_encapsulated else syntax
    )
    if syntax.is_encapsulated:
        dataset.compress(syntax, generate_instance_uid=False)
    elif not syntax.is_little_endian:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    if scan.edit is not None:
        scan.edit(dataset, index)
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()
