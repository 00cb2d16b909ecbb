"""Which series of a patient becomes the volume."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lungprep.dicom.slices import Slice
from lungprep.errors import DataError, LungprepError, MissingTag, NoCTImages, NotOriginal
from lungprep.series.candidates import Candidate, candidates
from lungprep.series.image_types import DERIVED, kind_of, without_kinds
from lungprep.series.policy import LoadOptions
from lungprep.series.sharpness import sharpness

# A series that reaches less far than this share of the longest is a part of the chest.
COMPLETE_SHARE = 0.8


@dataclass(frozen=True)
class Rejection:
    """Why a series was not taken.

    Attributes
    ----------
    kind : str
        For the sidecar: a kind of image, a type of error, or the criterion that it lost by.
    reason : str
        The same for a person; may quote names of objects.
    """

    kind: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """The series that becomes the volume, and why not the others.

    Attributes
    ----------
    series_uid : str
        SeriesInstanceUID of the choice.
    volume : Candidate
        Its slices and geometry.
    rejected : dict of str to Rejection
        The other CT series, by SeriesInstanceUID.
    """

    series_uid: str
    volume: Candidate
    rejected: dict[str, Rejection]


def choose_series(
    slices: Iterable[Slice], options: LoadOptions, *, series_uid: str | None = None
) -> Choice:
    """Choose the series that is the patient's chest.

    Localizers and derived images are set aside first, then what forms no volume (see `candidates`).
    Of the rest these decide, in this order: original before derived; axial; complete (nothing
    repaired, and at least 80 % as long as the longest); the thinnest gap; the kernel that
    ``options.series`` prefers; most slices; the first by acquisition and instance number.

    Parameters
    ----------
    slices : iterable of Slice
        All CT images of the patient, in any order.
    options : LoadOptions
        What is accepted, repaired and preferred.
    series_uid : str, optional
        Take this series and no other, even if it is derived.

    Raises
    ------
    NoCTImages
        If there is no CT image, or none of `series_uid`.
    NotOriginal
        If all are localizers or derived.
    DataError
        If no series forms a volume: what is wrong with the largest one.
    """
    groups = _by_series(slices, series_uid)
    if series_uid is not None:
        options = replace(options, accept_derived=True)
    rejected: dict[str, Rejection] = {}
    failures: dict[str, tuple[int, DataError]] = {}
    found: list[tuple[str, Candidate]] = []
    for uid, group in groups.items():
        kept, refused = without_kinds(group, options)
        if not kept:
            rejected[uid] = Rejection("+".join(sorted(refused)), _counted(refused))
            continue
        try:
            volumes = candidates(kept, options)
        except DataError as error:
            rejected[uid] = Rejection(type(error).__name__, str(error))
            failures[uid] = (len(kept), error)
            continue
        found += [(uid, replace(c, set_aside=c.set_aside + refused)) for c in volumes]
    if not found:
        raise _failure(failures, rejected)
    uid, volume = _preferred(found, options, rejected)
    if any(kind_of(slice_) == DERIVED for slice_ in volume.slices):
        volume.flags["derived_image"] = len(volume.slices)
    return Choice(uid, volume, rejected)


def _by_series(slices: Iterable[Slice], series_uid: str | None) -> dict[str, list[Slice]]:
    groups: dict[str, list[Slice]] = defaultdict(list)
    for slice_ in slices:
        if series_uid in (None, slice_.series_uid):
            groups[slice_.series_uid].append(slice_)
    if not groups:
        wanted = f"CT image of series {series_uid}" if series_uid else "CT image"
        raise NoCTImages(f"no {wanted} among the objects", "check the prefix and the cohort file")
    return groups


def _preferred(
    found: list[tuple[str, Candidate]], options: LoadOptions, rejected: dict[str, Rejection]
) -> tuple[str, Candidate]:
    longest = max(candidate.stack.length_mm for _, candidate in found)
    ranked = sorted(
        ((_rank(candidate, options, longest), uid, candidate) for uid, candidate in found),
        key=lambda item: (*item[0].values(), item[1]),
    )
    best, uid, chosen = ranked[0]
    for rank, other, candidate in ranked[1:]:
        if other == uid or other in rejected:
            continue
        criterion = next((name for name in rank if rank[name] != best[name]), "order")
        spacing = candidate.stack.spacing_mm[0]
        rejected[other] = Rejection(
            f"less preferred: {criterion}",
            f"{len(candidate.slices)} slices {spacing:.2f} mm apart, less preferred by {criterion}",
        )
    return uid, chosen


def _rank(candidate: Candidate, options: LoadOptions, longest_mm: float) -> dict[str, float]:
    """Value of each criterion, in order; the smaller one wins."""
    first, stack = candidate.slices[0], candidate.stack
    repaired = set(candidate.flags) - {"acquisitions_separated", "duplicates_dropped"}
    kernels = {options.series: 0, "unknown": 1}
    return {
        "original": any(kind_of(slice_) == DERIVED for slice_ in candidate.slices),
        "axial": abs(stack.axes[0, 2]) < max(abs(stack.axes[1, 2]), abs(stack.axes[2, 2])),
        "complete": bool(repaired) or stack.length_mm < COMPLETE_SHARE * longest_mm,
        "gap": round(stack.spacing_mm[0], 2),
        "kernel": options.series != "any"
        and kernels.get(sharpness(first.text("ConvolutionKernel")), 2),
        "slices": -len(candidate.slices),
        "acquisition": _first(candidate, "AcquisitionNumber"),
        "instance": _first(candidate, "InstanceNumber"),
    }


def _first(candidate: Candidate, keyword: str) -> int:
    """Lowest number that a tag has; 0 where it is no number."""
    try:
        return min(slice_.integer(keyword, 0) for slice_ in candidate.slices)
    except MissingTag:
        return 0


def _failure(
    failures: dict[str, tuple[int, DataError]], rejected: dict[str, Rejection]
) -> LungprepError:
    if not failures:
        kinds = Counter(rejection.kind for rejection in rejected.values())
        derived = any(DERIVED in kind for kind in kinds)
        return NotOriginal(
            f"the CT images are no original slices ({_counted(kinds)} series)",
            "upload the original series"
            + (", or set load.accept_derived to true" if derived else ""),
        )
    _, largest = max(failures.values(), key=lambda failure: failure[0])
    others = len(rejected) - 1
    also = f" (the other {others} CT series form no volume either)" if others else ""
    return type(largest)(largest.found + also, largest.remedy)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
