"""Join a scan that was split into several series."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lungprep.errors import DataError, SplitScan
from lungprep.image.series.candidates import candidates
from lungprep.image.series.contenders import COMPLETE_SHARE, Contender
from lungprep.image.series.geometry import Stack
from lungprep.image.series.interleaving import belong_together
from lungprep.image.series.lung_content import Look, look_at
from lungprep.image.series.parts import MAKE, Part, chains, meshes
from lungprep.image.series.policy import LoadOptions

# A part that shows more than this fraction of the joined lungs is a complete scan by itself.
WHOLE_SHARE = 0.9
# A part that shows less adds nothing: it is, for example, an abdomen below the chest.
LEAST_SHARE = 0.02


def joined(parts: list[Part], options: LoadOptions) -> Iterator[Contender]:
    """Join series that continue each other if each shows a part of the lungs.

    Parameters
    ----------
    parts : list of Part
        Series from `parts_of`.
    options : LoadOptions
        Policy for acceptance; a volume that would need repairs is not joined.

    Yields
    ------
    Contender
        A joined volume with its look, flagged ``series_joined`` with the number of series.
    """
    for chain in chains(parts):
        found = _joined(chain, options)
        if found is not None:
            yield found
    for pair in meshes(parts):
        found = _meshed(pair, options)
        if found is not None:
            yield found


def _meshed(pair: list[Part], options: LoadOptions) -> Contender | None:
    """Join two series that fill each other's gaps if their pixels show one scan."""
    slices = [slice_ for part in pair for slice_ in part.slices]
    try:
        volumes = candidates(slices, options.without_repairs())
        if len(volumes) != 1 or volumes[0].flags:
            return None
        if not belong_together([part.slices for part in pair], options):
            return None
        volume = volumes[0]
        look = look_at(volume.slices, volume.stack, assume_hu=options.assume_hu)
    except DataError:
        return None
    largest = max(pair, key=lambda part: (len(part.slices), part.series)).series
    flags = {"series_joined": len(pair), **volume.flags}
    names = tuple(part.series for part in pair)
    return Contender(largest, replace(volume, flags=flags), look, names)


def _joined(chain: list[Part], options: LoadOptions) -> Contender | None:
    slices = [slice_ for part in chain for slice_ in part.slices]
    try:
        volumes = candidates(slices, options.without_repairs())
        if len(volumes) != 1 or set(volumes[0].flags) - {"duplicates_dropped"}:
            return None
        volume = volumes[0]
        look = look_at(volume.slices, volume.stack, assume_hu=options.assume_hu)
    except DataError:
        return None
    start, half = chain[0].low_mm, volume.stack.spacing_mm[0] / 2
    shares = [
        look.between_ml(part.low_mm - start - half, part.high_mm - start + half)
        / (look.lung_ml or 1.0)
        for part in chain
    ]
    if max(shares) > WHOLE_SHARE:
        return None
    shown = [
        part
        for part, share in zip(chain, shares, strict=True)
        if share > LEAST_SHARE or len(part.slices) < options.min_slices
    ]
    if len(shown) < len(chain):
        return _joined(shown, options) if len(shown) > 1 else None
    names = tuple(part.series for part in chain)
    largest = max(chain, key=lambda part: (len(part.slices), part.series)).series
    flags = {"series_joined": len(names), **volume.flags}
    return Contender(largest, replace(volume, flags=flags), look, names)


def continued(contender: Contender, parts: list[Part]) -> bool:
    """Whether another series continues the contender's series, according to the headers."""
    own = next((part for part in parts if part.series == contender.series), None)
    return own is not None and any(
        part.continued_by(own) or own.continued_by(part) for part in parts if part is not own
    )


def check_continued(
    chosen: Contender, contenders: list[Contender], parts: list[Part], options: LoadOptions
) -> None:
    """Refuse a volume whose lungs continue in another series if no volume shows them all.

    Parameters
    ----------
    chosen : Contender
        The chosen volume.
    contenders : list of Contender
        All volumes, with their looks.
    parts : list of Part
        All series of parallel slices.
    options : LoadOptions
        Policy for acceptance.

    Raises
    ------
    SplitScan
        If the lungs continue in another series; the error says why the two can't be joined.
    """
    look = chosen.look
    own = next((part for part in parts if part.series == chosen.series), None)
    if look is None or own is None or chosen.joined:
        return
    looks = {c.series: c.look for c in contenders if c.look and not c.joined}
    for end, cut in zip(("first", "last"), look.cut_ends, strict=True):
        for part in parts if cut else ():
            if not (part.continued_by(own) if end == "first" else own.continued_by(part)):
                continue
            more_ml = _beyond_ml(part, looks.get(part.series), own, options)
            lungs_ml = look.lung_ml + more_ml
            if max(c.lung_ml for c in contenders) >= COMPLETE_SHARE * lungs_ml:
                continue
            raise SplitScan(
                f"the lungs are cut by the {end} slice of the series ({own.slices[0].key}) and "
                f"continue in another one ({part.slices[0].key}), which can't be joined to it: "
                f"{_difference(own, part, options)}",
                "supply one series that covers the chest, or name the series in the cohort file "
                "to take it as it is",
            )


def _beyond_ml(part: Part, look: Look | None, own: Part, options: LoadOptions) -> float:
    """Return the lung volume that a part shows beyond the ends of a series, ml."""
    try:
        look = look or look_at(part.slices, _stack(part), assume_hu=options.assume_hu)
    except DataError:
        return 0.0
    low, high = own.low_mm - part.low_mm, own.high_mm - part.low_mm
    return look.between_ml(-np.inf, low) + look.between_ml(high, np.inf)


def _stack(part: Part) -> Stack:
    """Return the geometry of a series that is too short to be a volume, and sort its slices."""
    part.slices.sort(
        key=lambda s: float(np.dot(s.numbers("ImagePositionPatient", 3), part.axes[0]))
    )
    rows, columns = (int(part.slices[0].integer(keyword, 0)) for keyword in ("Rows", "Columns"))
    spacing = part.slices[0].numbers("PixelSpacing", 2)
    shape = (len(part.slices), rows, columns)
    return Stack(shape, (part.gap_mm, spacing[0], spacing[1]), (0.0, 0.0, 0.0), part.axes)


def _difference(one: Part, other: Part, options: LoadOptions) -> str:
    """Say why two series that continue each other do not form a volume."""
    for keyword, a, b in zip(MAKE, one.make, other.make, strict=True):
        if a != b:
            return f"{keyword} differs"
    try:
        candidates([*one.slices, *other.slices], options)
    except DataError as error:
        return error.found
    return "several series continue it, or the joined series needs repairs"
