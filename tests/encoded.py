"""Encoded frames of a known image, for tests: where no library at hand writes them, as they are."""

import base64
import struct
from collections.abc import Iterable
from io import BytesIO

import jpeg_ls
import numpy as np
from numpy.typing import NDArray
from openjpeg.utils import encode_array
from pydicom import dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import ExplicitVRLittleEndian

from lungprep_demo.phantom import Scan, chest, slices

# Written by OpenJPH 0.26.3, and by liblj92 2026.3.6 (predictor 6), through imagecodecs.
HTJ2K_REVERSIBLE = base64.b64decode(
    "/0//UQApQAAAAAAQAAAADAAAAAAAAAAAAAAAEAAAAAwAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBE"
    "AB/1wAEyCIkJCQkJCQkJCQkJCQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAV0AAf+TwAAmu/IF"
    "B3QAAMAAE0AAE0AAEwDo/AKHdAAL9gOHdADQ3ASHdADAABVwAAVEAAFQTwSl2a40BgJDNAA3HoT+BAF0APBDN/EEgX"
    "QAwAAW3AABbEAAFsgnAWvPQeB0YNT3JD9heBIG98yd/QWcVAGzNwD/P+ePC+D+xVMWMSPoOMLcBL0+I4AkeAD+/y+A"
    "L+CjHwVcX/zvBxXhADQexkOBpHkAwAAvUoAAXXQAAuhASUDaTxIgCZAkSZJEtJ1ESZIESdJ5aZsESZAESZCEJCQhCb"
    "STxEmQBLRNO8jEj0kyeSRBEtCGbSQ5bSTBESRxEsAkwfwFQsi+UIaKUBaKIDM+AP0//0//cL//fI9//Pfff/6jRXP0"
    "h/o/wvgHN+zp4RqUoxiAVl0p8hAPcagBcAH+/3//f/9+3/9+77//A/McA5QC4ZQOYwB//IMCmNIHcgH/2Q=="
)
HTJ2K_IRREVERSIBLE = base64.b64decode(
    "/0//UQApQAAAAAAQAAAADAAAAAAAAAAAAAAAEAAAAAwAAAAAAAAAAAABDwEB/1AACAACAAAAKv9SAAwAAgABAAUEBE"
    "AA/1wAIyK3GLbqtuq2vK8ArwCu4qdMp0ynZJADkAOQRpfSl9KXYf9kABcAAU9wZW5KUEggVmVyIDAuMjYuMy7/kAAK"
    "AAAAAAGfAAH/k8AAATjzMuAIB3QAAMAAAmgAAE0AAAmAgPIEB3QAB+wEB3QAaskEh3QAwAAFXAAAVEAABUDpryq77s"
    "ReAkM0ADePPvMEgXQAJLQw/gQBdADAABbkAAFtQAAW2PUS5otZIhNBk1IGu24zDwkGvtXk+gFnGQBjNwBZEsoGBGZM"
    "MLtxrYCS5sLznJjtC9cRAAM3AHJlehKZsAaru6QuTnQj+oN05fwAX3MhwNM4AMAAF6fAABekQAAXoQCVOP8LPk7sgI"
    "wxs4Pcz/QeePQFa9ruFUgCQFGAhQ0Fil41MfrAhkHFU1BTBqyEiHEVaglv8ACHnCjliYFvUfsAqFIl5QsYylAWmEgB"
    "GzABZzg+DgsmdnA+ULpIkIxuyAULiahHJvhSYIkDZ7YQB4KSCDMFgAyRUphfQVBcnUycEFFIJFISUd0DSEDBCLwXMh"
    "CAJA0AAzABGl2X0+XQCDJQJQXmggldKsmcey04pMRK8hhDJ+5jpT08xDVE6JWcXpPzDSJIgjUYQyH8BSGY1yhMhBgI"
    "jAcCGz8A/9k="
)
JPEG_LOSSLESS = base64.b64decode(
    "/9j/xAAaAAEBAQEBAQEAAAAAAAAAAAAHCAwGCgkP/8MACxAADAAQAQARAP/aAAgBAAAGAAD9/wD/AKZvrn6B/U37L/"
    "eH0V+nX1f4wj2p+533z5DBc/ADlBSE5VW2Job3V8oKiaPpZb7tBSE5VW2Job8DpofKComj6WW+7QUhOVVtiaG91fKC"
    "omj6WW+7QUhOVVtiaG91fKConBHaJZb7tBSE5VW2Job3V8oKiaPpZb7tBSE5VW2JowN2h1fKComj6WW+7QUhOVVtia"
    "G91fKComj6WW+7QUhOVVtiaG91fKCwRGiPpZb7tBSE5VW2LAz6G91fKComj6WW+7QUhOVVtiaG91fKComj6WW+7QUh"
    "OVVtiaG91fKComj8eMD/2Q=="
)


