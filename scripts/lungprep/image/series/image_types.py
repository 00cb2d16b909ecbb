"""Recognise localizers, derived and computed images by their ImageType (PS3.3 C.8.2.1.1.1)."""

import re
from collections import Counter
from collections.abc import Iterable

from lungprep.errors import MissingTag
from lungprep.image.dicom.slices import Slice
from lungprep.image.series.policy import LoadOptions

DERIVED = "derived"
LOCALIZER = "localizer"
# Computed images: the words of the standard and of vendors in ImageType, and in a description.
CONTENTS = {
    "virtual_monoenergetic": (
        r"\bVMI\b|MONO(ENERG|CHROM|E\b)|\bKEV\b",
        r"\bVMI\b|\bMONO ?(\+|E\b|PLUS\b|ENERG|CHROM|\d)|\bVIRTUAL MONO|\d ?KEV\b",
    ),
    "material_map": (
        r"\bMAT_|\bEFF_ATOMIC_NUM\b|\bELECTRON_DENSITY\b|\bIODINE\b|\bVNC\b",
        r"\bIODINE (MAP|DENS|OVERLAY|IMAGE|WATER|NO WATER|REMOVED)|\bIODINE ?\("
        r"|\b(WATER|FAT|CALCIUM|HAP) ?\(|\bZ ?EFF|\bEFFECTIVE (Z|ATOMIC)\b|\bELECTRON DENS"
        r"|\bVNC\b|\bVIRTUAL (NON|UN|NATIVE)|\bVUE\b|\bPBV\b|\bPERFUSED BLOOD|\bURIC ACID"
        r"|\bCALCIUM SUPP",
    ),
    "subtraction_image": (r"\bSUBTRACTION\b|\bSUBTRACTED\b", r"\bSUBTRACT(ION|ED)\b"),
    "projection_slab": (
        r"\b(MIP|MINIP|MAXIP|AIP|AVEIP|MAXIMUM|MINIMUM|MEAN|AVERAGE|PROJECTION)\b",
        r"\b(MAX|MIN|THIN|THICK)? ?(MIP|MINIP|MAXIP)S?\b|\bM(AX|IN) ?IP\b|\b(A|AV|AVE|AVG) ?IP\b"
        r"|\bM(AX|IN)(IMUM)? INTENS|\bAVERAGE\b|\bAVG\b|\bSLABS?\b",
    ),
}
# Plain slices may overlap by up to two thirds; at more than SLAB_GAPS times the gap, a slice is a
# slab. A SliceThickness above THICKEST_SLAB_MM is a typing error, or the length of the scan.
SLAB_GAPS, THICKEST_SLAB_MM = 2.5, 40.0
# With gaps up to this, thin slices leave out nothing that the target grid would show.
CONTIGUOUS_MM = 3.0
# A gap is a difference of positions, such as 11.999999999999996 mm.
ROUNDING_MM = 1e-3


def kind_of(slice_: Slice) -> str | None:
    """Name the kind of an image: "localizer", "derived", or None for an original slice.

    Value 1 of ImageType is ORIGINAL or DERIVED. Value 3 is AXIAL or LOCALIZER; some vendors write
    SCOUT or TOPOGRAM. Value 2, PRIMARY or SECONDARY, is ignored: it tells whether the image was the
    purpose of the examination, and many sound scans are SECONDARY.
    """
    values = slice_.text("ImageType").upper().split("\\")
    if {"LOCALIZER", "SCOUT", "TOPOGRAM"} & {value.strip() for value in values}:
        return LOCALIZER
    return DERIVED if values[0].strip() == "DERIVED" else None


def without_kinds(
    slices: Iterable[Slice], options: LoadOptions
) -> tuple[list[Slice], Counter[str]]:
    """Separate slices that may form a volume from slices of a refused kind.

    Returns
    -------
    kept : list of Slice
        Slices that may form a volume, in the given order.
    refused : Counter of str
        Number of refused slices, by kind.
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


def content_of(slice_: Slice) -> str | None:
    """Name the content of a computed image; None for a plain image.

    ImageType is searched from value 3 on: value 4 names multi-energy images (PS3.3 C.8.2.1.1.1),
    projections and differences (C.8.16.1.4), and vendors use further values. The description is
    searched too, because some of these images have no such value.

    Returns
    -------
    str or None
        ``virtual_monoenergetic``, ``material_map``, ``subtraction_image`` or ``projection_slab``.
    """
    values = " ".join(slice_.text("ImageType").upper().split("\\")[2:])
    description = slice_.written("SeriesDescription") or slice_.written("ProtocolName")
    words = " ".join(re.sub(r"[^A-Z0-9()+]+", " ", description.upper()).split())
    for content, (in_image_type, in_description) in CONTENTS.items():
        if re.search(in_image_type, values) or re.search(in_description, words):
            return content
    return None


def is_thick_slab(slice_: Slice, gap_mm: float, *, least_mm: float = 0.0) -> bool:
    """Whether slices overlap so much that each must be a mean or projection of many slices."""
    thickness = _thickness_mm(slice_)
    return max(SLAB_GAPS * gap_mm, least_mm) < thickness <= THICKEST_SLAB_MM


def is_interspaced(slice_: Slice, gap_mm: float) -> bool:
    """Whether slices are thin and far apart: at least half of the tissue lies between them."""
    half_mm = gap_mm / 2 + ROUNDING_MM
    return gap_mm > CONTIGUOUS_MM and 0 < _thickness_mm(slice_) <= half_mm


def _thickness_mm(slice_: Slice) -> float:
    try:
        return slice_.numbers("SliceThickness", 1)[0]
    except MissingTag:
        return 0.0
