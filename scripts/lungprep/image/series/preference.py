"""Prefer one of several volumes, and give the reason against each of the others."""

from dataclasses import dataclass, replace

from lungprep.errors import DataError
from lungprep.image.series.alternatives import is_peer, other_choices
from lungprep.image.series.contenders import Contender, Field, rank, smaller_lungs
from lungprep.image.series.examinations import Examination, by_examination
from lungprep.image.series.joining import check_continued, continued
from lungprep.image.series.lung_content import look_at
from lungprep.image.series.parts import Part
from lungprep.image.series.policy import LoadOptions

# Kind of a series that is a part of the chosen volume.
JOINED = "joined"
# The reason against a volume, by the criterion that decided.
WORDS = {
    "lungs": "it shows few lungs or none",
    "original": "its images are derived",
    "axial": "its slices are not axial",
    "plain": "its images are computed or projected, not plain ones",
    "complete": "it lacks a part of the lungs, or needs repairs",
    "contiguous": "most of the tissue lies between its slices",
    "examination": "it is from a later examination",
    "supine": "the patient is not supine",
    "inspiration": "the lungs are smaller, as in expiration",
    "gap": "its slices lie further apart",
    "kernel": "the config prefers another kernel",
    "slices": "it has fewer slices",
}


@dataclass(frozen=True)
class Rejection:
    """The reason why a series was not chosen.

    Attributes
    ----------
    kind : str
        Reason for the sidecar: a kind of image, a type of error, or the deciding criterion.
    reason : str
        Reason for a reader; may quote names of objects.
    """

    kind: str
    reason: str


def preferred(
    found: list[Contender], parts: list[Part], options: LoadOptions, rejected: dict[str, Rejection]
) -> Contender:
    """Prefer one of several volumes, in the order of `rank`.

    A single volume that no other series continues is chosen without decoding a slice.

    Parameters
    ----------
    found : list of Contender
        The volumes, at least one.
    parts : list of Part
        All series of parallel slices; empty for a single series.
    options : LoadOptions
        Policy for preferences.
    rejected : dict of str to Rejection
        Reasons against series, by their names. Series that are not preferred are added.

    Returns
    -------
    Contender
        The preferred volume.

    Raises
    ------
    SplitScan
        If the lungs of the best volume continue in another series that can't be joined to it.
    DataError
        If no volume can be decoded.
    """
    if len(found) == 1 and not continued(found[0], parts):
        return found[0]
    looked = _looked_at(found, options, rejected)
    field, examinations = Field(looked), by_examination(looked)
    ranks = _ranks(looked, field, examinations, options)
    order = sorted(range(len(looked)), key=lambda k: (*ranks[k].values(), looked[k].series, k))
    chosen, best = looked[order[0]], ranks[order[0]]
    check_continued(chosen, looked, parts, options)
    for name in chosen.joined:
        rejected[name] = Rejection(JOINED, "its slices are a part of the volume")
    for k in order[1:]:
        other = looked[k]
        if other.series not in rejected:
            rejected[other.series] = _lost(other, ranks[k], chosen, best)
    rejected.pop(chosen.series, None)
    chosen.volume.flags.update(other_choices(chosen, looked, field, examinations))
    return chosen


def _ranks(
    looked: list[Contender],
    field: Field,
    examinations: list[Examination],
    options: LoadOptions,
) -> list[dict[str, float]]:
    """Rank each volume; lung sizes are compared within one examination and position."""
    ranks = []
    pairs = list(zip(looked, examinations, strict=True))
    for contender, examination in pairs:
        peers = [
            other
            for other, e in pairs
            if e == examination and other.position == contender.position and is_peer(other, field)
        ]
        expired = contender in peers and smaller_lungs(contender, peers)
        ranks.append(rank(contender, field, options, examination.day, expired=expired))
    return ranks


def _looked_at(
    found: list[Contender], options: LoadOptions, rejected: dict[str, Rejection]
) -> list[Contender]:
    """Add looks to the contenders, and drop those that can't be decoded, unless none can be."""
    looked: list[Contender] = []
    failure: DataError | None = None
    for contender in found:
        volume = contender.volume
        try:
            look = contender.look or look_at(
                volume.slices, volume.stack, assume_hu=options.assume_hu
            )
        except DataError as error:
            failure = failure or error
            rejected[contender.series] = Rejection(type(error).__name__, str(error))
            continue
        looked.append(replace(contender, look=look))
    if failure is not None and not looked:
        raise failure
    return looked


def _lost(
    other: Contender, rank_: dict[str, float], chosen: Contender, best: dict[str, float]
) -> Rejection:
    """Name the criterion against a volume: a word for the sidecar, a sentence for the log."""
    criterion = next((name for name in rank_ if rank_[name] != best[name]), "order")
    words = WORDS.get(criterion, "it comes later in the order of numbers")
    if criterion in ("lungs", "complete", "inspiration"):
        litres = (c.lung_ml / 1000 for c in (other, chosen))
        words += " ({:.2f} l of lung, {:.2f} l in the chosen one)".format(*litres)
    gap_mm = other.volume.stack.spacing_mm[0]
    return Rejection(
        f"less preferred: {criterion}",
        f"{len(other.volume.slices)} slices {gap_mm:.2f} mm apart, less preferred: {words}",
    )
