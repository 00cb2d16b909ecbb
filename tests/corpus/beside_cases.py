"""What is broken, packed or oddly written: beside a sound scan, or in place of one."""

import gzip
import io
import struct
import zipfile

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless

from corpus import real
from corpus.case import Case
from corpus.defects import as_instances, as_series, drop, localizer
from corpus.encoding_cases import in_one_of_single_frames, recoded
from corpus.file_cases import claim, cut_stream, headless
from corpus.files import Files, Series, encode, pack, read, write
from corpus.oracles import as_measured

ASIDE = ("broken_objects_set_aside",)


def sound() -> Files:
    return pack(real.series())


def explicit(series: Series) -> Series:
    for dataset in series:
        encode(dataset, ExplicitVRLittleEndian)
    return series


def scout(name: str = "", syntax: str = ExplicitVRLittleEndian) -> bytes:
    """A localizer, of the scan's series or of another."""
    dataset = localizer(as_instances(real.series(stop=1), "scout"))
    if name:
        as_series([dataset], name)
    encode(dataset, syntax)
    return write(dataset)


def changed(content: bytes, *changes) -> bytes:
    dataset = read(content)
    for change in changes:
        change(dataset)
    return write(dataset)


def without_pixels(dataset) -> None:
    drop([dataset], "PixelData")


def beside(content: bytes, key: str = "other/1.dcm") -> Files:
    return sound() | {key: content}


def bare(content: bytes) -> bytes:
    """Without preamble, prefix and file meta information."""
    at = 144 + int.from_bytes(content[140:144], "little")
    return content[at:]


def bare_others() -> Files:
    """The segmentation and the contours, as older planning systems write them."""
    return {
        f"bare/{key}": bare(content)
        for key, content in real.others().items()
        if content[128:132] == b"DICM"
    }


def cut_in_uid() -> bytes:
    """A slice of the scan that ends within its SeriesInstanceUID."""
    content = write(explicit(real.series(stop=1))[0])
    return content[: content.index(b"\x20\0\x0e\0UI") + 20]


def other_series() -> Series:
    """A thicker series of the same chest."""
    return as_series(real.series(every=16), "thick")


def other_broken(change) -> Files:
    """A series beside the scan, of which one object is broken."""
    files = pack(explicit(other_series()), "other")
    return sound() | files | {"other/003.dcm": change(files["other/003.dcm"])}


def other_undecodable() -> Files:
    files = recoded(other_series(), JPEG2000Lossless)
    return sound() | {
        key.replace("ct/", "other/"): changed(content, cut_stream) for key, content in files.items()
    }


def compressed() -> Files:
    return {f"{key}.gz": gzip.compress(content, 1) for key, content in sound().items()}


def some_compressed() -> Files:
    files = list(sound().items())
    return dict(files[:-2]) | {f"{key}.gz": gzip.compress(c, 1) for key, c in files[-2:]}


def in_a_zip() -> Files:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, content in sound().items():
            archive.writestr(key, content)
    return {"scan.zip": buffer.getvalue()}


def respelled(vr: bytes) -> Files:
    """PixelSpacing under another VR in every slice."""
    files = {}
    for key, content in pack(explicit(real.series())).items():
        at = content.index(b"\x28\0\x30\0DS")
        (length,) = struct.unpack_from("<H", content, at + 6)
        value = content[at + 8 : at + 8 + length]
        if vr == b"FD":
            value = struct.pack("<2d", *(float(v) for v in value.split(b"\\")))
        size = struct.pack("<H", len(value))
        if vr in (b"UN", b"OB"):
            size = struct.pack("<HL", 0, len(value))
        head = content[at : at + 4] + vr + size
        files[key] = content[:at] + head + value + content[at + 8 + length :]
    return files


def with_private(element: bytes) -> Files:
    """A private element in every slice, before the group of the geometry."""
    files = {}
    for key, content in pack(explicit(real.series())).items():
        at = content.index(b"\x20\0\x0d\0UI")
        files[key] = content[:at] + element + content[at:]
    return files


def whole_series_broken() -> Files:
    files = {key: content[:-200] for key, content in sound().items()}
    return files | {"other/1.dcm": scout("scout")}


