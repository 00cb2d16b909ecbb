"""Stored values: exact in every encoding, or refused before a decoder can do harm."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    MPEG2MPML,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from encoded import (
    HTJ2K_IRREVERSIBLE,
    HTJ2K_REVERSIBLE,
    JPEG_LOSSLESS,
    encapsulated,
    header,
    image,
    jpeg_2000_stream,
    jpeg_ls_stream,
    lossless_jpeg,
    written,
)
from lungprep import errors
from lungprep.image.dicom.objects import read_object
from lungprep.image.pixels.encapsulation import frame_spans
from lungprep.image.pixels.rle import decode_rle
from lungprep.image.pixels.stored import stored_pixels
from lungprep_demo.phantom import Scan, chest, slices

REAL = Path(__file__).parents[4] / "shared" / "data" / "bad" / "transfer-syntaxes"
needs_real_input = pytest.mark.skipif(
    not REAL.is_dir(), reason="the collection of real bad inputs is not here"
)
WIDE = {"Rows": 32, "Columns": 40}


def pixels_of(content):
    (slice_,) = read_object("1.dcm", content)
    return stored_pixels(slice_)


@pytest.mark.parametrize(
    "syntax",
    [
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
        JPEG2000Lossless,
    ],
    ids=lambda uid: uid.name,
)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [12, 16])
def test_what_pydicom_writes_is_read_exactly(syntax, signed, bits):
    options = {"count": 1, "shape": (40, 36), "bits_stored": bits, "signed": signed, "noise_hu": 9}
    options["intercept"] = 0.0 if signed else -1024.0
    plain, coded = (
        pixels_of(next(c for _, c in slices(chest(), Scan(**options, transfer_syntax=s))))
        for s in (ExplicitVRLittleEndian, syntax)
    )
    assert coded.dtype == (np.int16 if signed else np.uint16)
    np.testing.assert_array_equal(coded, plain)


@pytest.mark.parametrize(
    ("stream", "syntax", "shape"),
    [
        (JPEG_LOSSLESS, JPEGLossless, (12, 16)),
        (lossless_jpeg(image()), JPEGLosslessSV1, (12, 16)),
        (jpeg_ls_stream(image()), JPEGLSLossless, (12, 16)),
        (jpeg_ls_stream(image()), JPEGLSNearLossless, (12, 16)),
        (jpeg_2000_stream(image((32, 40))), JPEG2000Lossless, (32, 40)),
        (jpeg_2000_stream(image((32, 40))), JPEG2000, (32, 40)),
        (HTJ2K_REVERSIBLE, HTJ2KLossless, (12, 16)),
        (HTJ2K_REVERSIBLE, HTJ2KLosslessRPCL, (12, 16)),
        (HTJ2K_REVERSIBLE, HTJ2K, (12, 16)),
    ],
)
def test_lossless_streams_are_exact(stream, syntax, shape):
    rows, columns = shape
    content = encapsulated(stream, syntax, Rows=rows, Columns=columns)
    np.testing.assert_array_equal(pixels_of(content), image(shape))
    signed = encapsulated(stream, syntax, Rows=rows, Columns=columns, PixelRepresentation=1)
    np.testing.assert_array_equal(pixels_of(signed), image(shape).view(np.int16))


@pytest.mark.parametrize(
    ("stream", "syntax", "bound"),
    [
        (jpeg_ls_stream(image(), near=3), JPEGLSNearLossless, 3),
        (HTJ2K_IRREVERSIBLE, HTJ2K, 3),
    ],
)
def test_lossy_streams_are_near(stream, syntax, bound):
    off = np.abs(pixels_of(encapsulated(stream, syntax)).astype(int) - image())
    assert 0 < off.max() <= bound


def test_a_signed_jpeg_2000_stream_is_read_by_the_sign_of_the_header():
    values = (image((32, 40)) % 4096).astype(np.int16) - 2048
    content = encapsulated(
        jpeg_2000_stream(values, bits=12),
        JPEG2000Lossless,
        **WIDE,
        BitsStored=12,
        HighBit=11,
        PixelRepresentation=1,
    )
    np.testing.assert_array_equal(pixels_of(content), values)


@pytest.mark.parametrize("precision", [12, 13, 16])
@pytest.mark.parametrize("signed", [0, 1])
def test_a_stream_may_be_more_precise_than_the_bits_stored(precision, signed):
    """dcmtk encodes whole cells of 16 bits, of which 12 are stored."""
    values = image() % 4096
    content = encapsulated(
        lossless_jpeg(values, precision=precision),
        JPEGLosslessSV1,
        BitsStored=12,
        HighBit=11,
        PixelRepresentation=signed,
    )
    expected = values.astype(np.int16)
    if signed:
        expected[expected >= 2048] -= 4096
    np.testing.assert_array_equal(pixels_of(content), expected)


@given(
    cells=arrays(np.uint16, (3, 4)),
    layout=st.integers(1, 16).flatmap(
        lambda bits: st.tuples(st.just(bits), st.integers(bits - 1, 15))
    ),
    signed=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_only_the_stored_bits_count(cells, layout, signed):
    """Overlays lay in the bits above, and below, the stored ones (PS3.5 8.1.1)."""
    bits, high_bit = layout
    expected = []
    for cell in cells.ravel().tolist():
        value = (cell >> (high_bit + 1 - bits)) % 2**bits
        negative = signed and value >= 2 ** (bits - 1)
        expected.append(value - 2**bits if negative else value)
    dataset = header(
        (3, 4),
        BitsStored=bits,
        HighBit=high_bit,
        PixelRepresentation=int(signed),
        PixelData=cells.tobytes(),
    )
    assert pixels_of(written(dataset)).ravel().tolist() == expected


@pytest.mark.parametrize(
    ("syntax", "name"),
    [
        (JPEGBaseline8Bit, r"JPEG Baseline \(Process 1\) \(1.2.840.10008.1.2.4.50\)"),
        (JPEGExtended12Bit, r"JPEG Extended \(Process 2 and 4\) \(1.2.840.10008.1.2.4.51\)"),
        (MPEG2MPML, r"MPEG2 Main Profile / Main Level \(1.2.840.10008.1.2.4.100\)"),
        ("1.2.3.4.5", "an unknown transfer syntax"),
        ("Quirina^Phantomiak", "an unknown transfer syntax"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR UI:UserWarning")
def test_other_encodings_are_refused_by_name(syntax, name):
    with pytest.raises(
        errors.UnsupportedEncoding, match=rf"^1.dcm is encoded as {name}, which can't be trusted"
    ):
        pixels_of(encapsulated(JPEG_LOSSLESS, syntax))


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ({"SamplesPerPixel": 3}, "has SamplesPerPixel 3 where 1 is read; convert"),
        ({"BitsAllocated": 8}, "has BitsAllocated 8 where 16 is read; convert"),
        ({"NumberOfFrames": 2}, "has 2 frames, but its class is for single frames"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "is MONOCHROME1 where CT is MONOCHROME2"),
        ({"PhotometricInterpretation": "QUIRINA"}, "is of unknown colours where CT is MONO"),
        ({"HighBit": 16}, "has BitsStored 16 and HighBit 16; convert"),
        ({"BitsStored": 12, "HighBit": 10}, "has BitsStored 12 and HighBit 10; convert"),
        ({"BitsStored": 0, "HighBit": 0}, "has BitsStored 0 and HighBit 0; convert"),
    ],
)
def test_other_formats_are_refused(edits, words):
    with pytest.raises(errors.UnsupportedEncoding, match=f"^1.dcm {words}"):
        pixels_of(written(header(**edits)))


@pytest.mark.parametrize(
    "edits",
    [{"NumberOfFrames": 0}, {"NumberOfFrames": 1}, {"PhotometricInterpretation": "monochrome2"}],
)
def test_formats_that_are_written_oddly_are_read(edits):
    assert pixels_of(written(header(**edits))).shape == (12, 16)


def test_rows_that_are_absent_are_an_error():
    dataset = header()
    del dataset.Rows
    with pytest.raises(errors.MissingTag, match="has no usable Rows"):
        pixels_of(written(dataset))


@pytest.mark.parametrize(("extra", "sound"), [(-2, False), (2, True), (22, True), (24, False)])
def test_pixel_data_is_one_frame_with_at_most_some_padding(extra, sound):
    """A row more, and the header's rows, columns or frames are wrong."""
    dataset = header(PixelData=bytes(12 * 16 * 2 + extra))
    if sound:
        assert not pixels_of(written(dataset)).any()
    else:
        words = rf"has {384 + extra} bytes of pixels where 12 x 16 need 384; upload it again"
        with pytest.raises(errors.UndecodablePixels, match=words):
            pixels_of(written(dataset))


