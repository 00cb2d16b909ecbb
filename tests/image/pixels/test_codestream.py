"""The markers of encoded frames: sizes, losses, and whether the stream is whole."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from encoded import (
    HTJ2K_IRREVERSIBLE,
    HTJ2K_REVERSIBLE,
    JPEG_LOSSLESS,
    frame_of,
    image,
    jpeg_2000_stream,
    jpeg_ls_stream,
    lossless_jpeg,
)
from lungprep.image.pixels.codestream import JPEG_LS, LOSSLESS_HUFFMAN, Codestream, read_jpeg
from lungprep.image.pixels.jpeg2000 import read_jpeg2000, unwrapped

REAL = Path(__file__).parents[4] / "shared" / "data" / "bad" / "transfer-syntaxes"
J2K = jpeg_2000_stream(image((32, 40)))
SOF = struct.pack(">BBHBHHB", 0xFF, 0xC3, 11, 16, 12, 16, 1)


def edited(stream, old, new):
    assert stream.count(old) == 1
    return stream.replace(old, new)


def segment(marker, content):
    return struct.pack(">HH", marker, len(content) + 2) + content


def inserted(stream, marker, content):
    """A marker segment before the first tile-part of a JPEG 2000 stream."""
    at = stream.index(b"\xff\x90")
    return stream[:at] + segment(marker, content) + stream[at:]


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (JPEG_LOSSLESS, Codestream(12, 16, 1, 16)),
        (lossless_jpeg(image((5, 7)) >> 4, precision=12), Codestream(5, 7, 1, 12)),
    ],
)
def test_jpeg_says_its_size(stream, found):
    assert read_jpeg(stream, LOSSLESS_HUFFMAN) == found


@pytest.mark.parametrize("near", [0, 1, 3, 7])
def test_jpeg_ls_says_how_near_it_comes(near):
    stream = jpeg_ls_stream(image((9, 11)), near=near)
    assert read_jpeg(stream, JPEG_LS) == Codestream(9, 11, 1, 16, near=near)


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        (J2K, Codestream(32, 40, 1, 16)),
        (jpeg_2000_stream(image((64, 32)), ratio=3), Codestream(64, 32, 1, 16, reversible=False)),
        (jpeg_2000_stream(image((32, 32)) >> 4, bits=12), Codestream(32, 32, 1, 12)),
        (
            jpeg_2000_stream(image((32, 32)).view(np.int16)),
            Codestream(32, 32, 1, 16, signed=True),
        ),
        (HTJ2K_REVERSIBLE, Codestream(12, 16, 1, 16)),
        (HTJ2K_IRREVERSIBLE, Codestream(12, 16, 1, 16, reversible=False)),
    ],
    ids=["plain", "lossy", "12 bits", "signed", "HT", "HT lossy"],
)
def test_jpeg_2000_says_its_size_and_filter(stream, found):
    assert read_jpeg2000(stream) == found


BEHIND = [b"", b"\0", b"\x5a", b"\xff", b"\xff\xd9", b"\0\0\0", b"\xff" * 3, bytes(range(100))]


@pytest.mark.parametrize("behind", BEHIND, ids=repr)
def test_what_lies_behind_the_end_is_no_part_of_a_stream(behind):
    """Exporters fill up frames of an odd length by what lies in their memory."""
    for stream, process in ((JPEG_LOSSLESS, LOSSLESS_HUFFMAN), (jpeg_ls_stream(image()), JPEG_LS)):
        assert read_jpeg(stream + behind, process).length == len(stream)
    for stream in (J2K, untold(J2K), HTJ2K_REVERSIBLE, HTJ2K_IRREVERSIBLE):
        assert read_jpeg2000(stream + behind).length == len(stream)


def untold(stream):
    """A JPEG 2000 stream whose last tile-part does not tell its length (Psot 0)."""
    at = stream.index(b"\xff\x90") + 6
    return stream[:at] + bytes(4) + stream[at + 4 :]


@given(st.integers(0, len(JPEG_LOSSLESS) - 1))
def test_no_start_of_a_jpeg_stream_passes_for_the_whole(stop):
    with pytest.raises((ValueError, struct.error, IndexError)):
        read_jpeg(JPEG_LOSSLESS[:stop], LOSSLESS_HUFFMAN)


@given(st.integers(0, len(J2K) - 1), st.sampled_from([b"", b"\xff\xd9"]))
def test_no_start_of_a_jpeg_2000_stream_passes_for_the_whole(stop, end):
    """Not even with an end marker put behind it."""
    if J2K[:stop] + end == J2K:
        end = b""
    with pytest.raises((ValueError, struct.error, IndexError)):
        read_jpeg2000(J2K[:stop] + end)


@pytest.mark.parametrize(
    ("stream", "process", "words"),
    [
        (b"\x89PNG", LOSSLESS_HUFFMAN, "not a JPEG stream"),
        (JPEG_LOSSLESS, JPEG_LS, "frame marker FFC3"),
        (edited(lossless_jpeg(image()), SOF[:2], b"\xff\xc1"), LOSSLESS_HUFFMAN, "marker FFC1"),
        (lossless_jpeg(image(), transform=2), LOSSLESS_HUFFMAN, "point transform"),
        (lossless_jpeg(image(), tables=SOF + b"\1\x11\0"), LOSSLESS_HUFFMAN, "frame marker FFC3"),
        (lossless_jpeg(image())[:-2], LOSSLESS_HUFFMAN, "truncated"),
        (lossless_jpeg(image())[:-1] + b"\xda", LOSSLESS_HUFFMAN, "truncated"),
        (lossless_jpeg(image()) * 2, LOSSLESS_HUFFMAN, "more than one image in a frame"),
        (jpeg_ls_stream(image()) * 2, JPEG_LS, "more than one image in a frame"),
        (b"\xff\xd8\xff\xd9\0\0\0\0", LOSSLESS_HUFFMAN, "truncated JPEG segment"),
        (b"\xff\xd8" + SOF + b"\1\x11\0", LOSSLESS_HUFFMAN, "without a scan"),
        (b"\xff\xd8" + segment(0xFFDA, bytes(6)), LOSSLESS_HUFFMAN, "without a frame"),
        (b"\xff\xd8" + segment(0xFFF8, b"\4\2\0\0"), JPEG_LS, "oversized image"),
    ],
)
def test_jpeg_streams_that_are_something_else(stream, process, words):
    with pytest.raises(ValueError, match=words):
        read_jpeg(stream, process)


def test_fill_bytes_before_markers_are_no_fault():
    stream = edited(lossless_jpeg(image()), SOF[:2], b"\xff\xff\xff\xc3")
    stream = stream[:-2] + b"\xff\xff\xd9"
    assert read_jpeg(stream, LOSSLESS_HUFFMAN) == Codestream(12, 16, 1, 16)


def test_a_component_by_the_irreversible_filter_makes_the_image_lossy():
    assert read_jpeg2000(inserted(J2K, 0xFF53, bytes([0, 0, 5, 4, 4, 0, 1]))).reversible
    assert not read_jpeg2000(inserted(J2K, 0xFF53, bytes([0, 0, 5, 4, 4, 0, 0]))).reversible


SIZE = struct.pack(">4L", 40, 32, 0, 0)


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (b"\xff\x4f\xff\x52", "not a JPEG 2000 stream"),
        (
            edited(J2K, SIZE + SIZE, SIZE + struct.pack(">4L", 1, 1, 0, 0)),
            "1 of 1280 JPEG",
        ),
        (edited(J2K, SIZE + SIZE, SIZE + struct.pack(">4L", 0, 32, 0, 0)), "of size 0"),
        (edited(J2K, SIZE + SIZE, SIZE[8:] + SIZE[:8] + SIZE), "of size 0"),
        (
            edited(J2K, SIZE + SIZE, struct.pack(">8L", 4000, 4000, 0, 0, 1, 1, 0, 0)),
            "4000 x 4000 tiles",
        ),
        (
            edited(J2K, SIZE + SIZE, SIZE + struct.pack(">4L", 20, 32, 0, 0)),
            "1 of 2 JPEG",
        ),
        (edited(J2K, b"\0\1\x0f\1\1", b"\0\1\x0f\2\1"), "components of several sizes"),
        (edited(J2K, b"\xff\x52\0\x0c\0\0\0\1", b"\xff\x52\0\x0c\0\0\xff\xff"), "65535 layers"),
        (J2K.replace(b"\xff\x52", b"\xff\x64"), "without its size or coding style"),
        (J2K * 2, "more than one image in a frame"),
        (J2K[:-202] + bytes(200) + J2K[-2:], "truncated"),
        (J2K[:-202] + b"\x5a" * 200 + J2K[-2:], "truncated"),
    ],
)
def test_jpeg_2000_streams_that_make_no_sense(stream, words):
    with pytest.raises(ValueError, match=words):
        read_jpeg2000(stream)


def box(kind, content):
    return struct.pack(">L4s", len(content) + 8, kind) + content


def test_a_codestream_is_taken_out_of_its_boxes():
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ")
    assert unwrapped(start + box(b"jp2c", J2K)) == J2K
    assert unwrapped(start + b"\0\0\0\0jp2c" + J2K) == J2K
    assert unwrapped(J2K) == J2K
    with pytest.raises(ValueError, match=r"a \.jp2 file without a codestream"):
        unwrapped(start)


@pytest.mark.skipif(not REAL.is_dir(), reason="the collection of real bad inputs is not here")
@pytest.mark.parametrize(
    ("syntax", "found"),
    [
        (".4.57", Codestream(512, 512, 1, 16)),
        (".4.70", Codestream(512, 512, 1, 16)),
        (".4.80", Codestream(512, 512, 1, 16)),
        (".4.81", Codestream(512, 512, 1, 16, near=1)),
        (".4.90", Codestream(512, 512, 1, 16, signed=True)),
        (".4.91", Codestream(512, 512, 1, 16, signed=True)),
    ],
)
def test_real_streams(syntax, found):
    (path,) = REAL.glob(f"*1.2.840.10008.1.2{syntax}.dcm")
    frame = frame_of(path.read_bytes()).rstrip(b"\0")
    if syntax in (".4.90", ".4.91"):
        assert read_jpeg2000(frame) == found
    else:
        process = JPEG_LS if syntax in (".4.80", ".4.81") else LOSSLESS_HUFFMAN
        assert read_jpeg(frame, process) == found
