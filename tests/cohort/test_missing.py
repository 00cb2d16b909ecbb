"""The table of who is missing: no name from outside breaks it, or is more than text in it."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungprep.cohort.ledger import RECIPE_CHANGED, SERIES_CHANGED, Sidecars
from lungprep.cohort.missing import COLUMNS, absentees, cell, write_absentees
from lungprep.cohort.patients import Cohort, Patient
from lungprep.cohort.planning import QUARANTINE_OVER, Plan
from lungprep.cohort.quarantine import Failure
from lungprep.errors import ConfigError
from lungprep.stores import Address

WEIRD = [
    "=1+1",
    "-rf",
    "@x",
    "+1",
    "a\tb",
    "a\nb",
    '"a',
    "a\\tb",
    "ünï",
    "\x1b[2J",
    "\udcff",
    "\u202e",
]


def table(path):
    """The same rows by two ways of reading."""
    text = path.read_text("utf-8")
    plain = [line.split("\t") for line in text.removesuffix("\n").split("\n")]
    assert list(csv.reader(io.StringIO(text, newline=""), delimiter="\t")) == plain
    return plain


def plan(stale, refused=(), failures=()):
    patients = {p: Patient(p, Address("b", f"{p}/")) for p in [*stale, *failures, "done"]}
    aside = {p: Failure(p, "load", "TooShort", "too short", "r", "s", None) for p in failures}
    cohort = Cohort(patients, dict.fromkeys(refused, "not usable"))
    return Plan(cohort, stale, aside, Sidecars({}, {}, 0), "r", None)


def test_each_reason_has_its_state():
    stale = {
        "P1": "missing",
        "P2": "incomplete: P2.npy is absent",
        "P3": RECIPE_CHANGED,
        "P4": "source changed",
        "P5": SERIES_CHANGED,
        "P6": QUARANTINE_OVER,
    }
    rows = absentees(plan(stale, ["P 7"], ["P8"]), [], {})
    assert rows == [
        ("P1", "missing", ""),
        ("P2", "incomplete", "P2.npy is absent"),
        ("P3", "recipe changed", ""),
        ("P4", "source changed", ""),
        ("P5", "series changed", "another series is requested"),
        ("P6", "quarantined", "something changed since"),
        ("P8", "quarantined", "too short"),
        ("P 7", "refused", "not usable"),
    ]


def test_after_a_run_those_it_published_are_gone():
    stale = dict.fromkeys(["P1", "P2", "P3"], "missing")
    rows = absentees(plan(stale), ["P1"], {"P2": "no air"})
    assert rows == [("P2", "quarantined", "no air"), ("P3", "missing", "")]


def test_nobody_missing_is_a_header(tmp_path):
    write_absentees(tmp_path / "m.tsv", absentees(plan({}), [], {}))
    assert table(tmp_path / "m.tsv") == [list(COLUMNS)]


def test_names_from_outside_are_cells(tmp_path):
    write_absentees(tmp_path / "m.tsv", absentees(plan({}, WEIRD), [], {}))
    rows = table(tmp_path / "m.tsv")
    assert [len(row) for row in rows] == [3] * (len(WEIRD) + 1)
    assert all(text.isprintable() for row in rows for text in row)
    assert [row[0] for row in rows[1:5]] == [r"\x3d1+1", r"\x2drf", r"\x40x", r"\x2b1"]
    assert "ünï" in {row[0] for row in rows}


@given(st.text(st.characters()))
def test_a_cell_can_be_read_back(text):
    found = cell(text)
    assert not set(found) & set('\t\r\n"')
    assert not found.startswith(("=", "+", "-", "@"))
    ascii_only = "".join(c if c.isascii() else c.encode("unicode_escape").decode() for c in found)
    assert ascii_only.encode().decode("unicode_escape") == text


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"^missing_tsv .*/m.tsv can't be written \(No such"):
        write_absentees(tmp_path / "nowhere" / "m.tsv", [])
