"""Group the volumes of a person by examination, in order of date."""

from dataclasses import dataclass
from datetime import date

from lungprep.image.dicom.slices import Slice
from lungprep.image.series.contenders import Contender
from lungprep.image.series.identities import calendar_day

# Tags with the day of an examination, most reliable first. Dates are used only for this order.
DAYS = ("StudyDate", "AcquisitionDate", "SeriesDate")


@dataclass(frozen=True)
class Examination:
    """One of the examinations of a person.

    Attributes
    ----------
    number : int
        Number that identifies the examination.
    day : int
        Day, as an ordinal for sorting; 0 for all examinations if the day of one is unknown.
    """

    number: int
    day: int


def by_examination(contenders: list[Contender]) -> list[Examination]:
    """Group the volumes of a person by examination.

    An examination has one StudyInstanceUID. If its parts were sent under several UIDs, they have a
    frame of reference, or even the pixels, in common. Without StudyInstanceUIDs, the day decides.

    Returns
    -------
    list of Examination
        Examination of each contender.
    """
    groups: list[list[int]] = []
    for k, contender in enumerate(contenders):
        fitting = [g for g in groups if any(_belong(contender, contenders[i]) for i in g)]
        groups = [g for g in groups if g not in fitting]
        groups.append([*(i for g in fitting for i in g), k])
    days = [_first_day([contenders[i] for i in group]) for group in groups]
    found = {
        i: Examination(number, day.toordinal() if day and all(days) else 0)
        for number, (group, day) in enumerate(zip(groups, days, strict=True))
        for i in group
    }
    return [found[k] for k in range(len(contenders))]


def _belong(one: Contender, other: Contender) -> bool:
    a, b = one.volume.slices[0], other.volume.slices[0]
    studies = {slice_.written("StudyInstanceUID") for slice_ in (a, b)}
    if len(studies) == 1 and "" not in studies:
        return True
    if one.look and other.look and one.look.same_pixels(other.look):
        return True
    days = _day(a), _day(b)
    if all(days) and days[0] != days[1]:
        return False
    frames = {slice_.text("FrameOfReferenceUID") for slice_ in (a, b)}
    if len(frames) == 1 and "" not in frames:
        return True
    return "" in studies


def _first_day(group: list[Contender]) -> date | None:
    return min((day for c in group if (day := _day(c.volume.slices[0]))), default=None)


def _day(slice_: Slice) -> date | None:
    days = (calendar_day(slice_.written(keyword)) for keyword in DAYS)
    return next((day for day in days if day), None)