STREAMS = [
    (JPEG_LOSSLESS, JPEGLossless, {}),
    (lossless_jpeg(image()), JPEGLosslessSV1, {}),
    (jpeg_ls_stream(image()), JPEGLSLossless, {}),
    (jpeg_2000_stream(image((32, 40))), JPEG2000Lossless, WIDE),
    (HTJ2K_REVERSIBLE, HTJ2KLossless, {}),
]


@pytest.mark.parametrize(("stream", "syntax", "edits"), STREAMS)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Rows": 11}, r"\d+ x \d+ x 1 values of 16 bits where the header says 11 x"),
        ({"Columns": 200}, r"where the header says \d+ x 200 x 1 values of 16 bits"),
    ],
)
def test_a_stream_of_another_size_is_refused(stream, syntax, edits, change, words):
    with pytest.raises(errors.UndecodablePixels, match=rf"^1.dcm can't be decoded: .*{words}"):
        pixels_of(encapsulated(stream, syntax, **{**edits, **change}))


@pytest.mark.parametrize(("stream", "syntax", "edits"), STREAMS)
@pytest.mark.parametrize("behind", [b"\x5a", b"\xff", b"\0\0\0", b"\xff\xd9", b"\xff\xff\x5a"])
def test_what_lies_behind_a_stream_is_passed_over(stream, syntax, edits, behind):
    content = encapsulated(stream + behind, syntax, **edits)
    expected = image((edits.get("Rows", 12), edits.get("Columns", 16)))
    np.testing.assert_array_equal(pixels_of(content), expected)


