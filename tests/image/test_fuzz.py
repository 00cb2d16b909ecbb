"""Mangled objects of every encoding end in a designed error or a sound slice, and in no time.

Native decoders can crash, loop, or take all memory, so that a process of its own reads the inputs
and says which one it has at hand. An input follows from its number:
`python tests/image/test_fuzz.py N` reads input N alone.
"""

import random
import resource
import signal
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

INPUTS = 5000
MEMORY_BYTES = 1 << 30
SECONDS_PER_INPUT = 20
SECONDS = 300
ITEM = b"\xfe\xff\x00\xe0"
TESTS = Path(__file__).parents[1]
INTERESTING = [0, 1, 2, 7, 8, 127, 128, 255, 256, 4096, 32767, 32768, 65534, 65535]
LENGTHS = [0, 1, 2, 3, 16, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF]


@pytest.mark.slow
def test_mangled_objects_end_in_designed_errors():
    done = subprocess.run(
        [sys.executable, __file__], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    last = (done.stdout.splitlines() or ["none"])[-1]
    assert done.returncode == 0, (
        f"ended by {done.returncode} at input {last}: {done.stderr[-2000:]}"
    )
    assert last == f"{INPUTS} inputs"
    assert done.stderr == "", "warnings quote headers"


@pytest.fixture(scope="module")
def seeds():
    return dict(originals())


def test_the_originals_are_sound(seeds):
    from lungprep.image.dicom.objects import read_object
    from lungprep.image.hounsfield.rescale import slice_hu

    for name, content in seeds.items():
        slices = read_object(name, content)
        assert slices, name
        assert len({slice_hu(slice_)[0].tobytes() for slice_ in slices}) == len(slices), name


def originals():
    """One small file of every encoding."""
    from encoded import HTJ2K_REVERSIBLE, JPEG_LOSSLESS, encapsulated, image, lossless_jpeg
    from lungprep_demo.phantom import Scan, chest, slices
    from lungprep_demo.phantom.enhanced import enhanced

    small = {"gap_mm": 60.0, "shape": (16, 16), "spacing_mm": (22.0, 22.0), "noise_hu": 20.0}
    for syntax in (
        ImplicitVRLittleEndian,
        ExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
        RLELossless,
        JPEGLSLossless,
    ):
        scan = Scan(**small, count=1, padding=-2000, transfer_syntax=syntax)
        yield from ((f"{syntax.name}.dcm", content) for _, content in slices(chest(), scan))
    wide = Scan(**{**small, "shape": (32, 32)}, count=1, transfer_syntax=JPEG2000Lossless)
    yield from ((f"{JPEG2000Lossless.name}.dcm", content) for _, content in slices(chest(), wide))
    yield "jpeg-57.dcm", encapsulated(JPEG_LOSSLESS, JPEGLossless)
    yield "jpeg-70.dcm", encapsulated(lossless_jpeg(image()), JPEGLosslessSV1)
    yield "htj2k.dcm", encapsulated(HTJ2K_REVERSIBLE, HTJ2KLossless)
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless, JPEGLSLossless):
        scan = Scan(**small, count=3, transfer_syntax=syntax)
        yield f"enhanced {syntax.name}.dcm", enhanced(chest(), scan)[1]


def mangled(number, seeds):
    """Name and content of an input.

    Half of the encoded ones are changed within their frames only, which the headers then outlive; a
    deflated data set before or after it is deflated.
    """
    rng = random.Random(number)  # noqa: S311
    name, content = seeds[number % len(seeds)]
    changes = [flip, flip, cut, number_of_two, number_of_four, swap, repeat, blank]
    start, body = 0, bytearray(content)
    deflated = DeflatedExplicitVRLittleEndian.name in name and rng.random() < 0.7
    if deflated:
        start = 144 + struct.unpack_from("<L", content, 140)[0]
        body = bytearray(zlib.decompress(content[start:], -zlib.MAX_WBITS))
    elif ITEM in content[-5000:] and rng.random() < 0.5:
        start = content.rindex(ITEM) + 8
        body = body[start:]
        changes = [flip, flip, number_of_two, number_of_four, blank, exchange]
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        body = rng.choice(changes)(rng, body)
    if deflated:
        deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        body = deflate.compress(bytes(body)) + deflate.flush()
    return name, content[:start] + bytes(body)


