"""Choose the series of a patient that becomes the volume."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lungprep.errors import DataError, LungprepError, NoCTImages, NotOriginal, TooFewSlices
from lungprep.image.dicom.slices import Slice
from lungprep.image.series.alternatives import own_flags
from lungprep.image.series.candidates import Candidate, candidates
from lungprep.image.series.contenders import Contender
from lungprep.image.series.image_types import DERIVED, without_kinds
from lungprep.image.series.joining import joined
from lungprep.image.series.parts import parts_of
from lungprep.image.series.policy import LoadOptions
from lungprep.image.series.preference import Rejection, preferred

# Name of a series without SeriesInstanceUID.
NAMELESS = "no SeriesInstanceUID"


@dataclass(frozen=True)
class Choice:
    """The series that becomes the volume, and the reasons against the others.

    Attributes
    ----------
    series_uid : str
        SeriesInstanceUID of the chosen series.
    volume : Candidate
        Slices and geometry of the volume.
    rejected : dict of str to Rejection
        Reasons against the other CT series, by SeriesInstanceUID.
    """

    series_uid: str
    volume: Candidate
    rejected: dict[str, Rejection]


def choose_series(
    slices: Iterable[Slice], options: LoadOptions, *, series_uid: str | None = None
) -> Choice:
    """Choose the series that shows the patient's chest.

    Localizers and derived images are set aside first, then images that form no volume (see
    `candidates`). Series that continue each other are joined if the lungs extend over both. If
    several volumes remain, some slices of each are examined (see `look_at`), and the first in the
    order of `rank` is chosen.

    Parameters
    ----------
    slices : iterable of Slice
        All CT images of the patient, in any order.
    options : LoadOptions
        Policy for acceptance, repairs and preferences.
    series_uid : str, optional
        Take only this series, even if it is derived.

    Returns
    -------
    Choice
        The chosen series, and the reasons against the others.

    Raises
    ------
    NoCTImages
        If no image is a CT image, or none belongs to `series_uid`.
    NotOriginal
        If all CT images are localizers or derived.
    SplitScan
        If the lungs of the best series continue in another series that can't be joined.
    DataError
        If no series forms a volume; the error describes the fault of the largest series.
    """
    groups = _by_series(slices, series_uid)
    if series_uid is not None:
        options = replace(options, accept_derived=True)
    rejected: dict[str, Rejection] = {}
    failures: dict[str, tuple[int, DataError]] = {}
    offered: dict[str, list[Slice]] = {}
    found: list[Contender] = []
    for name, group in groups.items():
        kept, refused = without_kinds(group, options)
        if not kept:
            rejected[name] = Rejection("+".join(sorted(refused)), _counted(refused))
            continue
        offered[name] = kept
        try:
            volumes = candidates(kept, options)
        except DataError as error:
            rejected[name] = Rejection(type(error).__name__, str(error))
            failures[name] = (len(kept), error)
            continue
        found += [Contender(name, replace(c, set_aside=c.set_aside + refused)) for c in volumes]
    parts = parts_of(offered) if len(offered) > 1 else []
    found += joined(parts, options)
    if not found:
        raise _failure(failures, rejected, options)
    chosen = preferred(found, parts, options, rejected)
    chosen.volume.flags.update(own_flags(chosen))
    return Choice(chosen.volume.slices[0].series_uid, chosen.volume, rejected)


def _by_series(slices: Iterable[Slice], series_uid: str | None) -> dict[str, list[Slice]]:
    """Group slices by the name of their series.

    Slices without SeriesInstanceUID are grouped by other tags that a series has in common.
    """
    groups: dict[str, list[Slice]] = defaultdict(list)
    nameless: dict[tuple[str, ...], list[Slice]] = defaultdict(list)
    for slice_ in slices:
        if series_uid not in (None, slice_.series_uid):
            continue
        if slice_.series_uid:
            groups[slice_.series_uid].append(slice_)
        else:
            tags = tuple(slice_.written(k) for k in ("StudyInstanceUID", "SeriesNumber"))
            nameless[*tags, slice_.text("FrameOfReferenceUID")].append(slice_)
    for number, group in enumerate(nameless.values(), start=1):
        groups[NAMELESS if number == 1 else f"{NAMELESS} ({number})"] = group
    if not groups:
        wanted = f"CT image of series {series_uid}" if series_uid else "CT image"
        raise NoCTImages(f"no {wanted} among the objects", "check the prefix and the cohort file")
    return groups


def _failure(
    failures: dict[str, tuple[int, DataError]],
    rejected: dict[str, Rejection],
    options: LoadOptions,
) -> LungprepError:
    if not failures:
        kinds = Counter(rejection.kind for rejection in rejected.values())
        derived = any(DERIVED in kind for kind in kinds)
        return NotOriginal(
            f"the CT images are not original slices ({_counted(kinds)} series)",
            "upload the original series"
            + (", or set load.accept_derived to true" if derived else ""),
        )
    most, largest = max(failures.values(), key=lambda failure: failure[0])
    if len(failures) >= options.min_slices and most < options.min_slices:
        count = sum(count for count, _ in failures.values())
        return TooFewSlices(
            f"the {count} CT images are in {len(failures)} series of at most {most} each, which "
            "can't be joined into one scan",
            "export it again with one SeriesInstanceUID and one FrameOfReferenceUID: the usual "
            "cause is a tool that replaced them in each file",
        )
    others = len(rejected) - 1
    also = f" (the other {others} CT series can't form a volume either)" if others else ""
    return type(largest)(largest.found + also, largest.remedy)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
