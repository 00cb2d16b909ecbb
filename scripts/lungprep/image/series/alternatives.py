"""Flags for the sidecar: other volumes that could have been chosen, and the kind of the choice."""

from lungprep.image.series.contenders import Contender, Field, smaller_lungs
from lungprep.image.series.examinations import Examination
from lungprep.image.series.image_types import content_of, is_interspaced, is_thick_slab

# Overlapping slices of at least this thickness are a slab even if no text says so.
THICK_SLAB_MM = 8.0


def other_choices(
    chosen: Contender, contenders: list[Contender], field: Field, examinations: list[Examination]
) -> dict[str, float]:
    """Count the other scans of the lungs, not counting other reconstructions of the chosen one.

    Parameters
    ----------
    chosen : Contender
        The chosen volume.
    contenders : list of Contender
        All volumes, with their looks.
    field : Field
        Comparison of all volumes.
    examinations : list of Examination
        Examination of each contender, from `by_examination`.

    Returns
    -------
    dict of str to float
        Flags ``other_examinations``, ``other_position`` and ``other_breath_hold``, each with the
        number of examinations or of volumes.
    """
    if not field.lungs_known:
        return {}
    own = examinations[contenders.index(chosen)]
    others = {e for c, e in zip(contenders, examinations, strict=True) if field.shows_lungs(c)}
    peers = [
        c for c, e in zip(contenders, examinations, strict=True) if e == own and is_peer(c, field)
    ]
    turned = [c for c in peers if c.position and chosen.position and c.position != chosen.position]
    alike = [c for c in peers if c.position == chosen.position]
    small = [c for c in alike if smaller_lungs(c, alike)]
    # Count the volumes that differ from the choice, which may itself be in expiration.
    breaths = len(alike) - len(small) if chosen in small else len(small)
    flags = {
        "other_examinations": len(others - {own}),
        "other_position": len(turned),
        "other_breath_hold": breaths if chosen in alike else 0,
    }
    return {name: float(count) for name, count in flags.items() if count}


def is_peer(contender: Contender, field: Field) -> bool:
    """Whether a volume shows whole lungs as measured, so that lung sizes can be compared."""
    whole = field.shows_lungs(contender) and field.covers_lungs(contender)
    uncut = contender.look is not None and not contender.look.cut
    return field.lungs_known and whole and uncut and contender.plain and contender.axial


def own_flags(chosen: Contender) -> dict[str, float]:
    """Flag a choice that is derived or computed, or whose gaps are wider than its slices."""
    volume = chosen.volume
    first, gap_mm, count = volume.slices[0], volume.stack.spacing_mm[0], len(volume.slices)
    flags: dict[str, float] = {}
    if not chosen.original:
        flags["derived_image"] = count
    content = content_of(first)
    if content is None and is_thick_slab(first, gap_mm, least_mm=THICK_SLAB_MM):
        content = "projection_slab"
    if content:
        flags[content] = count
    if is_interspaced(first, gap_mm):
        flags["interspaced_slices"] = round(gap_mm, 3)
    return flags
