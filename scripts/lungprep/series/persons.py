"""Whether all CT images of a patient's prefix are of one person.

The values that are compared here identify people: none of them may reach a message.
"""

from collections import defaultdict
from collections.abc import Iterable

from lungprep.dicom.slices import Slice
from lungprep.errors import SeveralPatients
from lungprep.series.identities import TAGS, Person, contradiction, person_of


def check_one_person(
    slices: Iterable[Slice], address: str, *, named: bool = False, sampled: bool = False
) -> None:
    """Refuse CT images of several people.

    Localizers and derived images count as others do: one of somebody else says that exports were
    mixed up. Other modalities don't: their headers come from other machines, and what they show is
    not published. Several PatientIDs are several people. Where those are gone, it takes another
    PatientName, PatientSex, PatientBirthDate, or a PatientAge that the dates can't explain. A value
    that is absent contradicts nothing.

    Parameters
    ----------
    slices : iterable of Slice
        All CT images that may be taken.
    address : str
        The prefix, which ends in a slash; for the remedy.
    named : bool
        Whether they are of a series that the cohort file names.
    sampled : bool
        Whether they are some images of more.

    Raises
    ------
    SeveralPatients
        With the number of people, and none of their values.
    """
    images: dict[tuple[str, ...], list[Slice]] = defaultdict(list)
    for slice_ in slices:
        images[tuple(slice_.written(keyword) for keyword in TAGS)].append(slice_)
    if len(images) < 2:
        return
    groups, evidence = _parted({values: person_of(values) for values in images})
    if len(groups) < 2:
        return
    people = [[slice_ for values in group for slice_ in images[values]] for group in groups]
    count = f"at least {len(people)}" if sampled else f"{len(people)}"
    total = "" if sampled else f"{sum(map(len, people))} "
    raise SeveralPatients(
        f"{total}CT images of {count} people (by {evidence}) lie under one prefix",
        _remedy(people, address, named=named, sampled=sampled),
    )


def _parted(
    persons: dict[tuple[str, ...], Person],
) -> tuple[list[list[tuple[str, ...]]], str]:
    """Group what may be one person; with the tag that parts the first two groups."""
    groups: list[list[tuple[str, ...]]] = []
    evidence = ""
    # Those of whom most is known come first, so that the others join who they fit.
    for values, person in sorted(persons.items(), key=lambda item: (-_known(item[1]), item[0])):
        for group in groups:
            found = [contradiction(persons[other], person) for other in group]
            if not any(found):
                group.append(values)
                break
            evidence = evidence or next(filter(None, found))
        else:
            groups.append([values])
    return groups, evidence


def _known(person: Person) -> int:
    facts = (person.name, person.sex, person.birth, person.age)
    return 10 * bool(person.id) + sum(map(bool, facts))


def _remedy(people: list[list[Slice]], address: str, *, named: bool, sampled: bool) -> str:
    """What helps: the level of the people's own folders, if they have some, comes first."""
    if named:
        return "export each person's images as a series of its own"
    elsewise = "keep one person's images under a prefix"
    series = [{slice_.series_uid for slice_ in person} for person in people]
    if sum(map(len, series)) == len(set().union(*series)) and "" not in set().union(*series):
        elsewise += ", or name one series for each in the cohort file"
    folders = _folders([[slice_.key for slice_ in person] for person in people])
    if not folders:
        return elsewise
    count = "" if sampled else f"{len(folders)} "
    parents = {folder.rpartition("/")[0] for folder in folders}
    if len(parents) == 1:
        below = "".join(f"{parent}/" for parent in parents if parent)
        return (
            f"give {address}{below} as source, whose {count}folders hold one person each; or "
            f"{elsewise}"
        )
    return (
        f"list the {count}folders that hold one person each, such as {address}{min(folders)}/, in "
        f"the cohort file; or {elsewise}"
    )


def _folders(by_person: list[list[str]]) -> set[str]:
    """The folders nearest to the prefix of which each holds one person; none where none do."""
    paths = [[key.split("/")[:-1] for key in keys] for keys in by_person]
    least = min(len(path) for person in paths for path in person)
    for depth in range(1, least + 1):
        held = [{"/".join(path[:depth]) for path in person} for person in paths]
        if sum(map(len, held)) == len(set().union(*held)):
            return set().union(*held)
    return set()
