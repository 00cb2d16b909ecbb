"""Table of failures: ``failures.csv`` in the target, one row per patient without a result."""

import csv
import io
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass, fields

from lungprep.errors import ObjectNotFound, printable
from lungprep.stores import Store
from lungprep.stores.base import read_listed
from lungprep.workspace.verdicts import Verdict

# Patients' files end in .npy, .json or .png, so none has this name.
TABLE = "failures.csv"
# Spreadsheets treat a cell that starts with one of these as a formula; texts may start with the
# name of an object.
FORMULA = ("=", "+", "-", "@", "\t")

# 100,000 patients take 30 MB.
LARGEST = 1 << 28
ATTEMPT = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class FailedPatient:
    """Row of the table.

    Attributes
    ----------
    patient : str
        Patient id.
    step : str
        Rule that failed.
    type : str
        Type of the error, as in `lungprep.errors`; ``Killed`` for a job that was killed.
    text : str
        Problem and remedy, as *found; remedy*.
    attempt : int
        Number of consecutive runs that failed on the patient.
    """

    patient: str
    step: str
    type: str
    text: str
    attempt: int = 1


def read_table(target: Store) -> dict[str, FailedPatient]:
    """Read the target's table, by patient; empty if there is none.

    Malformed rows are ignored: the table is only a record, and no decision depends on it.
    """
    there = target.stat(TABLE)
    if there is None or there.size > LARGEST:
        return {}
    try:
        text = read_listed(target, there).decode(errors="replace")
    except ObjectNotFound:
        return {}
    names = {field.name for field in fields(FailedPatient)}
    rows = {}
    with suppress(csv.Error):
        for row in csv.DictReader(io.StringIO(text)):
            if names <= row.keys() and ATTEMPT.fullmatch(row["attempt"] or ""):
                plain = {name: printable(str(row[name])) for name in names - {"attempt"}}
                rows[row["patient"]] = FailedPatient(**plain, attempt=int(row["attempt"]))
    return rows


def updated(
    earlier: dict[str, FailedPatient], verdicts: dict[str, Verdict], done: Collection[str]
) -> dict[str, FailedPatient]:
    """Rows after a run.

    Parameters
    ----------
    earlier : dict of str to FailedPatient
        Rows before the run.
    verdicts : dict of str to Verdict
        Failures of the run by patient.
    done : collection of str
        Patients that have a result now.
    """
    rows = {patient: row for patient, row in earlier.items() if patient not in done}
    for patient, verdict in verdicts.items():
        before = rows[patient].attempt if patient in rows else 0
        rows[patient] = FailedPatient(
            patient, verdict.step, verdict.error, verdict.text, before + 1
        )
    return rows


def write_table(target: Store, rows: dict[str, FailedPatient]) -> None:
    """Write the table in order of patients; remove it if it would be empty."""
    if not rows:
        target.discard(TABLE)
        return
    text = io.StringIO()
    table = csv.DictWriter(text, [f.name for f in fields(FailedPatient)], lineterminator="\n")
    table.writeheader()
    for _, row in sorted(rows.items()):
        table.writerow({name: _guarded(value) for name, value in asdict(row).items()})
    target.write(TABLE, text.getvalue().encode())


def _guarded(value: str | int) -> str | int:
    """Cell that no spreadsheet treats as a formula, whatever the origin of the row."""
    formula = isinstance(value, str) and value.startswith(FORMULA)
    return f"'{value}" if formula else value
