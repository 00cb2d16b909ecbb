"""What an object is, and what its header says: right, typed, and never a word of the patient's."""

import logging
import random
import struct
import tracemalloc
import warnings
import zlib
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    MediaStorageDirectoryStorage,
    MRImageStorage,
    RLELossless,
    RTStructureSetStorage,
    SecondaryCaptureImageStorage,
)

from encoded import header, written
from lungprep import errors
from lungprep.image.dicom.irregular import SEQUENCE_END
from lungprep.image.dicom.kinds import NOT_DICOM, OTHER
from lungprep.image.dicom.objects import read_object
from lungprep.image.dicom.parsing import inflate
from lungprep.image.dicom.slices import HEADER
from lungprep.image.hounsfield.rescale import slice_hu
from lungprep_demo.phantom import PHI, Scan, chest, slices

REAL = Path(__file__).parents[4] / "shared" / "data" / "bad"


def phantom_file(**options):
    scan = Scan(**{"count": 1, "shape": (16, 20), **options})
    return next(content for _, content in slices(chest(), scan))


def body_start(content):
    return 144 + int.from_bytes(content[140:144], "little")


def test_a_ct_image_is_one_slice():
    (slice_,) = read_object("a/1.dcm", phantom_file())
    assert (slice_.key, slice_.frame, slice_.frames) == ("a/1.dcm", 0, 1)
    assert slice_.numbers("Rows", 1) + slice_.numbers("Columns", 1) == (16, 20)
    assert slice_.text("ImageType") == "ORIGINAL\\PRIMARY\\AXIAL"
    assert slice_.text("ConvolutionKernel") == "STANDARD"
    assert slice_.text("AcquisitionTime") == ""
    assert slice_.integer("InstanceNumber", 0) == 1
    assert slice_.integer("AcquisitionNumber", 7) == 7
    assert slice_.series_uid.startswith("1.2.826")


def test_only_tags_of_the_header_are_kept():
    (slice_,) = read_object("1.dcm", phantom_file())
    kept = {element.keyword for element in slice_.dataset} - {"PixelData"}
    assert kept <= set(HEADER)
    assert not kept & PHI.keys()


KINDS = [
    ({"SOPClassUID": MRImageStorage, "Modality": "MR"}, "MR"),
    ({"SOPClassUID": RTStructureSetStorage, "Modality": "RTSTRUCT"}, "RTSTRUCT"),
    ({"SOPClassUID": SecondaryCaptureImageStorage, "Modality": "CT"}, "secondary capture"),
    ({"SOPClassUID": SecondaryCaptureImageStorage + ".2", "Modality": "CT"}, "secondary capture"),
    ({"SOPClassUID": SecondaryCaptureImageStorage + "7", "Modality": "SEG"}, "SEG"),
    ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.66", "Modality": "CT"}, OTHER),
    ({"SOPClassUID": MRImageStorage, "Modality": "QUIRINA"}, OTHER),
    ({"SOPClassUID": MediaStorageDirectoryStorage, "Modality": None}, OTHER),
]


@pytest.mark.parametrize(("edits", "kind"), KINDS)
def test_what_is_no_ct_image_is_counted_by_kind(edits, kind):
    assert read_object("1.dcm", written(header(**edits))) == kind


@pytest.mark.parametrize("content", [b"", b"text", b"\0" * 500, b"DICM" * 32, b"PK" * 50])
def test_what_is_no_dicom_is_counted_as_such(content):
    assert read_object("LICENSE", content) == NOT_DICOM


@pytest.mark.parametrize(("modality", "expected"), [("CT", 1), ("MR", 2)])
def test_modality_decides_where_the_class_is_absent(modality, expected):
    dataset = header(Modality=modality)
    del dataset.SOPClassUID
    del dataset.file_meta.MediaStorageSOPClassUID
    assert len(read_object("1.dcm", written(dataset))) == expected


@pytest.mark.parametrize("stop", [135, 160, "in the header", "before the pixels"])
def test_a_file_that_breaks_off_is_an_error_by_key(stop):
    content = phantom_file()
    places = {"in the header": body_start(content) + 20, "before the pixels": -700}
    with pytest.raises(
        errors.UndecodablePixels, match=r"^1.dcm .*ends within.*; (upload|export) it again$"
    ):
        read_object("1.dcm", content[: places.get(stop, stop)])


