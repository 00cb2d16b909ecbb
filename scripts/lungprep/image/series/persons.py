"""Check that all CT images under a patient's prefix are of one person.

The compared values identify people: none of them may reach a message.
"""

from collections import defaultdict
from collections.abc import Iterable

from lungprep.errors import SeveralPatients
from lungprep.image.dicom.slices import Slice
from lungprep.image.series.identities import TAGS, Person, contradiction, person_of


def check_one_person(
    slices: Iterable[Slice], address: str, *, named: bool = False, sampled: bool = False
) -> None:
    """Refuse CT images of several people.

    Localizers and derived images count too: one of another person shows that exports were mixed
    up. Other modalities do not count: their headers come from other machines, and their content is
    not published. Different PatientIDs mean different people. Without PatientIDs, a different
    PatientName, PatientSex or PatientBirthDate does, or a PatientAge that the dates can't explain.
    An absent value contradicts nothing.

    Parameters
    ----------
    slices : iterable of Slice
        All CT images that may be taken.
    address : str
        The prefix, with a slash at the end; for the remedy.
    named : bool
        Whether the images are of a series that the cohort file names.
    sampled : bool
        Whether the images are only a sample.

    Raises
    ------
    SeveralPatients
        If the images are of several people; the error gives their number and none of their values.
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
    """Group images that may be of one person; also return the tag that separates two groups."""
    groups: list[list[tuple[str, ...]]] = []
    evidence = ""
    # The most complete identities come first, so that incomplete ones join the matching group.
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
    """Suggest a remedy; if each person has a folder, suggest that level first."""
    if named:
        return "export each person's images as a separate series"
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
    """Return the folders nearest to the prefix that hold one person each; empty if none do."""
    paths = [[key.split("/")[:-1] for key in keys] for keys in by_person]
    least = min(len(path) for person in paths for path in person)
    for depth in range(1, least + 1):
        held = [{"/".join(path[:depth]) for path in person} for person in paths]
        if sum(map(len, held)) == len(set().union(*held)):
            return set().union(*held)
    return set()
