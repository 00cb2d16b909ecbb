"""Stored values of every kind that mean the same HU: bits, signs, slopes, overlays, padding."""

import numpy as np

from corpus import real
from corpus.case import Case
from corpus.defects import assign, drop, edit_stored, outside_circle, stored_as
from corpus.files import Series, pack, stored
from corpus.oracles import as_measured, lies_at


def near(tolerance_hu: float):
    """The thinned real scan within some HU, which rounding of stored values explains."""

    def check(files, volume, scan):
        lies_at(volume, real.affine())
        difference = volume.hu.astype(np.int32) - real.hu()
        assert 0 < np.abs(difference).max() <= tolerance_hu

    return check


def padding() -> np.ndarray:
    """Where the real scan declares padding, (z, y, x)."""
    return np.stack([stored(dataset) == real.PADDING for dataset in real.series()])


def with_circle(series: Series, value: int) -> Series:
    """Pixels outside the circle that fits the field of one value, which no tag declares."""
    return edit_stored(series, lambda values, n: np.where(outside_circle(), value, values))


def within_circle(files, volume, scan):
    """The circle is air. A pixel of its value that touches it can't be told from it."""
    expected = np.where(outside_circle(), -1024, real.hu())
    differs = volume.hu != expected
    assert differs.mean() < 1e-4
    assert (real.hu()[differs] == 0).all()


def overlay(values, number):
    """Bits 12 to 15 of an old overlay: stripes."""
    stripes = (np.indices(values.shape).sum(axis=0) + number) % 16
    return values | (stripes << 12)


def with_overlays(*, announced: bool) -> Series:
    """The scan in 12 bits under overlays, which the header may announce, one for each bit."""
    series = edit_stored(unsigned_12(real.series()), overlay)
    for dataset in assign(series, BitsStored=12, HighBit=11):
        for number in range(4) if announced else ():
            group = 0x6000 + 2 * number
            dataset.add_new((group, 0x0100), "US", 16)
            dataset.add_new((group, 0x0102), "US", 12 + number)
    return series


def with_metal() -> Series:
    """Metal of 4500 HU, which takes 13 bits, under a header that says 12."""

    def edit(values, number):
        values[60:66, 50:58] = 4500 + 1024
        return values

    return assign(edit_stored(unsigned_12(real.series()), edit), BitsStored=12, HighBit=11)


def wrapped(files, volume, scan):
    """The metal has lost its highest bit, and nothing else has changed."""
    expected = real.hu().copy()
    expected[:, 60:66, 50:58] = 4500 - 4096
    np.testing.assert_array_equal(volume.hu, expected)


def kept_padding(**tags) -> Series:
    """Stored values rewritten as HU, under the PixelPaddingValue of those before."""
    series = stored_as(real.series())
    for dataset in series:
        for keyword, value in tags.items():
            dataset.add_new(keyword, "SS", value)
    return series


def overlay_below() -> Series:
    """12 bits stored in the upper bits of 16, an overlay in the lower four."""
    series = stored_as(real.series(), intercept=-1024.0, signed=False)
    series = edit_stored(series, lambda values, n: (values << 4) | (values + n) % 16)
    return assign(series, BitsStored=12, HighBit=15)


def unsigned_12(series: Series) -> Series:
    return stored_as(series, intercept=-1024.0, signed=False, bits=12)


def range_limit() -> Series:
    """Padding of two values, which a PixelPaddingRangeLimit joins."""

    def edit(values, number):
        rows = np.indices(values.shape)[0] % 2
        return np.where(values == real.PADDING, -2000 + 300 * rows, values)

    series = edit_stored(real.series(), edit)
    for dataset in series:
        dataset.add_new("PixelPaddingRangeLimit", "SS", -1700)
    return series


def wrong_vr() -> Series:
    """PixelPaddingValue -2000 written as an unsigned number."""
    series = real.series()
    for dataset in series:
        dataset.add_new("PixelPaddingValue", "US", 65536 + real.PADDING)
    return series


CASES = [
    Case("12 bits, unsigned", lambda: pack(unsigned_12(real.series())), check=as_measured),
    Case(
        "16 bits, signed, intercept 0, no padding",
        lambda: pack(stored_as(real.series())),
        check=as_measured,
    ),
    Case(
        "every second slice unsigned",
        lambda: pack(stored_as(real.series(), intercept=-1024.0, signed=lambda n: n % 2 == 0)),
        check=as_measured,
    ),
    Case(
        "slope 0.25",
        lambda: pack(stored_as(real.series(), slope=0.25, intercept=-1024.0)),
        check=as_measured,
    ),
    Case(
        "slope and intercept differ from slice to slice",
        lambda: pack(
            stored_as(
                real.series(),
                slope=lambda n: (1.0, 0.5, 0.25)[n % 3],
                intercept=lambda n: -1024.0 + n,
            )
        ),
        check=as_measured,
    ),
    Case(
        "slope 1.3, so that HU are not whole numbers",
        lambda: pack(stored_as(real.series(), slope=1.3, intercept=-1024.0)),
        check=near(1.0),
    ),
    Case(
        "an overlay in the bits above the stored 12",
        lambda: pack(with_overlays(announced=True)),
        check=as_measured,
    ),
    Case(
        "the same, without a tag that says so",
        lambda: pack(with_overlays(announced=False)),
        flags=("bits_beyond_stored",),
        check=as_measured,
    ),
    Case(
        "metal of 4500 HU where BitsStored is 12",
        lambda: pack(with_metal()),
        flags=("bits_beyond_stored",),
        check=wrapped,
    ),
    Case(
        "an overlay in the bits below the stored 12",
        lambda: pack(overlay_below()),
        check=as_measured,
    ),
    Case(
        "padding in a range, PixelPaddingRangeLimit", lambda: pack(range_limit()), check=as_measured
    ),
    Case(
        "PixelPaddingValue written with the other sign", lambda: pack(wrong_vr()), check=as_measured
    ),
    Case(
        "PixelPaddingValue 0 left behind on stored values that are HU",
        lambda: pack(kept_padding(PixelPaddingValue=0)),
        flags=("padding_not_believed",),
        check=as_measured,
    ),
    Case(
        "PixelPaddingValue -1000 left behind on stored values that are HU",
        lambda: pack(kept_padding(PixelPaddingValue=-1000)),
        flags=("padding_not_believed",),
        check=as_measured,
    ),
    Case(
        "a PixelPaddingRangeLimit that includes lungs and tissue",
        lambda: pack(kept_padding(PixelPaddingValue=-2000, PixelPaddingRangeLimit=500)),
        flags=("padding_not_believed",),
        check=as_measured,
    ),
    Case(
        "undeclared padding of -2000",
        lambda: pack(drop(real.series(), "PixelPaddingValue")),
        check=as_measured,
    ),
    Case(
        "undeclared padding around a circle: stored 0 with intercept 0, which is 0 HU",
        lambda: pack(with_circle(stored_as(real.series()), 0)),
        flags=("undeclared_padding",),
        check=within_circle,
    ),
]
