"""The gaps between slices: missing ones, uneven ones, and series that are too short."""

from corpus import real
from corpus.case import Case
from corpus.defects import assign, drop, without
from corpus.files import pack
from corpus.oracles import as_sampled
from corpus.phantoms import scanned, uneven, wider_upwards

REPAIR_MISSING = {"on_missing_slices": "repair"}
REPAIR_GAPS = {"on_uneven_gaps": "repair"}
# Of the slices 1.25 mm apart: 5 mm below the heart, 7.5 mm above.
UNEVEN = (*range(0, 100, 4), *range(100, 236, 6))
WIDENED = (*range(0, 120, 4), *range(120, 236, 8))
MISSING = (
    "{} of 30 slices are missing, such as {} between ct/012.dcm and ct/013.dcm ({:.2f} mm apart "
    "where 10.00 mm is usual); upload the missing slices{}"
)
RAISE = ", or raise load.max_missing_slices (1)"

CASES = [
    Case(
        "one slice missing",
        lambda: pack(without(real.series(), 12)),
        refused=(
            "MissingSlices",
            MISSING.format(1, 1, 20, ", or set load.on_missing_slices to repair"),
        ),
    ),
    Case(
        "one slice missing, repaired",
        lambda: pack(without(real.series(), 12)),
        REPAIR_MISSING,
        ("missing_slices_interpolated",),
        check=as_sampled,
    ),
    Case(
        "two slices missing, at two places, repaired",
        lambda: pack(without(real.series(), 5, 20)),
        REPAIR_MISSING,
        ("missing_slices_interpolated",),
        check=as_sampled,
    ),
    Case(
        "two slices missing in a row, repair of one allowed",
        lambda: pack(without(real.series(), 12, 13)),
        REPAIR_MISSING,
        refused=("MissingSlices", MISSING.format(2, 2, 30, RAISE)),
    ),
    Case(
        "two slices missing in a row, repair of two allowed",
        lambda: pack(without(real.series(), 12, 13)),
        {**REPAIR_MISSING, "max_missing_slices": 2},
        ("missing_slices_interpolated",),
        check=as_sampled,
    ),
    Case(
        "three slices missing in a row, repair of two allowed",
        lambda: pack(without(real.series(), 12, 13, 14)),
        {**REPAIR_MISSING, "max_missing_slices": 2},
        refused=("MissingSlices", MISSING.format(3, 3, 40, RAISE.replace("1", "2"))),
    ),
    Case(
        "gaps of 5 and 7.5 mm",
        lambda: pack(real.chosen(UNEVEN)),
        refused=(
            "UnevenGaps",
            "the gaps between slices range from 5.000 to 7.500 mm; supply a series with even gaps, "
            "or set load.on_uneven_gaps to repair",
        ),
    ),
    Case(
        "gaps of 5 and 7.5 mm, repaired",
        lambda: pack(real.chosen(UNEVEN)),
        REPAIR_GAPS,
        ("uneven_gaps_resampled",),
        check=as_sampled,
    ),
    Case(
        "gaps of 8 and 10 mm, repaired",
        lambda: scanned(uneven(wider_upwards(10))),
        REPAIR_GAPS,
        ("uneven_gaps_resampled",),
        check=as_sampled,
    ),
    Case(
        "gaps of 8 mm, and one of 25 mm, repair of uneven gaps and of missing slices",
        lambda: scanned(uneven(lambda index: 17.0 * (index > 10))),
        {**REPAIR_GAPS, **REPAIR_MISSING},
        refused=(
            "UnevenGaps",
            "the gaps between slices range from 8.000 to 25.000 mm, wider than can be "
            "interpolated (10 mm); supply a series without holes",
        ),
    ),
    Case(
        "gaps of 5 mm, then of 10 mm",
        lambda: pack(real.chosen(WIDENED)),
        refused=(
            "UnevenGaps",
            "the gaps between slices range from 5.000 to 10.000 mm; supply a series with even "
            "gaps, or set load.on_uneven_gaps to repair",
        ),
    ),
    Case(
        "gaps of 5 mm, then of 10 mm, repaired",
        lambda: pack(real.chosen(WIDENED)),
        REPAIR_GAPS,
        ("uneven_gaps_resampled",),
        check=as_sampled,
    ),
    Case(
        "all slices at one position, with different pixels",
        lambda: pack(assign(drop(real.series(), "InstanceNumber"), ImagePositionPatient=[0, 0, 0])),
        refused=(
            "DuplicatePositions",
            "30 slices share a position with another and differ from it, such as ct/001.dcm "
            "and ct/002.dcm at 0.00 mm; no acquisition, "
            "phase, number or time separates them into volumes; keep one slice for each position "
            "under the prefix",
        ),
    ),
    Case(
        "nine slices",
        lambda: pack(real.series()[:9]),
        refused=(
            "TooFewSlices",
            "the series has 9 slices (ct/001.dcm), fewer than load.min_slices "
            "(10); check that the upload is complete, or lower load.min_slices",
        ),
    ),
    Case(
        "nine slices, min_slices lowered",
        lambda: pack(real.series()[:9]),
        {"min_slices": 9},
        check=as_sampled,
    ),
    Case(
        "12 slices over 15 mm",
        lambda: pack(real.series(stop=12, every=1)),
        refused=(
            "TooShort",
            "the 12 slices cover 15.0 mm, less than load.min_length_mm (50); check that the "
            "upload is complete, or lower load.min_length_mm",
        ),
    ),
    Case(
        "12 slices over 15 mm, min_length_mm lowered",
        lambda: pack(real.series(stop=12, every=1)),
        {"min_length_mm": 10},
        check=as_sampled,
    ),
]
