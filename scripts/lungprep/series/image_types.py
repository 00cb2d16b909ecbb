"""Images that are no slice of a chest, told by their ImageType (PS3.3 C.8.2.1.1.1)."""

from collections import Counter
from collections.abc import Iterable

from lungprep.dicom.slices import Slice
from lungprep.series.policy import LoadOptions

DERIVED = "derived"
LOCALIZER = "localizer"


def kind_of(slice_: Slice) -> str | None:
    """Name the kind of an image: "localizer", "derived", or None for an original slice.

    Value 1 of ImageType is ORIGINAL or DERIVED; value 3 is AXIAL or LOCALIZER, in other vendors'
    words SCOUT or TOPOGRAM. Value 2, PRIMARY or SECONDARY, tells whether the image was the purpose
    of the examination, and many sound scans say SECONDARY.
    """
    values = slice_.text("ImageType").upper().split("\\")
    if {"LOCALIZER", "SCOUT", "TOPOGRAM"} & {value.strip() for value in values}:
        return LOCALIZER
    return DERIVED if values[0].strip() == "DERIVED" else None


def without_kinds(
    slices: Iterable[Slice], options: LoadOptions
) -> tuple[list[Slice], Counter[str]]:
    """Part the slices that may form a volume from those whose kind is refused.

    Returns
    -------
    kept : list of Slice
        In the given order.
    refused : Counter of str
        How many of each kind were not kept.
    """
    kept: list[Slice] = []
    refused: Counter[str] = Counter()
    for slice_ in slices:
        kind = kind_of(slice_)
        if kind is None or (kind == DERIVED and options.accept_derived):
            kept.append(slice_)
        else:
            refused[kind] += 1
    return kept, refused
