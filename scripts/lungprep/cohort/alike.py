"""Ids that differ only by case, in a target that ignores case: one would replace the other."""

from collections.abc import Iterable

from lungprep.cohort.ledger import INDEX
from lungprep.errors import ConfigError
from lungprep.stores import Store

# Text between an id and the last suffix of its files.
SUFFIXES = ("", ".lungs", ".failed")


def check_case(target: Store, patients: Iterable[str], others: Iterable[str]) -> None:
    """Refuse a cohort in which two patients' files would have the same name.

    If such ids exist, one request tests whether the target ignores case. Amazon's S3 does not, but
    servers on top of some file systems do, and so do many disks.

    Parameters
    ----------
    target : Store
        Store of the results; it holds the index.
    patients : iterable of str
        Ids of the cohort.
    others : iterable of str
        Ids of other cohorts with results in the target.

    Raises
    ------
    ConfigError
        If the target ignores case and two ids differ only by case; the text names them.
    StoreError
        If the target does not answer.
    """
    pair = alike(patients, others)
    if pair and target.stat(INDEX.upper()) is not None:
        raise ConfigError(
            f"patients {pair[0]} and {pair[1]} differ only by case, which target {target.address} "
            "ignores",
            "rename one of them, or choose another target",
        )


def alike(patients: Iterable[str], others: Iterable[str] = ()) -> tuple[str, str] | None:
    """Two ids, at least one of them in `patients`, whose files' names differ only by case."""
    owners: dict[str, str] = {}
    cohort = dict.fromkeys(patients)
    for patient in (*others, *cohort):
        for suffix in SUFFIXES:
            owner = owners.setdefault(f"{patient}{suffix}".lower(), patient)
            if owner != patient and patient in cohort:
                return owner, patient
    return None
