"""No text of a DICOM header leaves it, whatever tag it stands in: a whole run, byte by byte."""

import json
import re
import struct
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from html import escape

import pytest
from pydicom import config, datadict
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from lungprep.image.dicom.slices import HEADER
from lungprep_demo.phantom import PHI, chest, slices
from workflow.conftest import COARSE, three

TEXT = {"PN", "LO", "SH", "LT", "ST", "UT", "UC", "AE", "CS", "AS"}
DATES = {"DA", "DT", "TM"}
NUMBERS = {"DS", "IS"}
#: In each text; in tags of dates, of times, of numbers; with letters that JSON and HTML escape.
MARK, DATE, TIME, NUMBER = "kWvYxj", "18790314", "235948.271828", "731903174426"
UMLAUT = 'Jürgen "Zoë" <Ångström>'
LATIN, NO_CHARSET = "ISO_IR 100", "kWvYxj 100"
# What a sidecar may hold; of `acquisition`, the tags that are technical.
SIDECAR = {
    "patient", "version", "series_instance_uid", "requested_series_uid", "shape", "spacing_mm",
    "origin_mm", "direction", "affine", "crop", "source", "acquisition", "rejected_series",
    "recipe", "lungs", "values", "doubt", "flags", "flag_details", "stray_slices", "npy",
    "lungs_npy",
    "steps",
}  # fmt: skip
SOURCE = {"prefix", "objects", "bytes", "digest", "skipped"}
ACQUISITION = {
    "manufacturer", "model", "kernel", "kvp", "slice_thickness_mm", "patient_position",
    "image_type", "transfer_syntax", "shape", "spacing_mm", "set_aside",
}  # fmt: skip
# A text in these tags is what such a patient fails by, and is told of.
OUT_OF_PLACE = ("PixelSpacing", "RescaleSlope", "RescaleType", "PhotometricInterpretation")
FAILURE = {"patient", "step", "error", "text", "recipe", "source", "requested_series_uid"}
PNG_CHUNKS = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"sRGB", b"gAMA"}


def marker(tag: int) -> str:
    """A text of its own for each tag; 16 characters, as much as a short string may have."""
    return f"{MARK}{tag:08X}Qz"


def put(dataset: Dataset, tag: int, vr: str, value: object) -> None:
    """Set an element, valid or not."""
    dataset[tag] = DataElement(tag, vr, value, validation_mode=config.IGNORE)


@cache
def stuffing() -> Dataset:
    """Every tag of the dictionary that lungprep does not ask for, with a text in it.

    Texts are legal, or invalid for their VR, so that pydicom would warn and quote them.
    """
    dataset = Dataset()
    for number, entry in datadict.DicomDictionary.items():
        tag, vr, keyword = Tag(number), entry[0], entry[4]
        if tag.group < 8 or not keyword or keyword in HEADER or keyword.endswith("UID"):
            continue
        if keyword in PHI or tag.group in (0x0028, 0x7FE0) or keyword == "SpecificCharacterSet":
            continue
        if vr in TEXT:
            put(dataset, tag, vr, marker(tag))
        elif vr in DATES:
            put(dataset, tag, vr, {"DA": DATE, "TM": TIME, "DT": DATE + TIME}[vr])
        elif vr in NUMBERS:
            put(dataset, tag, vr, NUMBER)
    stuff_aside(dataset)
    return dataset


def stuff_aside(dataset: Dataset) -> None:
    """Private tags, sequences, an overlay's label, and values that are invalid."""
    dataset.private_block(0x0009, marker(0), create=True).add_new(1, "LO", marker(1))
    dataset.private_block(0x0021, "QUARTZ", create=True).add_new(2, "UT", marker(2))
    item = Dataset()
    item.PatientName = marker(3)
    item.private_block(0x0011, "QUARTZ", create=True).add_new(3, "PN", marker(4))
    inner = Dataset()
    inner.AccessionNumber = marker(5)
    item.ReferencedStudySequence = [inner]
    dataset.OriginalAttributesSequence = [item]
    dataset.RequestAttributesSequence = [item]
    put(dataset, 0x60001500, "LO", marker(6))
    put(dataset, 0x60000022, "LO", marker(7))
    put(dataset, 0x001021D0, "DA", marker(8))
    put(dataset, 0x00104000, "LT", UMLAUT)
    # Read by lungprep, but of no use: a UID, a number and times that are none.
    put(dataset, 0x00200052, "UI", marker(12))
    put(dataset, 0x00200013, "LO", marker(9))
    put(dataset, 0x00080032, "LO", marker(10))
    put(dataset, 0x00080033, "LO", marker(11))


def stuffed(
    syntax: str, secrets: set[str], count: int | None = None, text_in: int | None = None
) -> list[tuple[str, bytes]]:
    """A chest whose headers are full of texts; adds to the `secrets` what to look for.

    In implicit encoding the reader takes the VR from its dictionary, and finds values invalid.
    `text_in` is one more tag to put a text in.
    """

    def edit(dataset, index):
        dataset.update(stuffing())
        put(dataset, 0x00080005, "CS", LATIN)
        if text_in is not None:
            put(dataset, text_in, "LO", marker(text_in))
        # By which a hospital finds the patient; SeriesInstanceUID is the one that is published.
        secrets.update((str(dataset.StudyInstanceUID), str(dataset.SOPInstanceUID)))

    secrets.update((MARK, DATE, TIME, NUMBER, UMLAUT, *PHI.values()))
    return list(slices(chest(), replace(COARSE, transfer_syntax=syntax, count=count, edit=edit)))