@pytest.mark.parametrize("zeros", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("behind", [b"", b"\x5a"])
def test_zeros_before_the_end_of_jpeg_ls_are_passed_over(zeros, behind):
    """As in the sample MR1_JLSL of DICOM's working group 4 (team-charls/charls#437)."""
    stream = jpeg_ls_stream(image())
    filled = stream[:-2] + bytes(zeros) + stream[-2:] + behind
    np.testing.assert_array_equal(pixels_of(encapsulated(filled, JPEGLSLossless)), image())


def test_data_of_jpeg_ls_may_itself_end_in_zeros():
    """As many of them as the data has are kept."""
    random = np.random.default_rng(0)
    streams = (
        (values, jpeg_ls_stream(values))
        for values in (random.integers(0, 4096, (12, 16), np.uint16) for _ in range(2000))
    )
    values, stream = next(found for found in streams if found[1][-3] == 0)
    for zeros in (0, 1, 4):
        filled = stream[:-2] + bytes(zeros) + stream[-2:]
        np.testing.assert_array_equal(pixels_of(encapsulated(filled, JPEGLSLossless)), values)


def shallow(syntax, values, bits):
    """A stream of `values` with a precision of so many bits."""
    if syntax == JPEGLosslessSV1:
        return lossless_jpeg(values, precision=bits)
    if syntax == JPEGLSLossless:
        return jpeg_ls_stream(values, bits=bits)
    return jpeg_2000_stream(values, bits=bits)


def smooth(lowest, highest, shape=(32, 40)):
    """Values that grow steadily."""
    return np.linspace(lowest, highest, shape[0] * shape[1]).round().reshape(shape).astype(int)


SHALLOW = [JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless]


@pytest.mark.parametrize("syntax", SHALLOW)
@pytest.mark.parametrize(("bits", "stored"), [(7, 8), (8, 12), (11, 12), (12, 16), (15, 16)])
def test_a_stream_may_have_fewer_bits_than_the_header(syntax, bits, stored):
    """Encoders take only the bits that the values need (pydicom/pydicom#2265)."""
    values = (image((32, 40)) % 2**bits).astype(np.uint16)
    content = encapsulated(
        shallow(syntax, values, bits), syntax, **WIDE, BitsStored=stored, HighBit=stored - 1
    )
    np.testing.assert_array_equal(pixels_of(content), values)


@pytest.mark.parametrize("syntax", SHALLOW)
@pytest.mark.parametrize(("lowest", "highest"), [(-1000, 900), (0, 1023), (0, 2000), (-1024, -1)])
def test_signs_of_a_stream_of_fewer_bits_are_told_by_the_values(syntax, lowest, highest):
    values = smooth(lowest, highest)
    stream = shallow(syntax, (values % 2048).astype(np.uint16), 11)
    content = encapsulated(stream, syntax, **WIDE, BitsStored=12, HighBit=11, PixelRepresentation=1)
    if lowest == -1024:
        # All of them negative, or none: nothing crosses from one to the other.
        with pytest.raises(errors.UnsupportedEncoding, match="negative values can't be recognised"):
            pixels_of(content)
    else:
        np.testing.assert_array_equal(pixels_of(content), values)


@pytest.mark.parametrize("bits", [11, 12, 16])
def test_a_signed_stream_keeps_its_sign_under_a_header_of_more_bits(bits):
    values = smooth(-1000, 1000)
    stream = jpeg_2000_stream(values.astype(np.int16), bits=bits)
    edits = {**WIDE, "BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}
    np.testing.assert_array_equal(
        pixels_of(encapsulated(stream, JPEG2000Lossless, **edits)), values
    )


def test_a_signed_stream_under_an_unsigned_header_is_read_where_it_has_no_sign():
    edits = {**WIDE, "BitsStored": 12, "HighBit": 11}
    stream = jpeg_2000_stream(smooth(0, 2000).astype(np.int16), bits=12)
    np.testing.assert_array_equal(
        pixels_of(encapsulated(stream, JPEG2000Lossless, **edits)), smooth(0, 2000)
    )
    stream = jpeg_2000_stream(smooth(-1000, 1000).astype(np.int16), bits=12)
    words = (
        r"^1.dcm has signed values of 12 bits .* says unsigned ones of 12 bits, so that negative"
    )
    with pytest.raises(errors.UnsupportedEncoding, match=words):
        pixels_of(encapsulated(stream, JPEG2000Lossless, **edits))


@pytest.mark.parametrize(("stream", "syntax", "edits"), STREAMS)
@pytest.mark.parametrize("end", [b"", b"\xff\xd9", b"\0\0", b"\0\0\0\xff\xd9\x5a"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.97])
def test_a_stream_that_breaks_off_is_refused(stream, syntax, edits, share, end):
    """Even with an end put on again: decoders would invent the rest."""
    short = stream[: int(len(stream) * share)] + end
    with pytest.raises(errors.UndecodablePixels, match=r"^1.dcm can't be decoded: "):
        pixels_of(encapsulated(short, syntax, **edits))


@settings(max_examples=40, deadline=None)
@given(data=st.data(), predictor=st.integers(1, 7), precision=st.sampled_from([9, 12, 16]))
def test_a_lossless_jpeg_scan_is_whole_or_refused(data, predictor, precision):
    """By whatever predictor: cut anywhere by a byte or more and closed again, it is refused."""
    shape = data.draw(array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=6))
    values = data.draw(arrays(np.uint16, shape, elements=st.integers(0, 2**precision - 1)))
    stream = lossless_jpeg(values, predictor=predictor, precision=precision)
    header = {"Rows": shape[0], "Columns": shape[1]}
    header |= {"BitsStored": precision, "HighBit": precision - 1}
    np.testing.assert_array_equal(pixels_of(encapsulated(stream, JPEGLossless, **header)), values)
    start = stream.index(b"\xff\xda") + 10
    stop = data.draw(st.integers(start, len(stream) - 3))
    with pytest.raises(errors.UndecodablePixels, match=r"^1.dcm can't be decoded: "):
        pixels_of(encapsulated(stream[:stop] + b"\xff\xd9", JPEGLossless, **header))


@pytest.mark.parametrize("syntax", [JPEGLossless, JPEGLosslessSV1])
def test_lossy_jpeg_under_a_lossless_name_is_refused(syntax):
    stream = JPEG_LOSSLESS.replace(b"\xff\xc3", b"\xff\xc1")
    with pytest.raises(errors.UndecodablePixels, match="frame marker FFC1"):
        pixels_of(encapsulated(stream, syntax))


def giant(stream, old):
    assert stream.count(old) == 1
    return stream.replace(old, struct.pack(">HH", 60000, 60000))


@pytest.mark.parametrize(
    ("stream", "syntax"),
    [
        (giant(JPEG_LOSSLESS, struct.pack(">HH", 12, 16)), JPEGLossless),
        (giant(jpeg_ls_stream(image()), struct.pack(">HH", 12, 16)), JPEGLSLossless),
        (
            HTJ2K_REVERSIBLE.replace(
                struct.pack(">4L", 16, 12, 0, 0), struct.pack(">4L", 60000, 60000, 0, 0)
            ),
            HTJ2KLossless,
        ),
    ],
)
def test_a_stream_that_claims_to_be_a_giant_takes_no_memory(stream, syntax):
    content = encapsulated(stream, syntax)
    tracemalloc.start()
    with pytest.raises(errors.UndecodablePixels, match="60000 x 60000 x 1 values"):
        pixels_of(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@given(values=arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=9)))
