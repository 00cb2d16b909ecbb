"""Slices that do not belong, and that one measure alone, or the end of the stack, would hide."""

import numpy as np

from corpus.case import Case
from corpus.coherence_cases import stray, with_slices
from corpus.files import Files
from corpus.oracles import as_stacked

LAST = 29


def twice_the_slope() -> Files:
    """One slice of twice the values; its bones reach what only metal does elsewhere."""
    return with_slices(lambda values: np.clip(2 * values, 0, 4095), 27)


CASES = [
    stray(
        "a slice with twice the values, whose bone looks like metal",
        twice_the_slope,
        "ct/028.dcm has another scale compared with its neighbours",
    ),
    stray(
        "the last slice 120 HU too bright",
        lambda: with_slices(lambda values: values + 120, LAST),
        "the slices ct/029.dcm and ct/030.dcm do not continue each other: their scales differ by "
        "… HU",
    ),
    Case(
        "the first slice 150 HU too bright: not sure to be wrong",
        lambda: with_slices(lambda values: values + 150, 0),
        flags=("stray_slices",),
        check=as_stacked,
    ),
]
