"""Small files that would become many objects end as broken ones, and in little memory."""

import struct
import tracemalloc

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from lungprep.errors import UndecodablePixels
from lungprep.image.dicom import bounds
from lungprep.image.dicom.objects import read_object
from lungprep_demo.phantom import Scan, chest, slices
from lungprep_demo.phantom.enhanced import enhanced

SMALL = {"gap_mm": 60.0, "shape": (16, 16), "spacing_mm": (22.0, 22.0)}
UNDEFINED = 0xFFFFFFFF
END = struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
PIXELS = b"\xe0\x7f\x10\x00"
PER_FRAME, SPACING, PRIVATE = (0x5200, 0x9230), (0x0028, 0x0030), (0x4001, 0x0010)
MANY = 150_000


def plain(syntax):
    scan = Scan(**SMALL, count=1, transfer_syntax=syntax)
    return next(content for _, content in slices(chest(), scan))


def frames():
    return enhanced(chest(), Scan(**SMALL, count=3, transfer_syntax=ExplicitVRLittleEndian))[1]


def explicit(tag, vr, value, length=None):
    return struct.pack("<HH2s2xL", *tag, vr, len(value) if length is None else length) + value


def implicit(tag, value, length=None):
    return struct.pack("<HHL", *tag, len(value) if length is None else length) + value


def items(count):
    return struct.pack("<HHL", 0xFFFE, 0xE000, 0) * count


def unique(count):
    """Private elements without a value, each of another tag."""
    return b"".join(
        struct.pack("<HHL", 0x0029 + 2 * (i >> 16), i & 0xFFFF, 0) for i in range(count)
    )


def put(content, blob):
    """An object with something in it just before its pixels."""
    at = content.rindex(PIXELS)
    return content[:at] + blob + content[at:]


BOMBS = {
    "elements, explicit": lambda: put(
        plain(ExplicitVRLittleEndian), struct.pack("<HH2sH", *PRIVATE, b"LO", 0) * MANY
    ),
    "elements, implicit": lambda: put(plain(ImplicitVRLittleEndian), implicit(PRIVATE, b"") * MANY),
    "items that nobody asks for": lambda: put(
        plain(ExplicitVRLittleEndian), explicit(PRIVATE, b"SQ", items(MANY) + END, UNDEFINED)
    ),
    "items of frames": lambda: put(frames(), explicit(PER_FRAME, b"SQ", items(MANY))),
    "items of frames, undefined length": lambda: put(
        frames(), explicit(PER_FRAME, b"SQ", items(MANY) + END, UNDEFINED)
    ),
    "items within an item": lambda: put(
        frames(),
        explicit(
            PER_FRAME,
            b"SQ",
            struct.pack("<HHL", 0xFFFE, 0xE000, 12 + 8 * MANY)
            + explicit((0x0020, 0x9113), b"SQ", items(MANY)),
        ),
    ),
    "elements of an item": lambda: put(
        plain(ImplicitVRLittleEndian),
        implicit(PER_FRAME, items(1)[:4] + b"\xff" * 4 + unique(MANY) + END, UNDEFINED),
    ),
    "large item": lambda: put(
        frames(),
        explicit(PER_FRAME, b"SQ", items(1)[:4] + struct.pack("<L", 17 << 20) + bytes(17 << 20)),
    ),
    "a number that is a sequence": lambda: put(
        plain(ExplicitVRLittleEndian), explicit(SPACING, b"SQ", items(MANY))
    ),
    "numbers": lambda: put(plain(ImplicitVRLittleEndian), implicit(SPACING, b"1.5\\" * MANY)),
    "pixels that are a sequence": lambda: (
        plain(ExplicitVRLittleEndian).split(PIXELS)[0]
        + explicit((0x7FE0, 0x0010), b"SQ", items(MANY))
    ),
    "sequences in sequences": lambda: put(
        plain(ExplicitVRLittleEndian),
        (explicit(PRIVATE, b"SQ", b"", UNDEFINED) + items(1)[:4] + b"\xff" * 4) * MANY,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_header_of_too_much_is_broken_and_takes_little_memory(bomb, monkeypatch):
    # A tenth of what is allowed, for tracing makes it slow.
    monkeypatch.setattr(bounds, "MOST_READS", bounds.MOST_READS // 10)
    monkeypatch.setattr(bounds, "MOST_ITEMS", bounds.MOST_ITEMS // 10)
    content = BOMBS[bomb]()
    tracemalloc.start()
    with pytest.raises(UndecodablePixels, match=r"^1\.dcm is a broken DICOM file \("):
        read_object("1.dcm", content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(content) * 3 + (50 << 20)


def test_as_much_as_a_large_enhanced_object_has_is_read():
    """Items and reads of 4,000 frames with 15 functional groups each."""
    groups = items(1)[:4] + struct.pack("<L", 12 + 8) + explicit(PRIVATE, b"SQ", items(1))
    content = put(
        plain(ExplicitVRLittleEndian), explicit(PER_FRAME, b"SQ", groups * 30_000 + END, UNDEFINED)
    )
    (slice_,) = read_object("1.dcm", content)
    assert slice_.series_uid