def test_rle_is_undone(values):
    np.testing.assert_array_equal(decode_rle(rle(values), values.size), values.ravel())


def rle(values):
    """PS3.5 G, the slow way: runs where there are some, literals of one elsewhere."""
    planes = [bytes(v >> 8 for v in values.ravel().tolist())]
    planes.append(bytes(v & 255 for v in values.ravel().tolist()))
    return rle_frame(*(packed(plane) for plane in planes))


def packed(plane):
    out, i = b"", 0
    while i < len(plane):
        n = 1
        while n < 128 and plane[i : i + n + 1] == plane[i : i + 1] * (n + 1):
            n += 1
        out += bytes([257 - n if n > 1 else 0, plane[i]])
        i += n
    return out


def rle_frame(high, low):
    return struct.pack("<16L", 2, 64, 64 + len(high), *[0] * 13) + high + low


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"\2\0\0\0", "without a header"),
        (struct.pack("<16L", 1, 64, *[0] * 14), "of 1 segments where 16-bit values have 2"),
        (struct.pack("<16L", 2, 64, 20, *[0] * 13), "of 2 segments"),
        (rle_frame(b"\xf5\0", b""), "truncated"),
        (rle_frame(packed(bytes(12)), packed(bytes(11))), "truncated"),
        (rle_frame(packed(bytes(14)), packed(bytes(14))), "of more values than the header says"),
        (rle_frame(packed(bytes(range(13))), packed(bytes(12))), "of more values than the header"),
    ],
)
def test_rle_that_is_none_is_refused(frame, words):
    with pytest.raises(ValueError, match=words):
        decode_rle(frame, 12)