def of_unknown_charset(content: bytes) -> bytes:
    return content.replace(LATIN.encode(), NO_CHARSET.encode())


def of_other_pixels(content: bytes) -> bytes:
    return content[:-2000] + bytes(2000)


def found_in(content: bytes, secrets: Iterable[str]) -> set[str]:
    """Which of the secrets stand in some bytes: as they are, in small letters, or escaped."""
    lower, found = content.lower(), set()
    for secret in secrets:
        escaped = (json.dumps(secret)[1:-1], escape(secret), repr(secret)[1:-1])
        encoded = {
            text.encode(charset).lower()
            for text in (secret, *escaped)
            for charset in ("utf-8", "latin-1", "utf-16-le")
        }
        # Eight digits in a row are also met within checksums and fractions.
        alone = rb"(?<![0-9a-f.])%b(?![0-9a-f])" if secret.isdigit() else rb"%b"
        if any(re.search(alone % re.escape(form), lower) for form in encoded):
            found.add(secret)
    return found


def png_chunks(content: bytes) -> set[bytes]:
    """Types of the chunks of a PNG file."""
    kinds, at = set(), 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kinds.add(content[at + 4 : at + 8])
        at += 12 + length
    return kinds


def everything(lab, output: str) -> dict[str, bytes]:
    """All that a run leaves: the target, the working directory with its logs, and its output."""
    left = {"output": output.encode()}
    left |= {f"target {e.key}": lab.target.read(e.key) for e in lab.target.entries(below=True)}
    files = [path for path in lab.folder.rglob("*") if path.is_file()]
    return left | {str(path.relative_to(lab.folder)): path.read_bytes() for path in files}


@cache
def patients() -> tuple[dict[str, list[tuple[str, bytes]]], frozenset[str]]:
    """Files of stuffed patients, by name, of whom two are sound, and all secrets in them."""
    found: set[str] = set()
    explicit = stuffed(ExplicitVRLittleEndian, found)
    implicit = [
        (name, of_unknown_charset(content))
        for name, content in stuffed(ImplicitVRLittleEndian, found)
    ]
    last, content = explicit[-1]
    files = {
        "sound": explicit,
        "implicit": implicit,
        "torn": [file for n, file in enumerate(implicit) if n != 20],
        "cut": [*explicit[:-1], (last, content[:-3000])],
        # Two images at one place: the times, which are none, are asked to tell them apart.
        "doubled": [*implicit, ("double.dcm", of_other_pixels(implicit[0][1]))],
        **{
            keyword: stuffed(ExplicitVRLittleEndian, found, 12, datadict.tag_for_keyword(keyword))
            for keyword in OUT_OF_PLACE
        },
    }
    return files, frozenset(found)


@pytest.fixture(scope="module")
def secrets():
    """What the stuffed patients' files hold, and nothing else may."""
    return patients()[1]


@pytest.mark.parametrize("treatment", ["fail", "quarantine"])
def test_nothing_of_the_header_but_technical_tags_is_left_anywhere(lab, secrets, treatment):
    for patient, files in patients()[0].items():
        lab.admit(patient, files)
    done = lab.run(on_bad_patient=treatment)
    failed = ("cut", "doubled", "torn", *OUT_OF_PLACE)
    quarantined = [f"{p}.failed.json" for p in failed] if treatment == "quarantine" else []
    assert lab.published() == sorted([*three("sound"), *three("implicit"), *quarantined])
    assert done.returncode == (0 if quarantined else 1), done.stdout
    assert "failed torn: 1 of 49 slices are missing" in done.stdout
    for patient in OUT_OF_PLACE:
        assert re.search(f"failed {patient}: 1-001.dcm .*; ", done.stdout)

    left = everything(lab, done.stdout)
    leaks = {name: f for name, content in left.items() if (f := found_in(content, secrets))}
    assert not leaks
    assert any(name.startswith("logs/load/") for name in left)
    assert any(name.startswith(".snakemake/") for name in left)
    pictures = [content for name, content in left.items() if name.endswith(".png")]
    assert len(pictures) == 2
    assert set.union(*map(png_chunks, pictures)) <= PNG_CHUNKS

    for patient in ("sound", "implicit"):
        sidecar = lab.sidecar(patient)
        assert set(sidecar) == SIDECAR
        assert set(sidecar["source"]) == SOURCE
        assert set(sidecar["acquisition"]) == ACQUISITION
    for key in quarantined:
        assert set(json.loads(lab.target.read(key))) == FAILURE


def test_the_search_finds_what_it_should(secrets):
    """Each way in which a header's text could get out is seen: the other test can fail."""
    text = marker(0x00100010)
    for content in (text, f"a{text.lower()}b", json.dumps({"k": text}), repr(UMLAUT)):
        assert found_in(content.encode(), secrets)
    assert found_in(json.dumps(UMLAUT).encode(), secrets) == {UMLAUT}
    assert found_in(f"born {DATE}".encode(), secrets) == {DATE}
    assert not found_in(b"1.25 mm, head first", secrets)
    sound = b"".join(content for _, content in patients()[0]["sound"])
    assert found_in(sound, secrets) == secrets
    assert sound.count(MARK.encode()) > 1000 * len(patients()[0]["sound"])