def test_elements_without_a_file_header_are_an_error():
    content = phantom_file()
    with pytest.raises(errors.UndecodablePixels, match="starts with data elements in place of"):
        read_object("1.dcm", content[body_start(content) :])
    with pytest.raises(errors.UndecodablePixels, match="starts with data elements in place of"):
        read_object("1.dcm", content[132:])


@pytest.mark.parametrize(("edits", "kind"), KINDS)
@pytest.mark.parametrize("part", ["meta", "body"])
def test_what_is_no_ct_image_needs_no_file_header(edits, kind, part):
    """Contours and reports of old planning systems lack it, and are none of the slices."""
    content = written(header(**edits))
    start = 132 if part == "meta" else body_start(content)
    assert read_object("1.dcm", content[start:]) == kind


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_encoded_frames_need_no_delimiter_behind_them(syntax):
    """GDCM reads them; a truncated frame is refused, with a delimiter or without."""
    content = phantom_file(transfer_syntax=syntax, shape=(40, 36))
    assert content.endswith(SEQUENCE_END)
    assert stored(content[:-8]) == stored(content)
    for cut in (9, 12, 200):
        for end in (b"", SEQUENCE_END):
            with pytest.raises(
                errors.UndecodablePixels, match=r"ends within|truncated|is a broken"
            ):
                stored(content[:-cut] + end)


def test_a_broken_object_of_another_kind_is_no_error():
    content = written(header(SOPClassUID=MRImageStorage, Modality="MR"))
    assert read_object("1.dcm", content[:500]) in ("MR", OTHER)


def test_a_syntax_that_lies_about_the_vr_does_not_mislead():
    implicit = phantom_file(transfer_syntax=ImplicitVRLittleEndian)
    explicit = phantom_file()
    mixed = explicit[: body_start(explicit)] + implicit[body_start(implicit) :]
    (slice_,) = read_object("1.dcm", mixed)
    assert (slice_.text("Modality"), slice_.integer("Rows", 0)) == ("CT", 16)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"1.40625\\Quirina ", "text"),
        (b"1.4062515678901 ", r"\[1.4062515678901\]"),
        (b"nan\\nan         ", r"\[nan, nan\]"),
        (b"                ", "None"),
    ],
)
def test_numbers_that_are_none_name_the_tag_and_quote_no_text(value, found):
    content = phantom_file().replace(b"1.40625\\1.40625 ", value)
    (slice_,) = read_object("1.dcm", content)
    with pytest.raises(
        errors.MissingTag, match=rf"^1.dcm has no usable PixelSpacing .found {found}."
    ):
        slice_.numbers("PixelSpacing", 2)


def element(keyword, value, vr=None):
    """An explicit little endian element with a length of 2 bytes."""
    tag = tag_for_keyword(keyword)
    vr = (vr or dictionary_VR(keyword)).encode()
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def test_an_element_that_its_vr_does_not_allow_is_not_quoted():
    content = phantom_file()
    pixels = content.rindex(b"\xe0\x7f\x10\0")
    stuffed = content[:pixels] + element("Rows", b"Quirina") + content[pixels:]
    with pytest.raises(errors.UndecodablePixels) as caught:
        read_object("1.dcm", stuffed)
    assert (
        str(caught.value) == "1.dcm is a broken DICOM file (BytesLengthException); upload it again"
    )


def stored(content):
    (slice_,) = read_object("1.dcm", content)
    hu, flags = slice_hu(slice_)
    return slice_.numbers("PixelSpacing", 2), slice_.text("SeriesInstanceUID"), hu.tobytes(), flags


def with_element(keyword, old, new):
    """The phantom's file with an element, of `old` VR, replaced by these bytes."""
    content = phantom_file()
    tag = tag_for_keyword(keyword)
    start = content.index(struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, old))
    stop = start + 8 + int.from_bytes(content[start + 6 : start + 8], "little")
    return content[:start] + new(tag, content[start + 8 : stop]) + content[stop:]


def long(tag, vr, value):
    """An explicit element with a length of 4 bytes."""
    return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, len(value)) + value


def short(tag, vr, value):
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


SHORT_VRS = (b"LO", b"SH", b"CS", b"ST", b"LT", b"IS", b"PN", b"FD", b"FL", b"US", b"UL")


