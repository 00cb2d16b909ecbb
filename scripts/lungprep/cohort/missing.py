"""Table of the missing patients and the reasons, for other programs: config key `missing_tsv`."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from lungprep.cohort.ledger import SERIES_CHANGED
from lungprep.cohort.planning import QUARANTINE_OVER, Plan
from lungprep.errors import ConfigError

COLUMNS = ("patient", "state", "detail")
_STATES = {
    SERIES_CHANGED: ("series changed", SERIES_CHANGED),
    QUARANTINE_OVER: ("quarantined", "something changed since"),
}
# Spreadsheets treat a cell that starts with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Row = tuple[str, str, str]


def absentees(plan: Plan, published: Iterable[str], set_aside: Mapping[str, str]) -> list[Row]:
    """Rows for the patients that have no result of the current recipe.

    Parameters
    ----------
    plan : Plan
        Plan of the run.
    published : iterable of str
        Patients that the run has published since.
    set_aside : mapping of str to str
        Patients that it has quarantined since, with the text of the failure.

    Returns
    -------
    list of tuple of str
        Patient, state and detail. The state is missing, incomplete, recipe changed, source
        changed, series changed, quarantined or refused; the detail may be empty.
    """
    done = set(published)
    rows: list[Row] = []
    for patient, reason in plan.stale.items():
        state, _, detail = reason.partition(": ")
        state, detail = _STATES.get(reason, (state, detail))
        if patient in set_aside:
            state, detail = "quarantined", set_aside[patient]
        if patient not in done:
            rows.append((patient, state, detail))
    for patient, failure in plan.quarantined.items():
        rows.append((patient, "quarantined", failure.text.removeprefix(f"{patient}: ")))
    return rows + [(name, "refused", why) for name, why in plan.cohort.refused.items()]


def write_absentees(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as TSV in UTF-8, below a header line.

    Raises
    ------
    ConfigError
        If the file can't be written.
    """
    lines = ["\t".join(cell(text) for text in row) for row in (COLUMNS, *rows)]
    try:
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"missing_tsv {path} can't be written ({error.strerror})",
            "name a file in a folder that you can write to",
        ) from error


def cell(text: str) -> str:
    r"""Text as a cell that any reader parses as one cell of plain text.

    Names come from outside. A backslash, control characters, double quotes and a first character
    that starts a formula are escaped as in Python's string literals: ``\t``, ``\\``, ``\x3d``.
    """
    plain = "".join(c if c.isprintable() and c not in '\\"' else _escaped(c) for c in text)
    return _escaped(plain[0]) + plain[1:] if plain.startswith(_FORMULA) else plain


def _escaped(character: str) -> str:
    if ord(character) < 256 and character != "\\" and character.isprintable():
        return f"\\x{ord(character):02x}"
    return character.encode("unicode_escape").decode()