@pytest.mark.parametrize("filling", [b"", b"\0", b"\0\0\0", b"\x80"])
def test_rle_segments_may_be_filled_up(filling):
    plane = packed(bytes(range(12)))
    values = decode_rle(rle_frame(plane + filling, plane + filling), 12)
    assert values.tolist() == [257 * n for n in range(12)]


def test_rle_of_an_odd_number_may_hold_one_more():
    plane = packed(bytes(range(1, 10)))
    assert decode_rle(rle_frame(plane[:-2] + b"\1\x09\0", plane), 9)[-1] == 0x0909


def test_rle_without_end_is_decoded_no_further_than_the_slice():
    endless = rle_frame(b"\x81\1" * (4 << 20), b"\x81\2" * (4 << 20))
    content = encapsulated(endless, RLELossless)
    (slice_,) = read_object("1.dcm", content)
    tracemalloc.start()
    with pytest.raises(errors.UndecodablePixels, match="RLE data of more values than the header"):
        stored_pixels(slice_)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * len(content)


FRAMES = [b"abcd", b"efghij", b"kl"]


def fragments(*parts, table=()):
    table = struct.pack(f"<{len(table)}L", *table)
    items = [struct.pack("<HHL", 0xFFFE, 0xE000, len(part)) + part for part in (table, *parts)]
    return b"".join(items)


