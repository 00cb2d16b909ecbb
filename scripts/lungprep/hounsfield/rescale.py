"""Hounsfield units of one slice, from its header and pixels (PS3.3 C.8.2.1, C.11.1)."""

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import HTJ2K, JPEG2000

from lungprep.dicom.slices import EXPORT_AGAIN, Slice
from lungprep.errors import MissingTag, NotHounsfield
from lungprep.hounsfield.declared_padding import (
    amid_measured,
    declared_padding,
    may_be_measured,
)
from lungprep.hounsfield.modality_lut import check_unit, read_lut
from lungprep.hounsfield.padding import undeclared_padding
from lungprep.hounsfield.scale import HU_MIN, saturated, to_hu
from lungprep.pixels.codestream import Codestream
from lungprep.pixels.stored import Decoded, decoded_pixels

SCALE = ("RescaleSlope", "RescaleIntercept")
# Slices that are looked at to tell whether a series' padding is to be believed, or twice as many.
SAMPLES = 9
# More pixels than this, in a slice on average, were measured.
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
        Take stored values as HU where the rescale tags are absent.
    padding_is_believed : bool, optional
        What `believes_padding` says of the whole series; by default this slice alone decides.

    Returns
    -------
    hu : ndarray of int16
        Shape (rows, columns), clipped as `to_hu` does; padding, declared or not, is -1024.
    flags : dict of str to int
        What a user should know: ``assumed_hu`` (1); ``saturated`` (pixels whose true value is
        beyond 16 bits); ``bits_beyond_stored`` (pixels of which set bits were ignored);
        ``padding_not_believed`` (measured pixels that hold the padding value);
        ``undeclared_padding`` (its pixels); ``near_lossless`` (HU by which a value may be off,
        JPEG-LS); ``lossy_jpeg2000`` (1); ``lossy_history`` (1).

    Raises
    ------
    MissingTag
        Where RescaleSlope or RescaleIntercept is absent; CT requires both (PS3.3 C.8.2.1).
    NotHounsfield
        Where the header gives another unit, or two ways to HU that disagree.
    UnsupportedEncoding, UndecodablePixels, SliceTooLarge
        As `lungprep.pixels.stored.stored_pixels`.
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
    """Whether the padding that a series declares is padding: one answer for all of its slices.

    Parameters
    ----------
    slices : sequence of Slice
        Of one series; some of them are decoded, if their padding lies among what is measured.

    Returns
    -------
    bool or None
        None where none of those that were looked at is in doubt.

    Raises
    ------
    DataError
        Where a slice can't be decoded.
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
    """How many pixels there are, less those of other masks."""
    if pixels is None:
        return 0
    for others in without:
        if others is not None:
            pixels = pixels & ~others
    return int(np.count_nonzero(pixels))


def _scale(slice_: Slice, *, required: bool) -> tuple[float, float] | None:
    """Slope and intercept; None where neither is there and neither is required."""
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
    """Pixels of declared padding that is believed, and how many of its value were measured."""
    padding = declared_padding(slice_, decoded)
    if padding is None or not may_be_measured(slice_, scale):
        return padding, 0
    around, amid = amid_measured(padding, decoded)
    if believed is None:
        believed = amid <= MOST_AMID
    return (around, 0) if believed else (None, amid)


def _losses(slice_: Slice, stream: Codestream | None, slope: float) -> dict[str, int]:
    """What compression has changed, by this encoding or by an earlier one.

    A JPEG 2000 stream by the reversible filter may be cut short of its last bits all the same, and
    only LossyImageCompression tells: it is required of whoever did so (PS3.3 C.7.6.1.1.5), so that
    its absence is taken for lossless. It stays once it is set, whatever encoding comes after.
    """
    declared = slice_.text("LossyImageCompression") == "01"
    losses = {"near_lossless": 0, "lossy_jpeg2000": 0}
    if stream is not None:
        losses["near_lossless"] = max(stream.near, ceil(stream.near * abs(slope)))
        may_be_lossy = slice_.dataset.file_meta.TransferSyntaxUID in (JPEG2000, HTJ2K)
        losses["lossy_jpeg2000"] = int((declared and may_be_lossy) or not stream.reversible)
    losses["lossy_history"] = int(declared and not any(losses.values()))
    return losses
