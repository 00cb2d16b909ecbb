"""Transfer syntaxes and pixel formats: lossless ones bit by bit, lossy ones within their bound."""

import io
from dataclasses import replace

import cv2
import jpeg_ls
import numpy as np
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from corpus import real
from corpus.case import Case
from corpus.defects import assign
from corpus.files import Files, Series, encode, pack, stored
from corpus.oracles import as_measured, as_sampled
from corpus.phantoms import CHEST, SMALL, plain
from corpus.stored_value_cases import near, unsigned_12
from lungprep_demo.phantom.enhanced import enhanced

LOSSLESS = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
    RLELossless,
    JPEGLSLossless,
    JPEG2000Lossless,
)


def recoded(series: Series, *syntaxes: str, **options) -> Files:
    """Other transfer syntaxes, from slice to slice in turn."""
    for number, dataset in enumerate(series):
        encode(dataset, syntaxes[number % len(syntaxes)], **options)
    return pack(series)


def padded(syntax: str, *behind: bytes) -> Files:
    """Frames with something behind their end, from slice to slice in turn."""
    series = unsigned_12(real.series())
    for number, dataset in enumerate(series):
        encode(dataset, syntax)
        frame = next(generate_frames(dataset.PixelData, number_of_frames=1)).rstrip(b"\0")
        # pydicom itself fills up a frame of odd length by 00, so that some get two bytes.
        dataset.PixelData = encapsulate([frame + behind[number % len(behind)]])
    return pack(series)


def shallow() -> Files:
    """JPEG-LS of as many bits as the values of each slice need, where BitsStored is 12."""
    series = unsigned_12(real.series())
    for dataset in series:
        frame = bytes(jpeg_ls.encode_array(stored(dataset)))
        dataset.file_meta.TransferSyntaxUID = JPEGLSLossless
        dataset.PixelData = encapsulate([frame])
        dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    return pack(series)


def once_lossy(syntax: str) -> Files:
    """What was compressed with loss before is now encoded without."""
    series = assign(real.series(), LossyImageCompression="01", LossyImageCompressionRatio="20")
    return recoded(series, syntax)


def in_one_of_single_frames() -> Files:
    """All slices in one object of the plain CT class, as SimpleITK writes a 3D image."""
    series = real.series()
    one = series[0]
    one.NumberOfFrames = len(series)
    one.PixelData = b"".join(dataset.PixelData for dataset in series)
    return pack([one])


def jpeg_8_bit() -> Files:
    """What a JPEG baseline archive makes of HU: the upper 8 bits, lossy."""
    series = unsigned_12(real.series())
    for dataset in series:
        _, stream = cv2.imencode(".jpg", (stored(dataset) >> 4).astype(np.uint8))
        dataset.PixelData = encapsulate([stream.tobytes()])
        dataset["PixelData"].VR = "OB"
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.RescaleSlope = "16"
        dataset.file_meta.TransferSyntaxUID = UID(JPEGBaseline8Bit)
        dataset.LossyImageCompression = "01"
    return pack(series)


def of_8_bits() -> Files:
    """Uncompressed, 8 bits allocated."""
    series = unsigned_12(real.series())
    for dataset in series:
        dataset.PixelData = (stored(dataset) >> 4).astype(np.uint8).tobytes()
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
        dataset.RescaleSlope = "16"
    return pack(series)


def in_one(syntax: str = ExplicitVRLittleEndian) -> Files:
    """The phantom's chest as one enhanced multi-frame object."""
    return dict([enhanced(CHEST, replace(SMALL, transfer_syntax=syntax))])


def as_single_frames(files, volume, scan):
    twins = [dcmread(io.BytesIO(content)) for content in plain().values()]
    expected = np.stack([twin.pixel_array.astype(int) - 1024 for twin in twins])
    np.testing.assert_array_equal(volume.hu, np.clip(expected, -1024, 3071))
    as_sampled(plain(), volume, scan)


def name(syntax: UID) -> str:
    return f"{syntax.name.partition(' (')[0]} ({syntax})"


CASES = [
    *(
        Case(
            f"{name(syntax)}, {words}",
            lambda syntax=syntax, change=change: recoded(change(real.series()), syntax),
            check=as_measured,
        )
        for syntax in LOSSLESS
        for words, change in (("16 bits signed", list), ("12 bits unsigned", unsigned_12))
    ),
    Case(
        "seven transfer syntaxes in one series",
        lambda: recoded(real.series(), *LOSSLESS),
        check=as_measured,
    ),
    Case(
        f"{name(JPEGLSNearLossless)}, off by up to 2",
        lambda: recoded(unsigned_12(real.series()), JPEGLSNearLossless, jls_error=2),
        flags=("near_lossless",),
        check=near(2),
    ),
    Case(
        f"{name(JPEG2000)}, 70 dB",
        lambda: recoded(unsigned_12(real.series()), JPEG2000, j2k_psnr=[70]),
        flags=("lossy_jpeg2000",),
        check=near(40),
    ),
    *(
        Case(
            f"{name(syntax)}, frames with odd bytes behind their end",
            lambda syntax=syntax: padded(syntax, b"\x5a", b"\xff", b"\0\0\0", b"\xff\xd9"),
            check=as_measured,
        )
        for syntax in (JPEGLSLossless, JPEG2000Lossless)
    ),
    Case(
        f"{name(JPEGLSLossless)}, fewer bits in a stream than BitsStored",
        shallow,
        check=as_measured,
    ),
    *(
        Case(
            f"{name(syntax)}, once compressed with loss",
            lambda syntax=syntax: once_lossy(syntax),
            flags=("lossy_history",),
            check=as_measured,
        )
        for syntax in (ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless)
    ),
    Case(
        "30 frames in one object of the plain CT class",
        in_one_of_single_frames,
        refused=(
            "UnsupportedEncoding",
            "ct/001.dcm has 30 frames, but its class is for single frames and gives one position "
            "only; write each slice as a separate object with its ImagePositionPatient",
        ),
    ),
    Case(
        f"{name(JPEGBaseline8Bit)}, 8 bits lossy",
        jpeg_8_bit,
        refused=(
            "UnsupportedEncoding",
            "ct/001.dcm is encoded as JPEG Baseline (Process 1) (1.2.840.10008.1.2.4.50), which "
            "can't be trusted to keep HU; supply the lossless original",
        ),
    ),
    Case(
        "8 bits, uncompressed",
        of_8_bits,
        refused=(
            "UnsupportedEncoding",
            "ct/001.dcm has BitsAllocated 8 where 16 is read; convert the series",
        ),
    ),
    Case("one enhanced multi-frame object", in_one, check=as_single_frames),
    Case(
        f"one enhanced multi-frame object, {name(JPEG2000Lossless)}",
        lambda: in_one(JPEG2000Lossless),
        check=as_single_frames,
    ),
]