@pytest.mark.parametrize(
    ("data", "frames"),
    [
        (fragments(*FRAMES), 3),
        (fragments(b"ab", b"cd", b"efghij", b"kl", table=(0, 20, 34)), 3),
        (fragments(b"abcd", b"efghij", b"kl", table=(0, 12, 26)), 3),
        (encapsulate([f + b"  " for f in FRAMES]), 3),
    ],
)
def test_fragments_are_found_by_count_or_by_table(data, frames):
    found = [b"".join(data[a:b] for a, b in spans) for spans in frame_spans(data, frames)]
    assert [frame.strip() for frame in found] == FRAMES


def test_all_fragments_of_a_single_frame_are_joined():
    data = fragments(b"ab", b"cd", b"ef")
    assert b"".join(data[a:b] for a, b in frame_spans(data, 1)[0]) == b"abcdef"


@pytest.mark.parametrize(
    ("data", "frames", "words"),
    [
        (b"", 1, "no items of pixel data"),
        (
            b"\1\2\3\4\5\6\7\x08",
            1,
            "pixel data that is truncated or not in fragments",
        ),
        (fragments(), 1, "no encoded frame"),
        (
            fragments(b"abcd")[:-1],
            1,
            "pixel data that is truncated or not in fragments",
        ),
        (fragments(b"ab", b"cd"), 3, "2 fragments for 3 frames"),
        (fragments(b"ab", b"cd", b"ef", table=(0, 11)), 2, "3 fragments for 2 frames"),
        (fragments(b"ab", b"cd", b"ef", table=(10, 0)), 2, "3 fragments for 2 frames"),
    ],
)
def test_fragments_of_no_frame_are_an_error(data, frames, words):
    with pytest.raises(ValueError, match=words):
        frame_spans(data, frames)


@needs_real_input
def test_real_encodings_are_identical_or_near_or_refused():
    plain = pixels_of((REAL / "CTImage.dcm").read_bytes()).astype(int)
    outcomes = {}
    for path in sorted(REAL.glob("CTImage.dcm_*")):
        syntax = path.name.rpartition("1.2.840.10008.1.2")[2].removesuffix(".dcm")
        try:
            outcomes[syntax] = np.abs(pixels_of(path.read_bytes()) - plain).max()
        except errors.UnsupportedEncoding:
            outcomes[syntax] = "refused"
    identical = {"", ".1", ".2", ".1.99", ".5", ".4.57", ".4.70", ".4.80", ".4.90"}
    refused = {".4.50", ".4.51", ".4.53", ".4.55"}
    assert outcomes == {
        **dict.fromkeys(identical, 0),
        **dict.fromkeys(refused, "refused"),
        ".4.81": 1,
        ".4.91": 5,
    }
