"""Read the placements of published arrays from the patients' sidecars."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from lungprep.cohort.patients import ACCEPTED_ID, FAILED, ID_RULE, SIDECAR
from lungprep.errors import ConfigError, DataError, NotFound, ObjectNotFound
from lungprep.nodules.coordinates import Placement
from lungprep.stores import Store
from lungprep.stores.base import CONNECTIONS


def read_placement(target: Store, patient: str) -> Placement:
    """Read the placement of a patient's array.

    Raises
    ------
    ConfigError
        If the name is not a valid patient id.
    ObjectNotFound
        If the patient is not published.
    DataError
        If the sidecar is invalid.
    """
    if not ACCEPTED_ID.fullmatch(patient):
        raise ConfigError(f"{patient!r} is not usable as a patient id", ID_RULE)
    try:
        return Placement.of(patient, target.read(SIDECAR.format(patient=patient)))
    except ObjectNotFound as error:
        raise ObjectNotFound(
            f"patient {patient} is not published in {target.address}",
            "check the id and the target, or publish the patient first",
        ) from error


def read_placements(
    target: Store, patients: Iterable[str] | None, tell: Callable[[int, int], None]
) -> tuple[dict[str, Placement], list[str]]:
    """Read the placements of patients' arrays.

    The cohort index does not hold placements, so each sidecar is read.

    Parameters
    ----------
    target : Store
        Store with the results.
    patients : iterable of str or None
        Ids of the patients; None for all.
    tell : callable
        Function called with the number of sidecars that were read, and their total number.

    Returns
    -------
    placements : dict of str to Placement
        Placements by patient.
    unusable : list of str
        One line about each unusable sidecar.

    Raises
    ------
    NotFound
        If no patient is published.
    """
    published = {
        patient
        for key in (entry.key for entry in target.entries())
        if key.endswith(".json") and not key.endswith(FAILED.format(patient=""))
        # Other keys, such as the cohort index, do not belong to a patient.
        if ACCEPTED_ID.fullmatch(patient := key.removesuffix(".json"))
    }
    if not published:
        raise NotFound(f"{target.address} holds no published patient", "check the address")
    wanted = sorted(published if patients is None else published.intersection(patients))

    def read(patient: str) -> Placement | str:
        try:
            return read_placement(target, patient)
        except (DataError, ObjectNotFound) as error:
            return str(error)

    placements, unusable = {}, []
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for found in pool.map(read, wanted):
            if isinstance(found, Placement):
                placements[found.patient] = found
            else:
                unusable.append(found)
            tell(len(placements) + len(unusable), len(wanted))
    return placements, unusable