def image(shape: tuple[int, int] = (12, 16)) -> NDArray[np.uint16]:
    """What the streams above hold, the irreversible one within 1."""
    y, x = np.indices(shape)
    values = ((x * x * 37 + y * 91 + x * y * 13) % 4096).astype(np.uint16)
    values[0, 0], values[-1, -1] = 65535, 0
    return values


def lossless_jpeg(
    values: NDArray[np.uint16],
    *,
    precision: int = 16,
    predictor: int = 1,
    transform: int = 0,
    tables: bytes = b"",
) -> bytes:
    """Encode by ISO/IEC 10918-1, annex H, every category by a code of 5 bits."""
    rows, columns = values.shape
    bits = []
    for y in range(rows):
        for x in range(columns):
            if x and y:
                a, b, c = (int(values[y - i, x - j]) for i, j in ((0, 1), (1, 0), (1, 1)))
                guesses = (a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1)
                predicted = guesses[predictor - 1]
            elif x or y:
                predicted = int(values[y, x - 1] if x else values[y - 1, 0])
            else:
                predicted = 1 << (precision - 1 - transform)
            difference = (int(values[y, x]) - predicted + 32768) % 65536 - 32768
            category = abs(difference).bit_length()
            bits.append(f"{category:05b}")
            if 0 < category < 16:
                rest = difference if difference > 0 else difference + (1 << category) - 1
                bits.append(f"{rest:0{category}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    data = int(text, 2).to_bytes(len(text) // 8).replace(b"\xff", b"\xff\0")
    return b"".join(
        (
            b"\xff\xd8" + tables,
            _segment(0xC3, struct.pack(">BHHB3B", precision, rows, columns, 1, 1, 0x11, 0)),
            _segment(0xC4, bytes([0, 0, 0, 0, 0, 17, *[0] * 11, *range(17)])),
            _segment(0xDA, bytes([1, 1, 0, predictor, 0, transform])),
            data,
            b"\xff\xd9",
        )
    )


def _segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg_ls_stream(values: NDArray[np.uint16], *, near: int = 0, bits: int = 16) -> bytes:
    """Encode by CharLS."""
    rows, columns = values.shape
    return bytes(
        jpeg_ls.encode_pixel_data(
            values.tobytes(),
            lossy_error=near,
            rows=rows,
            columns=columns,
            samples_per_pixel=1,
            bits_allocated=16,
            bits_stored=bits,
        )
    )


def jpeg_2000_stream(values: NDArray[np.generic], *, ratio: float = 0, bits: int = 16) -> bytes:
    """Encode at least 32 x 32 values by OpenJPEG; with a ratio by the irreversible filter."""
    options = {"compression_ratios": [ratio]} if ratio else {}
    return bytes(encode_array(values, bits_stored=bits, photometric_interpretation=2, **options))


def header(shape: tuple[int, int] = (12, 16), **edits: object):
    """A phantom's slice without encoding, to be edited."""
    _, content = next(slices(chest(), Scan(count=1, shape=shape, intercept=0.0, signed=False)))
    dataset = dcmread(BytesIO(content))
    for keyword, value in edits.items():
        setattr(dataset, keyword, value)
    return dataset


def written(dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The dataset as a file that claims a transfer syntax."""
    dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    dataset.save_as(buffer, implicit_vr=False, little_endian=True)
    return buffer.getvalue()


def encapsulated(stream: bytes | Iterable[bytes], syntax: str, **edits: object) -> bytes:
    """A file of frames in a transfer syntax, by default with the header of `image`."""
    frames = [stream] if isinstance(stream, bytes) else list(stream)
    dataset = header(**edits)
    dataset.PixelData = encapsulate(frames)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return written(dataset, syntax)


def frame_of(content: bytes) -> bytes:
    """The encoded frame of a file."""
    return next(generate_frames(dcmread(BytesIO(content)).PixelData, number_of_frames=1))