@pytest.mark.parametrize("keyword", ["PixelSpacing", "ImagePositionPatient", "RescaleIntercept"])
@pytest.mark.parametrize(
    "new",
    [
        *(lambda t, v, vr=vr: short(t, vr, v) for vr in SHORT_VRS),
        *(lambda t, v, vr=vr: long(t, vr, v) for vr in (b"UN", b"OB", b"OW", b"UT", b"OD")),
        lambda t, v: short(t, b"DS", v.strip() + b"\0\0"),
        lambda t, v: short(t, b"DS", v.replace(b"\\", b" \0\\ ")),
        lambda t, v: short(t, b"DS", v.strip() + b"\\ "),
        lambda t, v: short(t, b"UN", v),
        lambda t, v: short(t, b"OB", v),
        lambda t, v: long(t, b"DS", v),
    ],
)
def test_a_number_under_a_wrong_vr_or_oddly_padded_is_read(keyword, new):
    assert stored(with_element(keyword, b"DS", new)) == stored(phantom_file())


def test_true_binary_numbers_under_a_vr_of_their_own_are_read():
    def doubles(tag, value):
        return short(tag, b"FD", struct.pack("<2d", *map(float, value.split(b"\\"))))

    assert stored(with_element("PixelSpacing", b"DS", doubles)) == stored(phantom_file())


@pytest.mark.parametrize(("vr", "form"), [(b"SS", "<h"), (b"SL", "<l"), (b"FD", "<d")])
@pytest.mark.parametrize("intercept", [0, -1024])
def test_a_binary_intercept_is_a_number(vr, form, intercept):
    content = with_element(
        "RescaleIntercept", b"DS", lambda t, v: short(t, vr, struct.pack(form, intercept))
    )
    (slice_,) = read_object("1.dcm", content)
    assert slice_.numbers("RescaleIntercept", 1) == (intercept,)


@pytest.mark.parametrize("vr", [b"UN", b"OB", b"OW"])
@pytest.mark.parametrize("keyword", ["Rows", "BitsStored", "PixelRepresentation"])
def test_a_binary_number_as_bytes_is_read(keyword, vr):
    content = with_element(keyword, b"US", lambda t, v: long(t, vr, v))
    assert stored(content) == stored(phantom_file())


@pytest.mark.parametrize("comma", [b"1,40625\\1,40625 ", b"1.40625/1.40625 ", b"1.40625;1.40625 "])
def test_numbers_that_no_reader_agrees_on_are_an_error(comma):
    content = with_element("PixelSpacing", b"DS", lambda t, v: short(t, b"DS", comma))
    with pytest.raises(errors.MissingTag, match=r"no usable PixelSpacing \(found text\)"):
        stored(content)


VALUE = b"ABCDEFGHIJKLMNOPQRSTUVWX" * 3
ODD = [b"??", b"OX", b"ZZ", b"--", b"  ", b"xx", b"\0\0"]
LONGS = [b"UN", b"OB", b"OW", b"SQ", b"UT", b"UC", b"OF", b"OD", b"OV", b"SV"]


@pytest.mark.parametrize(
    "element",
    [
        *(long(0x00191001, vr, VALUE) for vr in [*ODD, *LONGS, b"LO"] if vr != b"SQ"),
        *(short(0x00191001, vr, VALUE) for vr in [*ODD, *LONGS, b"LO"]),
        short(0x00191001, b"LO", VALUE[:-1]),
        short(0x00191001, b"US", b"abc"),
        short(0x00191001, b"DS", b"no number "),
        struct.pack("<HHL", 0x19, 0x1001, len(VALUE)) + VALUE,
        short(0x00190000, b"UL", struct.pack("<L", 99)),
        long(0x00191001, b"??", VALUE)
        + short(0x00191002, b"!!", b"ab")
        + long(0x00191003, b"??", VALUE),
        # A sequence of unknown length in front of the odd one.
        struct.pack("<HH2sHL", 0x19, 0x1001, b"SQ", 0, 0xFFFFFFFF)
        + struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
        + struct.pack("<HH2sHL", 0x19, 0x1002, b"SQ", 0, 0xFFFFFFFF)
        + struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
        + short(0x00200011, b"IS", b"1 ")
        + struct.pack("<HHLHHL", 0xFFFE, 0xE00D, 0, 0xFFFE, 0xE0DD, 0)
        + long(0x00191003, b"??", VALUE),
    ],
)
@pytest.mark.parametrize("creator", [b"", short(0x00190010, b"LO", b"ACME")])
def test_private_elements_of_an_odd_vr_or_length_are_passed_over(element, creator):
    """GDCM reads unknown VRs with a length of 4 bytes, pydicom with one of 2."""
    content = phantom_file()
    at = content.index(b"\x20\0\x0d\0UI")
    assert stored(content[:at] + creator + element + content[at:]) == stored(content)


