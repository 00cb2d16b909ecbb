"""A real slice in the transfer syntaxes that archives use, from ../shared/data."""

from pydicom import dcmread

from corpus.case import Case
from corpus.files import Files, pack
from corpus.real_file_cases import BAD

ENCODED = BAD / "transfer-syntaxes"

#: By transfer syntax: the real slice in this file, and how it compares with the uncompressed one.
SYNTAXES = {
    "implicit little endian": "LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2",
    "explicit little endian": "LittleEndianExplicitTransferSyntax_1.2.840.10008.1.2.1",
    "explicit big endian": "BigEndianExplicitTransferSyntax_1.2.840.10008.1.2.2",
    "deflated": "DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99",
    "RLE": "RLELosslessTransferSyntax_1.2.840.10008.1.2.5",
    "JPEG lossless (.57)": "JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57",
    "JPEG lossless (.70)": "JPEGProcess14SV1TransferSyntax_1.2.840.10008.1.2.4.70",
    "JPEG-LS (.80)": "JPEGLSLosslessTransferSyntax_1.2.840.10008.1.2.4.80",
    "JPEG 2000 (.90)": "JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90",
    "JPEG-LS near-lossless (.81)": "JPEGLSLossyTransferSyntax_1.2.840.10008.1.2.4.81",
    "JPEG 2000 lossy (.91)": "JPEG2000TransferSyntax_1.2.840.10008.1.2.4.91",
    "JPEG 8 bits (.50)": "JPEGProcess1TransferSyntax_1.2.840.10008.1.2.4.50",
    "JPEG 12 bits (.51)": "JPEGProcess2_4TransferSyntax_1.2.840.10008.1.2.4.51",
    "JPEG progressive (.53)": "JPEGProcess6_8TransferSyntax_1.2.840.10008.1.2.4.53",
    "JPEG progressive (.55)": "JPEGProcess10_12TransferSyntax_1.2.840.10008.1.2.4.55",
}


def stack_of(syntax: str) -> Files:
    """Three slices of 30 mm that all have the pixels of one file, as they are encoded."""
    series = []
    for number in range(3):
        dataset = dcmread(ENCODED / f"CTImage.dcm_{SYNTAXES[syntax]}.dcm")
        x, y, _ = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, 30 * number]
        dataset.SliceThickness = 30
        series.append(dataset)
    return pack(series)


def near(tolerance_hu: int):
    """Each slice is the uncompressed one within some HU, and differs if that is not 0."""

    def check(files, volume, scan):
        plain = dcmread(ENCODED / "CTImage.dcm")
        hu = (plain.pixel_array.astype(int) - 1024).clip(-1024, 3071)
        assert volume.hu.shape == (3, 512, 512)
        assert abs(volume.hu - hu).max() == tolerance_hu

    return check


def encoded(syntax: str, settings=None, **outcome) -> Case:
    return Case(
        f"three slices, a real one in {syntax}",
        lambda: stack_of(syntax),
        {"min_slices": 3, **(settings or {})},
        needs=(ENCODED,),
        **outcome,
    )


LOSSLESS = tuple(SYNTAXES)[:9]

CASES = [
    *(encoded(syntax, check=near(0)) for syntax in LOSSLESS),
    encoded(
        "JPEG-LS near-lossless (.81)",
        {"accept_derived": True},
        flags=("derived_image", "near_lossless"),
        check=near(1),
    ),
    encoded(
        "JPEG 2000 lossy (.91)",
        {"accept_derived": True},
        flags=("derived_image", "lossy_jpeg2000"),
        check=near(5),
    ),
    *(
        encoded(
            syntax,
            {"accept_derived": True},
            refused=(
                "UnsupportedEncoding",
                "ct/001.dcm is encoded as JPEG …, which can't be trusted to keep HU; supply the "
                "lossless original",
            ),
        )
        for syntax in tuple(SYNTAXES)[11:]
    ),
]