VALUE = b"ABCDEFGH" * 5
PRIVATE = {
    "an unknown VR and a length of 4 bytes": struct.pack("<HH2sHL", 0x19, 0x1001, b"??", 0, 40),
    "an unknown VR and a length of 2 bytes": struct.pack("<HH2sH", 0x19, 0x1001, b"OX", 40),
    "VR UN and a length of 2 bytes": struct.pack("<HH2sH", 0x19, 0x1001, b"UN", 40),
    "no VR": struct.pack("<HHL", 0x19, 0x1001, 40),
}


def without_syntax(syntax: str) -> Files:
    """File headers that do not say how the data sets are encoded."""
    files = {}
    for key, content in recoded(real.series(), syntax).items():
        value = syntax.encode() + b"\0" * (len(syntax) % 2)
        element = b"\x02\x00\x10\x00UI" + len(value).to_bytes(2, "little") + value
        assert element in content
        # Another element of as many bytes: ImplementationVersionName.
        other = b"\x02\x00\x13\x00SH" + len(value).to_bytes(2, "little") + b"X" * len(value)
        files[key] = content.replace(element, other, 1)
    return files


CASES = [
    Case(
        "a segmentation and contours, without file header, beside the scan",
        lambda: sound() | bare_others(),
        check=as_measured,
    ),
    Case(
        "a localizer with truncated pixels beside the scan",
        lambda: beside(scout()[:-99]),
        check=as_measured,
    ),
    *(
        Case(f"{words} beside the scan", make, flags=ASIDE, check=as_measured)
        for words, make in (
            (
                "a truncated encoded localizer of the same series",
                lambda: beside(scout(syntax=JPEG2000Lossless)[:-99]),
            ),
            (
                "a localizer without pixel data",
                lambda: beside(changed(scout("scout"), without_pixels)),
            ),
            (
                "a localizer of 60000 x 60000 pixels",
                lambda: beside(changed(scout(), claim(60000, 60000))),
            ),
            ("a localizer without file header", lambda: beside(headless(scout()))),
            (
                "another series, one slice of which has no pixel data,",
                lambda: other_broken(lambda c: changed(c, without_pixels)),
            ),
            (
                "another series, one slice of which has 60000 x 60000 pixels,",
                lambda: other_broken(lambda c: changed(c, claim(60000, 60000))),
            ),
            ("another series, one slice of which has no file header,", lambda: other_broken(bare)),
            (
                "all slices of another series in one object of the plain CT class",
                lambda: (
                    sound()
                    | {
                        f"other/{key}": write(as_series([read(content)], "one")[0])
                        for key, content in in_one_of_single_frames().items()
                    }
                ),
            ),
        )
    ),
    Case(
        "another series that can't be decoded beside the scan",
        other_undecodable,
        check=as_measured,
    ),
    Case(
        "a slice that ends before its SeriesInstanceUID",
        lambda: beside(cut_in_uid()),
        refused=(
            "UndecodablePixels",
            "other/1.dcm has no pixel data, ends …; export it again",
        ),
    ),
    Case(
        "a series of truncated slices, beside a sound localizer",
        whole_series_broken,
        refused=("UndecodablePixels", "ct/001.dcm has …; upload it again"),
    ),
    Case(
        "gzipped slices",
        compressed,
        refused=(
            "NoCTImages",
            "no CT image among 30 objects under s3://corpus/patient/ (30 gzip files); unpack them",
        ),
    ),
    Case(
        "two of the slices gzipped",
        some_compressed,
        refused=(
            "UndecodablePixels",
            "ct/029.dcm.gz is packed (gzip), though named like a slice; unpack it",
        ),
    ),
    Case(
        "the scan in a .zip",
        in_a_zip,
        refused=(
            "NoCTImages",
            "no CT image among 1 objects under s3://corpus/patient/ (1 zip files); unpack them",
        ),
    ),
    *(
        Case(
            f"PixelSpacing under VR {vr.decode()}",
            lambda vr=vr: respelled(vr),
            check=as_measured,
        )
        for vr in (b"LO", b"UN", b"OB", b"FD")
    ),
    *(
        Case(
            f"private elements of {words}",
            lambda head=head: with_private(head + VALUE),
            check=as_measured,
        )
        for words, head in PRIVATE.items()
    ),
    *(
        Case(
            f"no TransferSyntaxUID, {words}",
            lambda syntax=syntax: without_syntax(syntax),
            check=as_measured,
        )
        for words, syntax in (
            ("implicit VR", ImplicitVRLittleEndian),
            ("explicit VR", ExplicitVRLittleEndian),
        )
    ),
]
