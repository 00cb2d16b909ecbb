"""Slices that lie aside of one another or askew: shifts, tilted gantries, oblique scans."""

from dataclasses import replace

from corpus import real
from corpus.case import Case
from corpus.defects import assign, moved
from corpus.files import Files, pack
from corpus.gap_cases import REPAIR_GAPS, REPAIR_MISSING
from corpus.oracles import as_measured, as_sampled
from corpus.phantoms import jittered, oblique, scanned, tilted, wider_upwards

REPAIR_TILT = {"on_gantry_tilt": "repair"}
REPAIR_SHIFTS = {"on_shifted_slices": "repair"}
TILTED = (
    "the gantry is tilted by {:.1f} degrees: slices are shifted by up to … mm within their plane "
    "along the stack; supply a series without gantry tilt, or set load.on_gantry_tilt to repair"
)


def tilted_uneven() -> Files:
    scan = tilted(18.5)
    shift = scan.offset_mm

    def offset_mm(index):
        x, y, z = shift(index)
        return x, y, z + wider_upwards(10)(index)

    return scanned(replace(scan, offset_mm=offset_mm))


def tag_says(degrees: str | None) -> Files:
    """A tilt of 18.5 degrees, and GantryDetectorTilt as given; None for absent."""

    def edit(dataset, index):
        if degrees is not None:
            dataset.GantryDetectorTilt = degrees

    return scanned(replace(tilted(18.5), edit=edit))


def without_index(files: Files, *indices: int) -> Files:
    return {name: c for n, (name, c) in enumerate(files.items()) if n not in indices}


CASES = [
    Case(
        "slices shifted aside, each by up to 3 mm",
        lambda: scanned(jittered(3.0)),
        refused=(
            "ShiftedSlices",
            "20 of 20 slices are shifted within their plane, by up to … mm; supply a series "
            "without shifts, or set load.on_shifted_slices to repair",
        ),
    ),
    Case(
        "slices shifted aside, each by up to 3 mm, repaired",
        lambda: scanned(jittered(3.0)),
        REPAIR_SHIFTS,
        ("shifted_slices_realigned",),
        check=as_sampled,
    ),
    Case(
        "one slice shifted aside by 2 mm",
        lambda: pack(moved(real.series(), lambda n: (0, 2.0 * (n == 9), 0))),
        refused=(
            "ShiftedSlices",
            "1 of 30 slices are shifted within their plane, by up to 2.00 mm; supply a "
            "series without shifts, or set load.on_shifted_slices to repair",
        ),
    ),
    Case(
        "one slice shifted aside by 2 mm, repaired",
        lambda: pack(moved(real.series(), lambda n: (0, 2.0 * (n == 9), 0))),
        REPAIR_SHIFTS,
        ("shifted_slices_realigned",),
        check=as_sampled,
    ),
    *(
        Case(
            f"gantry tilt of {degrees:g} degrees",
            lambda degrees=degrees: scanned(tilted(degrees)),
            refused=("TiltedGantry", TILTED.format(degrees)),
        )
        for degrees in (5.0, 18.5)
    ),
    *(
        Case(
            f"gantry tilt of {degrees:g} degrees, repaired",
            lambda degrees=degrees: scanned(tilted(degrees)),
            REPAIR_TILT,
            ("gantry_tilt_sheared", "oblique_resliced"),
            check=as_sampled,
        )
        for degrees in (5.0, 18.5, -18.5)
    ),
    *(
        Case(
            f"gantry tilt of 18.5 degrees, GantryDetectorTilt {words}, repaired",
            lambda says=says: tag_says(says),
            REPAIR_TILT,
            ("gantry_tilt_sheared", "oblique_resliced"),
            check=as_sampled,
        )
        for words, says in (("absent", None), ("0", "0"), ("-18.5", "-18.5"))
    ),
    Case(
        "GantryDetectorTilt 15, upright by its positions",
        lambda: pack(assign(real.series(), GantryDetectorTilt="15")),
        check=as_measured,
    ),
    Case(
        "gantry tilt of 18.5 degrees and a slice missing, both repaired",
        lambda: without_index(scanned(tilted(18.5)), 14),
        {**REPAIR_TILT, **REPAIR_MISSING},
        ("gantry_tilt_sheared", "missing_slices_interpolated", "oblique_resliced"),
        check=as_sampled,
    ),
    Case(
        "gantry tilt of 18.5 degrees and uneven gaps, both repaired",
        tilted_uneven,
        {**REPAIR_TILT, **REPAIR_GAPS},
        ("gantry_tilt_sheared", "oblique_resliced", "uneven_gaps_resampled"),
        check=as_sampled,
    ),
    Case(
        "gantry tilt of 18.5 degrees and uneven gaps, only the tilt repaired",
        tilted_uneven,
        REPAIR_TILT,
        refused=(
            "UnevenGaps",
            "the gaps between slices range from 7.587 to 9.483 mm; supply a series with even "
            "gaps, or set load.on_uneven_gaps to repair",
        ),
    ),
    Case(
        "oblique by 7 degrees",
        lambda: scanned(oblique(7.0)),
        flags=("oblique_resliced",),
        check=as_sampled,
    ),
    Case(
        "oblique by 20 and 15 degrees about two axes",
        lambda: scanned(oblique(20.0, 15.0)),
        flags=("oblique_resliced",),
        check=as_sampled,
    ),
    Case(
        "oblique by 40 degrees",
        lambda: scanned(oblique(40.0)),
        refused=(
            "ObliqueSlices",
            "the slices are turned by 40.0 degrees from the patient's axes; supply an axial "
            "series, or raise load.max_oblique_deg (30)",
        ),
    ),
    Case(
        "oblique by 7 degrees and a slice missing, repaired",
        lambda: without_index(scanned(oblique(7.0)), 14),
        REPAIR_MISSING,
        ("missing_slices_interpolated", "oblique_resliced"),
        check=as_sampled,
    ),
]
