"""Where the published arrays of patients lie, read from their receipts."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from lungprep.cohort import ACCEPTED_ID, FAILED, ID_RULE, RECEIPT
from lungprep.coordinates import Placement
from lungprep.errors import ConfigError, DataError, NotFound, ObjectNotFound
from lungprep.stores import Store
from lungprep.stores.base import CONNECTIONS


def read_placement(target: Store, patient: str) -> Placement:
    """Read where the array of a patient lies.

    Raises
    ------
    ConfigError
        Where the name is no patient id.
    ObjectNotFound
        Where the patient is not published.
    DataError
        Where the receipt is none.
    """
    if not ACCEPTED_ID.fullmatch(patient):
        raise ConfigError(f"{patient!r} is not usable as a patient id", ID_RULE)
    try:
        return Placement.of(patient, target.read(RECEIPT.format(patient=patient)))
    except ObjectNotFound as error:
        raise ObjectNotFound(
            f"patient {patient} is not published in {target.address}",
            "check the id and the target, or publish the patient first",
        ) from error


def read_placements(
    target: Store, patients: Iterable[str] | None, tell: Callable[[int, int], None]
) -> tuple[dict[str, Placement], list[str]]:
    """Read where the arrays of patients lie.

    The cohort index does not hold this, so each receipt is read.

    Parameters
    ----------
    target : Store
        Where they are published.
    patients : iterable of str or None
        Whose receipts to read; None for all.
    tell : callable
        Called with the number of receipts read and the number of all.

    Returns
    -------
    placements : dict of str to Placement
        By patient.
    unusable : list of str
        What was found in place of a receipt, a line each.

    Raises
    ------
    NotFound
        Where nobody is published.
    """
    published = {
        patient
        for key in (entry.key for entry in target.entries())
        if key.endswith(".json") and not key.endswith(FAILED.format(patient=""))
        # Other keys, the index among them, are no patient's.
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
