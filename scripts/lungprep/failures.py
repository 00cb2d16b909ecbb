"""Failures as data: ``failures.csv`` in the target, one row for each patient without a result."""

import csv
import io
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass, fields

from lungprep.errors import ObjectNotFound, printable
from lungprep.stores import Store
from lungprep.stores.base import read_listed
from lungprep.verdicts import Verdict

# No patient's file has this name: they all end in .npy, .json or .png.
TABLE = "failures.csv"
# How a spreadsheet recognises a formula; texts may begin with the name of an object.
FORMULA = ("=", "+", "-", "@", "\t")

# Of 100,000 patients there are 30 MB.
LARGEST = 1 << 28
ATTEMPT = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class FailedPatient:
    """A row of the table.

    Attributes
    ----------
    patient : str
        Id.
    step : str
        The rule that failed.
    type : str
        Type of the error, as in `lungprep.errors`; ``Killed`` for a job that was killed.
    text : str
        What was found; what to do.
    attempt : int
        How many runs have failed on the patient, one after the other.
    """

    patient: str
    step: str
    type: str
    text: str
    attempt: int = 1


def read_table(target: Store) -> dict[str, FailedPatient]:
    """Rows of the target's table by patient; none where there is no table.

    Rows that are not of the table's form are left out: it is a record, and decides nothing.
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
        Rows before it.
    verdicts : dict of str to Verdict
        Failures of the run by patient.
    done : collection of str
        Patients who have a result by now.
    """
    rows = {patient: row for patient, row in earlier.items() if patient not in done}
    for patient, verdict in verdicts.items():
        before = rows[patient].attempt if patient in rows else 0
        rows[patient] = FailedPatient(
            patient, verdict.step, verdict.error, verdict.text, before + 1
        )
    return rows


def write_table(target: Store, rows: dict[str, FailedPatient]) -> None:
    """Write the table in order of patients; without a row there is none."""
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
    """A cell that no spreadsheet takes for a formula, whoever wrote the row before."""
    formula = isinstance(value, str) and value.startswith(FORMULA)
    return f"'{value}" if formula else value
