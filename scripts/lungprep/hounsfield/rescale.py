"""Hounsfield units of one slice, from its header and pixels (PS3.3 C.8.2.1, C.11.1)."""

from math import ceil

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import HTJ2K, JPEG2000

from lungprep.dicom.slices import EXPORT_AGAIN, Slice
from lungprep.errors import MissingTag, NotHounsfield
from lungprep.hounsfield.modality_lut import check_type, read_lut
from lungprep.hounsfield.padding import undeclared_padding
from lungprep.hounsfield.scale import HU_MIN, Stored, is_padding, saturated, to_hu
from lungprep.pixels.codestream import Codestream
from lungprep.pixels.stored import decoded_pixels

SCALE = ("RescaleSlope", "RescaleIntercept")


def slice_hu(slice_: Slice, *, assume_hu: bool = False) -> tuple[NDArray[np.int16], dict[str, int]]:
    """Decode and rescale a slice.

    Parameters
    ----------
    slice_ : Slice
        Any CT slice.
    assume_hu : bool
        Take stored values as HU where the rescale tags are absent.

    Returns
    -------
    hu : ndarray of int16
        Shape (rows, columns), clipped as `to_hu` does; padding, declared or not, is -1024.
    flags : dict of str to int
        What a user should know: ``assumed_hu`` (1); ``saturated`` (pixels whose true value is
        beyond 16 bits); ``undeclared_padding`` (its pixels); ``near_lossless`` (HU by which a value
        may be off, JPEG-LS); ``lossy_jpeg2000`` (1).

    Raises
    ------
    MissingTag
        Where RescaleSlope or RescaleIntercept is absent; CT requires both (PS3.3 C.8.2.1).
    NotHounsfield
        Where the header gives another unit, or two ways to HU that disagree.
    UnsupportedEncoding, UndecodablePixels, SliceTooLarge
        As `lungprep.pixels.stored.stored_pixels`.
    """
    check_type(slice_, slice_.text("RescaleType"))
    table = read_lut(slice_)
    scale = _scale(slice_, required=table is None and not assume_hu)
    stored, stream = decoded_pixels(slice_)
    slope, intercept = scale or (1.0, 0.0)
    values = stored
    if table is not None:
        values, slope, intercept = table.values(stored), 1.0, 0.0
        if scale and not np.array_equal(to_hu(stored, *scale), to_hu(values, slope, intercept)):
            raise NotHounsfield(
                f"{slice_.key} has a Modality LUT and rescale tags that disagree", EXPORT_AGAIN
            )
    padding = _declared_padding(slice_, stored)
    hu = to_hu(values, slope, intercept, padding)
    circle = undeclared_padding(stored, hu)
    if circle is not None:
        hu[circle] = HU_MIN
    flags = {
        "assumed_hu": int(scale is None and table is None),
        "saturated": saturated(values, slope, intercept, padding),
        "undeclared_padding": 0 if circle is None else int(np.count_nonzero(circle)),
        **_losses(slice_, stream, slope),
    }
    return hu, {name: measure for name, measure in flags.items() if measure}


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


def _declared_padding(slice_: Slice, stored: Stored) -> NDArray[np.bool_] | None:
    if not slice_.text("PixelPaddingValue"):
        return None
    value = slice_.integer("PixelPaddingValue", 0)
    return is_padding(stored, value, slice_.integer("PixelPaddingRangeLimit", value))


def _losses(slice_: Slice, stream: Codestream | None, slope: float) -> dict[str, int]:
    """What compression has changed.

    A JPEG 2000 stream by the reversible filter may be cut short of its last bits all the same, and
    only LossyImageCompression tells: it is required of whoever did so (PS3.3 C.7.6.1.1.5), so that
    its absence is taken for lossless.
    """
    if stream is None:
        return {}
    near = max(stream.near, ceil(stream.near * abs(slope)))
    may_be_lossy = slice_.dataset.file_meta.TransferSyntaxUID in (JPEG2000, HTJ2K)
    declared = may_be_lossy and slice_.text("LossyImageCompression") == "01"
    return {"near_lossless": near, "lossy_jpeg2000": int(declared or not stream.reversible)}
