"""Ids that differ only by case, in a target that ignores it: one would replace the other."""

from collections.abc import Iterable

from lungprep.errors import ConfigError
from lungprep.ledger import INDEX
from lungprep.stores import Store

# What stands between an id and the last suffix of its files.
SUFFIXES = ("", ".lungs", ".failed")


def check_case(target: Store, patients: Iterable[str], others: Iterable[str]) -> None:
    """Refuse a cohort whose files would be taken for one another's.

    The target itself tells whether it ignores case, by one request if there are such ids: Amazon's
    S3 does not, servers before some file systems do, and so do many disks.

    Parameters
    ----------
    target : Store
        Where results go; it holds the index.
    patients : iterable of str
        Ids of the cohort.
    others : iterable of str
        Ids whose results are in the target, of other cohorts.

    Raises
    ------
    ConfigError
        Naming two of them.
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
    """Two ids, one of the patients at least, that have files of one name but for case."""
    owners: dict[str, str] = {}
    cohort = dict.fromkeys(patients)
    for patient in (*others, *cohort):
        for suffix in SUFFIXES:
            owner = owners.setdefault(f"{patient}{suffix}".lower(), patient)
            if owner != patient and patient in cohort:
                return owner, patient
    return None