def _place(rng, body, size=1):
    """Anywhere, but the start and the end, where the markers are, more often than elsewhere."""
    span = max(1, len(body) - size)
    low = rng.choice([0, 0, 0, int(span * 0.5), int(span * 0.9)])
    high = rng.choice([span, span, min(span, low + 100)])
    return rng.randrange(min(low, span - 1), max(high, low + 1))


def flip(rng, body):
    if body:
        body[_place(rng, body)] = rng.randrange(256)
    return body


def cut(rng, body):
    return body[: rng.randrange(len(body) + 1)] if rng.random() < 0.5 else body


def number_of_two(rng, body):
    return _written(rng, body, struct.pack(rng.choice("<>") + "H", rng.choice(INTERESTING)))


def number_of_four(rng, body):
    return _written(rng, body, struct.pack(rng.choice("<>") + "L", rng.choice(LENGTHS)))


def _written(rng, body, value):
    at = _place(rng, body, len(value))
    body[at : at + len(value)] = value
    return body


def swap(rng, body):
    """Give an element the tag of another: groups are sought that headers hold."""
    groups = [b"\x08\0", b"\x18\0", b"\x20\0", b"\x28\0", b"\xe0\x7f", b"\xfe\xff"]
    places = [i for group in groups for i in range(132, len(body) - 4) if body.startswith(group, i)]
    if len(places) > 1:
        a, b = rng.sample(places, 2)
        body[a : a + 4] = body[b : b + 4]
    return body


def repeat(rng, body):
    at, size = _place(rng, body), rng.randrange(1, 64)
    return body[: at + size] + body[at:]


def blank(rng, body):
    at, size = _place(rng, body), rng.randrange(1, 64)
    body[at : at + size] = bytes(len(body[at : at + size]))
    return body


def exchange(rng, body):
    """Two places of the same size, such as two marker segments."""
    size = rng.randrange(1, 32)
    a, b = (_place(rng, body, size) for _ in range(2))
    body[a : a + size], body[b : b + size] = body[b : b + size], body[a : a + size]
    return body


def read(name, content):
    """Read an input as a job does; None or what is wrong with the outcome."""
    from lungprep import errors
    from lungprep.image.dicom.objects import read_object
    from lungprep.image.hounsfield.rescale import slice_hu

    try:
        found = read_object(name, content)
        if isinstance(found, str):
            return None if len(found) < 18 else f"odd kind {found}"
        for slice_ in found[:3]:
            hu, flags = slice_hu(slice_)
            shape = (slice_.integer("Rows", 0), slice_.integer("Columns", 0))
            if hu.shape != shape or hu.dtype != np.int16 or hu.min() < -1024 or hu.max() > 3071:
                return f"unsound slice {hu.shape} {hu.dtype}"
            if not all(isinstance(value, int) and value > 0 for value in flags.values()):
                return f"odd flags {flags}"
    except errors.DataError as error:
        if name not in str(error) or "\n" in str(error):
            return f"odd message {error}"
    return None


def main(numbers):
    """Read inputs, saying which before each; memory and time are bounded by the system."""
    seeds = list(originals())
    for name, content in seeds:
        read(name, content)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for number in numbers:
        print(number, flush=True)  # noqa: T201
        signal.alarm(SECONDS_PER_INPUT)
        name, content = mangled(number, seeds)
        wrong = read(name, content)
        if wrong:
            raise SystemExit(f"{name}: {wrong}")
    signal.alarm(0)
    print(f"{INPUTS} inputs", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.path[:0] = [str(TESTS.parent / "scripts"), str(TESTS)]
    main([int(argument) for argument in sys.argv[1:]] or range(INPUTS))
