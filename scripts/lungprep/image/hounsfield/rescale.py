"""Hounsfield units of one slice, from its header and pixels (PS3.3 C.8.2.1, C.11.1)."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import HTJ2K, JPEG2000

from lungprep.errors import MissingTag, NotHounsfield
from lungprep.image.dicom.slices import EXPORT_AGAIN, Slice
from lungprep.image.hounsfield.declared_padding import (
    amid_measured,
    declared_padding,
    may_be_measured,
)
from lungprep.image.hounsfield.modality_lut import check_unit, read_lut
from lungprep.image.hounsfield.padding import undeclared_padding
from lungprep.image.hounsfield.scale import HU_MIN, saturated, to_hu
from lungprep.image.pixels.codestream import Codestream
from lungprep.image.pixels.stored import Decoded, decoded_pixels

SCALE = ("RescaleSlope", "RescaleIntercept")
# Slices, at most twice as many, that decide whether a series' padding is believed.
SAMPLES = 9
# If more pixels of a slice, on average, hold the padding value amid the field, they were measured.
MOST_AMID = 1


def slice_hu(
    slice_: Slice, *, assume_hu: bool = False, padding_is_believed: bool | None = None
) -> tuple[NDArray[np.int16], dict[str, int]]:
    """Decode and rescale a slice.

    Parameters
    ----------
    slice_ : Slice
        Any CT slice.
    assume_hu : bool
        Take stored values as HU if the rescale tags are absent.
    padding_is_believed : bool, optional
        Answer of `believes_padding` for the whole series; by default this slice alone decides.

    Returns
    -------
    hu : ndarray of int16
        Shape (rows, columns), clipped as in `to_hu`; padding, declared or not, is -1024.
    flags : dict of str to int
        Warnings, each with its measure: ``assumed_hu`` (1); ``saturated`` (pixels whose true value
        exceeds 16 bits); ``bits_beyond_stored`` (pixels with ignored bits that were set);
        ``padding_not_believed`` (measured pixels that hold the padding value);
        ``undeclared_padding`` (pixels of padding); ``near_lossless`` (largest error of JPEG-LS,
        HU); ``lossy_jpeg2000`` (1); ``lossy_history`` (1).

    Raises
    ------
    MissingTag
        If RescaleSlope or RescaleIntercept is absent; CT requires both (PS3.3 C.8.2.1).
    NotHounsfield
        If the header gives another unit, or a Modality LUT and rescale tags that disagree.
    UnsupportedEncoding, UndecodablePixels, SliceTooLarge
        As in `lungprep.image.pixels.stored.stored_pixels`.
    """
    check_unit(slice_)
    table = read_lut(slice_)
    scale = _scale(slice_, required=table is None and not assume_hu)
    decoded = decoded_pixels(slice_)
    stored = decoded.stored
    slope, intercept = scale or (1.0, 0.0)
    padding, amid = _padding(
        slice_, decoded, (slope, intercept) if table is None else None, padding_is_believed
    )
    values = stored
    if table is not None:
        values, slope, intercept = table.values(stored), 1.0, 0.0
        if scale and not np.array_equal(to_hu(stored, *scale), to_hu(values, slope, intercept)):
            raise NotHounsfield(
                f"{slice_.key} has a Modality LUT and rescale tags that disagree", EXPORT_AGAIN
            )
    hu = to_hu(values, slope, intercept, padding)
    circle = undeclared_padding(stored, hu)
    if circle is not None:
        hu[circle] = HU_MIN
    flags = {
        "assumed_hu": int(scale is None and table is None),
        "saturated": saturated(values, slope, intercept, padding),
        "bits_beyond_stored": _count(decoded.beyond, padding, circle),
        "padding_not_believed": amid,
        "undeclared_padding": _count(circle),
        **_losses(slice_, decoded.stream, slope),
    }
    return hu, {name: measure for name, measure in flags.items() if measure}


def believes_padding(slices: Sequence[Slice]) -> bool | None:
    """Whether to believe the padding that a series declares: one answer for all of its slices.

    Parameters
    ----------
    slices : sequence of Slice
        Slices of one series. Some of them are decoded if the HU of their padding can be measured.

    Returns
    -------
    bool or None
        None if the padding of no examined slice is in doubt.

    Raises
    ------
    DataError
        If a slice can't be decoded.
    """
    amid = []
    for slice_ in slices[:: max(1, len(slices) // SAMPLES)]:
        table = "ModalityLUTSequence" in slice_.dataset
        scale = None if table else _scale(slice_, required=False) or (1.0, 0.0)
        if may_be_measured(slice_, scale):
            decoded = decoded_pixels(slice_)
            padding = declared_padding(slice_, decoded)
            amid.append(0 if padding is None else amid_measured(padding, decoded)[1])
    return sum(amid) <= MOST_AMID * len(amid) if amid else None


def _count(pixels: NDArray[np.bool_] | None, *without: NDArray[np.bool_] | None) -> int:
    """Count the pixels of a mask that are in none of the other masks."""
    if pixels is None:
        return 0
    for others in without:
        if others is not None:
            pixels = pixels & ~others
    return int(np.count_nonzero(pixels))


def _scale(slice_: Slice, *, required: bool) -> tuple[float, float] | None:
    """Return slope and intercept; None if both are absent and not required."""
    if not any(slice_.text(keyword) for keyword in SCALE):
        if not required:
            return None
        raise MissingTag(
            f"{slice_.key} has no RescaleSlope and no RescaleIntercept",
            "export the series again with them, or set load.assume_hu if the stored values are HU",
        )
    (slope,), (intercept,) = (slice_.numbers(keyword, 1) for keyword in SCALE)
    if slope == 0:
        raise MissingTag(f"{slice_.key} has RescaleSlope 0", EXPORT_AGAIN)
    return slope, intercept


def _padding(
    slice_: Slice, decoded: Decoded, scale: tuple[float, float] | None, believed: bool | None
) -> tuple[NDArray[np.bool_] | None, int]:
    """Return the believed padding, and the number of measured pixels that hold its value."""
    padding = declared_padding(slice_, decoded)
    if padding is None or not may_be_measured(slice_, scale):
        return padding, 0
    around, amid = amid_measured(padding, decoded)
    if believed is None:
        believed = amid <= MOST_AMID
    return (around, 0) if believed else (None, amid)


def _losses(slice_: Slice, stream: Codestream | None, slope: float) -> dict[str, int]:
    """Tell what compression has changed, in this encoding or in an earlier one.

    A JPEG 2000 stream with the reversible filter may still have lost its last bits, and only
    LossyImageCompression tells. The tag is required in that case (PS3.3 C.7.6.1.1.5), so its
    absence means lossless. Once set, it stays set through all later encodings.
    """
    declared = slice_.text("LossyImageCompression") == "01"
    losses = {"near_lossless": 0, "lossy_jpeg2000": 0}
    if stream is not None:
        losses["near_lossless"] = max(stream.near, ceil(stream.near * abs(slope)))
        may_be_lossy = slice_.dataset.file_meta.TransferSyntaxUID in (JPEG2000, HTJ2K)
        losses["lossy_jpeg2000"] = int((declared and may_be_lossy) or not stream.reversible)
    losses["lossy_history"] = int(declared and not any(losses.values()))
    return losses
