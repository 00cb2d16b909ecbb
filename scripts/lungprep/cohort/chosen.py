"""The patients of a cohort that the key ``only`` names."""

from dataclasses import replace

from lungprep.cohort.patients import Cohort
from lungprep.errors import ConfigError

LISTED = 3


def chosen(cohort: Cohort, only: str | int | None) -> Cohort:
    """Return a cohort of the named patients; folders and rows that were refused are left out.

    Parameters
    ----------
    cohort : Cohort
        All patients.
    only : str, int or None
        Value of the key: an id, or several separated by commas. None keeps the cohort.

    Raises
    ------
    ConfigError
        If the key names a patient that is not in the cohort, or names none.

    Examples
    --------
    >>> from lungprep.cohort.patients import Patient
    >>> from lungprep.stores.address import Address
    >>> both = {id: Patient(id, Address("bucket", f"{id}/")) for id in ("P1", "P2")}
    >>> list(chosen(Cohort(both), "P2").patients)
    ['P2']
    """
    if only is None:
        return cohort
    names = list(dict.fromkeys(filter(None, (name.strip() for name in str(only).split(",")))))
    if not names:
        raise ConfigError(f"only is {only!r}, which names no patient", "give an id, or null")
    unknown = [name for name in names if name not in cohort.patients]
    if unknown:
        some = ", ".join(map(repr, unknown[:LISTED]))
        # Snakemake reads digits as a number, and drops zeros before them; a comma makes them text.
        zeros = (
            f"; for zeros before it, write --config only=00{only}," if isinstance(only, int) else ""
        )
        raise ConfigError(
            f"only names {some}, and the cohort has no such patient", f"check the id{zeros}"
        )
    return replace(cohort, patients={name: cohort.patients[name] for name in names}, refused={})
