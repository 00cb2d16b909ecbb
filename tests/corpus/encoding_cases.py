"""Transfer syntaxes and pixel formats: lossless ones bit by bit, lossy ones within their bound."""

import io
from dataclasses import replace

import cv2
import numpy as np
from pydicom import dcmread
from pydicom.encaps import encapsulate
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
from corpus.files import Files, Series, encode, pack, stored
from corpus.oracles import as_measured, as_sampled
from corpus.phantoms import CHEST, SMALL, plain
from corpus.stored_value_cases import near, unsigned_12
from lungprep.phantom.enhanced import enhanced

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