def test_values_padded_by_nul_mean_what_they_say():
    content = phantom_file().replace(b"(\0T\x10LO\x02\0HU", b"(\0T\x10LO\x04\0HU\0\0")
    assert b"HU\0\0" in content
    assert stored(content) == stored(phantom_file())


TEXT = [k for k in HEADER if dictionary_VR(k) in {"CS", "DS", "IS", "LO", "SH", "TM", "UI"}]


@pytest.mark.parametrize("keyword", ["SpecificCharacterSet", *TEXT])
def test_a_name_in_any_element_stays_where_it_is(keyword, caplog):
    """Neither pydicom's warnings and log nor an error quotes it."""
    content = phantom_file()
    first = keyword == "SpecificCharacterSet"
    at = body_start(content) if first else content.rindex(b"\xe0\x7f\x10\0")
    stuffed = content[:at] + element(keyword, b"Phantomiak^Quirina 19520229 ") + content[at:]
    said = []
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        try:
            found = read_object("1.dcm", stuffed)
            said.append(found if isinstance(found, str) else str(slice_hu(found[0])[1]))
        except errors.DataError as error:
            said.append(str(error))
    assert caught == []
    said += caplog.messages
    assert not any("Quirina" in text or "19520229" in text for text in said), said


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_padding_behind_the_pixels_is_not_read(syntax):
    (slice_,) = read_object("1.dcm", phantom_file(transfer_syntax=syntax) + bytes(64 << 20))
    assert len(slice_.dataset.PixelData) == 16 * 20 * 2


def test_a_hole_of_zeros_is_an_error_and_not_a_million_elements():
    content = phantom_file()
    at = content.rindex(b"\xe0\x7f\x10\0")
    with pytest.raises(errors.UndecodablePixels, match=r"is a broken DICOM file \(ValueError\)"):
        read_object("1.dcm", content[:at] + bytes(64 << 20) + content[at:])


def test_header_of_a_giant_is_refused_before_memory_is_taken():
    content = written(header(Rows=60000, Columns=60000))
    tracemalloc.start()
    with pytest.raises(errors.SliceTooLarge, match=r"^1.dcm announces 60000 x 60000 pixels, more"):
        read_object("1.dcm", content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def deflated(body):
    deflate = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return deflate.compress(body) + deflate.flush()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edits", "error"),
    [
        ({}, errors.UndecodablePixels),
        ({"Rows": 60000, "Columns": 60000}, errors.SliceTooLarge),
        ({"Rows": 8192, "Columns": 8192, "NumberOfFrames": 9000}, errors.UndecodablePixels),
        # 400 MiB that the header announces, of zeros.
        ({"Rows": 4096, "Columns": 4096, "NumberOfFrames": 13}, errors.UndecodablePixels),
    ],
)
def test_a_deflated_data_set_without_end_is_not_inflated(edits, error):
    """Its header is read, and then no more than the pixels that it announces."""
    content = phantom_file(transfer_syntax=DeflatedExplicitVRLittleEndian)
    start = body_start(content)
    plain = written(header(**edits))
    body = plain[body_start(plain) :]
    endless = content[:start] + deflated(body + bytes(400 << 20))
    tracemalloc.start()
    with pytest.raises(error, match=r"^1\.dcm "):
        read_object("1.dcm", endless)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20


@pytest.mark.slow
def test_a_large_deflated_data_set_that_its_header_accounts_for_is_inflated():
    pixels = random.Random(0).randbytes(1 << 16) * 512  # noqa: S311
    plain = written(header(shape=(12, 16), Rows=4096, Columns=4096, PixelData=pixels))
    body = plain[body_start(plain) :]
    assert inflate(deflated(body)) == (body, True)
    assert inflate(deflated(body)[:-9])[1] is False


def test_a_deflated_data_set_that_breaks_off_is_an_error():
    content = phantom_file(transfer_syntax=DeflatedExplicitVRLittleEndian)
    with pytest.raises(errors.UndecodablePixels, match=r"^1.dcm is a broken DICOM file"):
        read_object("1.dcm", content[:-30])


@pytest.mark.skipif(not REAL.is_dir(), reason="the collection of real bad inputs is not here")
@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("transfer-syntaxes/no-pixel-data.dcm", "SR"),
        ("transfer-syntaxes/no-pixel-spacing.dcm", "US"),
    ],
)
def test_real_objects_of_other_kinds(path, kind):
    assert read_object(path, (REAL / path).read_bytes()) == kind
