"""Files that are broken, cut, absent or no DICOM; headers that lack what is needed."""

from collections.abc import Callable

from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from corpus import real
from corpus.case import Case
from corpus.defects import as_class, drop
from corpus.encoding_cases import name, recoded
from corpus.files import Files, encode, pack, read, write
from corpus.oracles import as_measured

ENCAPSULATED = (RLELossless, JPEGLSLossless, JPEG2000Lossless)
THIRD = "ct/003.dcm"


def with_third(change: Callable[[bytes], bytes], syntax: str = ImplicitVRLittleEndian) -> Files:
    """The scan, its third file changed."""
    files = recoded(real.series(), syntax)
    return files | {THIRD: change(files[THIRD])}


def third(change: Callable, syntax: str = ExplicitVRLittleEndian) -> Files:
    """The scan, the data set of its third file changed."""

    def edit(content):
        dataset = read(content)
        change(dataset)
        return write(dataset)

    return with_third(edit, syntax)


def lacking(keyword: str) -> Files:
    return third(lambda dataset: drop([dataset], keyword))


def cut_stream(dataset) -> None:
    """Nine tenths of the compressed stream, in an intact file."""
    frame = next(generate_frames(dataset.PixelData, number_of_frames=1))
    dataset.PixelData = encapsulate([frame[: len(frame) * 9 // 10]])


def cut_pixels(dataset) -> None:
    dataset.PixelData = dataset.PixelData[:1000]


def claim(rows: int, columns: int):
    def change(dataset):
        dataset.Rows, dataset.Columns = rows, columns

    return change


def all_claim(rows: int, columns: int, syntax: str = ExplicitVRLittleEndian) -> Files:
    """Headers that claim another size than the pixels have."""
    series = real.series()
    for dataset in series:
        encode(dataset, syntax)
        claim(rows, columns)(dataset)
    return pack(series)


def headless(content: bytes) -> bytes:
    """Data elements without preamble and file meta information, as ACR-NEMA."""
    dataset = read(content)
    bare = write(dataset)[132:]
    return bare[bare.index(b"\x08\x00") :]


def deflated_bomb(content: bytes) -> bytes:
    """A deflated data set followed by 40 MB of zeros, deflated to 40 kB."""
    dataset = read(content)
    dataset.add_new((0x0029, 0x0010), "LO", "corpus")
    dataset.add_new((0x0029, 0x1000), "OB", bytes(40_000_000))
    return write(dataset)


def in_system_folders(series: list[Dataset]) -> Files:
    """The scan, and slices that somebody threw away or a file server kept a copy of."""
    files = pack(series)
    for dataset in series:
        dataset.ImagePositionPatient[2] += 0.5
    folders = (".Trash-1000/files", ".snapshot/daily.0", "#recycle", "ct/@eaDir", "__MACOSX/ct")
    moved = {key.removeprefix("ct/"): content for key, content in pack(series).items()}
    return files | {f"{folder}/{key}": moved[key] for folder in folders for key in moved}


def beside_each_slice(files: Files) -> Files:
    """The scan as a Mac, Windows and a Synology server leave it."""
    names = [key.removeprefix("ct/") for key in files]
    doubles = {f"ct/._{name}": b"\0\x05\x16\x07" + bytes(4000) for name in names}
    thumbnails = {f"ct/{name}@SynoEAStream": b"thumbnail" for name in names}
    return files | doubles | thumbnails | {"ct/Thumbs.db": bytes(300), "desktop.ini": b"[x]"}


CASES = [
    Case(
        "nothing",
        dict,
        refused=("NoCTImages", "nothing lies under s3://corpus/patient/; check the prefix"),
    ),
    Case(
        "text and an empty file",
        lambda: {"LICENSE": b"words", "x": b""},
        refused=(
            "NoCTImages",
            "no CT image among 2 objects under s3://corpus/patient/ (2 not DICOM); check the "
            "prefix",
        ),
    ),
    Case(
        "text, an empty file and a .DS_Store beside the scan",
        lambda: pack(real.series()) | {"LICENSE": b"words", "empty": b"", ".DS_Store": bytes(300)},
        check=as_measured,
    ),
    Case(
        "other slices in the folders of a wastebasket, a snapshot and thumbnails",
        lambda: in_system_folders(real.series()),
        check=as_measured,
    ),
    Case(
        "AppleDouble files, Thumbs.db and thumbnails beside the scan",
        lambda: beside_each_slice(pack(real.series())),
        check=as_measured,
    ),
    Case(
        "segmentation and contours only",
        real.others,
        refused=(
            "NoCTImages",
            "no CT image among 5 objects under s3://corpus/patient/ (1 RTSTRUCT, 1 SEG, 3 "
            "not DICOM); check the prefix",
        ),
    ),
    Case(
        "secondary captures only",
        lambda: pack(as_class(real.series(), "1.2.840.10008.5.1.4.1.1.7")),
        refused=(
            "NoCTImages",
            "no CT image among 30 objects under s3://corpus/patient/ (30 secondary "
            "capture); check the prefix",
        ),
    ),
    Case(
        "an empty file among the slices",
        lambda: with_third(lambda c: b""),
        refused=(
            "UndecodablePixels",
            f"{THIRD} is empty, though named like a slice; upload it again",
        ),
    ),
    Case(
        "a file cut within its header",
        lambda: with_third(lambda c: c[:900]),
        refused=(
            "UndecodablePixels",
            "ct/003.dcm has no pixel data, ends within it, or is not encoded as its header "
            "says; export it again",
        ),
    ),
    *(
        Case(
            f"a file cut by 200 bytes, {name(syntax)}",
            lambda syntax=syntax: with_third(lambda c: c[:-200], syntax),
            refused=("UndecodablePixels", f"{THIRD} {found}; upload it again"),
        )
        for syntax, found in (
            (ImplicitVRLittleEndian, "has 32568 bytes of pixels where 128 x 128 need 32768"),
            (DeflatedExplicitVRLittleEndian, "is a broken DICOM file (ValueError)"),
            *((syntax, "is a broken DICOM file (EOFError)") for syntax in ENCAPSULATED),
        )
    ),
    *(
        Case(
            f"a stream cut within an intact file, {name(syntax)}",
            lambda syntax=syntax: third(cut_stream, syntax),
            refused=(
                "UndecodablePixels",
                f"{THIRD} can't be decoded: truncated {kind} data; upload it again",
            ),
        )
        for syntax, kind in zip(ENCAPSULATED, ("RLE", "JPEG", "JPEG 2000"), strict=True)
    ),
    *(
        Case(
            f"a stream of more rows than the header, {name(syntax)}",
            lambda syntax=syntax: all_claim(64, 128, syntax),
            refused=("UndecodablePixels", "ct/001.dcm can't be decoded: …; upload it again"),
        )
        for syntax in ENCAPSULATED
    ),
    Case(
        "a file without preamble and file header",
        lambda: with_third(headless),
        refused=(
            "UndecodablePixels",
            "ct/003.dcm starts with data elements in place of a DICOM file header; export it again",
        ),
    ),
    Case(
        "a file that is not DICOM, named like a slice",
        lambda: pack(real.series()) | {"ct/000.dcm": bytes(range(256)) * 40},
        refused=(
            "UndecodablePixels",
            "ct/000.dcm is not DICOM, though named like a slice; upload it again",
        ),
    ),
    Case(
        "no pixel data",
        lambda: lacking("PixelData"),
        refused=(
            "UndecodablePixels",
            "ct/003.dcm has no pixel data, ends within it, or is not encoded as its header "
            "says; export it again",
        ),
    ),
    Case(
        "pixel data too short",
        lambda: third(cut_pixels),
        refused=(
            "UndecodablePixels",
            "ct/003.dcm has 1000 bytes of pixels where 128 x 128 need 32768; upload it again",
        ),
    ),
    Case(
        "a header that claims 60000 x 60000 pixels",
        lambda: all_claim(60000, 60000),
        refused=(
            "SliceTooLarge",
            "ct/001.dcm announces 60000 x 60000 pixels, more than any CT scanner makes; "
            "upload it again",
        ),
    ),
    *(
        Case(
            f"a header that claims 60000 x 60000 pixels, {name(syntax)}",
            lambda syntax=syntax: all_claim(60000, 60000, syntax),
            refused=(
                "SliceTooLarge",
                "ct/001.dcm announces 60000 x 60000 pixels, more than any CT scanner makes; upload "
                "it again",
            ),
        )
        for syntax in ENCAPSULATED
    ),
    Case(
        "a deflated data set of 40 MB, 128 x 128 pixels of it",
        lambda: with_third(deflated_bomb, DeflatedExplicitVRLittleEndian),
        refused=(
            "UndecodablePixels",
            "ct/003.dcm is a broken DICOM file (ValueError); upload it again",
        ),
    ),
    *(
        Case(
            f"no {keyword} in one file",
            lambda keyword=keyword: lacking(keyword),
            refused=(
                "MissingTag",
                f"{THIRD} has no usable {keyword} (found None); export the series again with its "
                "geometry and rescale tags",
            ),
        )
        for keyword in (
            "ImagePositionPatient",
            "ImageOrientationPatient",
            "PixelSpacing",
            "RescaleSlope",
            "RescaleIntercept",
        )
    ),
    Case(
        "no PixelRepresentation, beside a PixelPaddingValue in implicit VR",
        lambda: pack(drop(real.series(), "PixelRepresentation")),
        refused=(
            "MissingTag",
            "ct/001.dcm has no usable PixelRepresentation (found None); export the series again "
            "with its geometry and rescale tags",
        ),
    ),
]
