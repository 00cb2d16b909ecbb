"""The table of failures: what a run adds, keeps and drops."""

import csv
import io

import pytest

from lungprep.cohort.failures import TABLE, FailedPatient, read_table, updated, write_table
from lungprep.errors import MissingSlices, StoreUnreachable
from lungprep.workspace.verdicts import verdict_on

TORN = verdict_on("load", MissingSlices('3 of 90 slices are missing, such as "1,2"', "upload"))
DOWN = verdict_on("publish", StoreUnreachable("no answer", "run again"))


def test_failures_are_counted_over_runs_and_dropped_when_cured(store):
    target = store("out")
    assert read_table(target) == {}
    write_table(target, updated({}, {"P2": DOWN, "P1": TORN}, []))
    rows = read_table(target)
    assert rows["P1"] == FailedPatient("P1", "load", "MissingSlices", TORN.text, 1)
    assert target.read(TABLE).decode().splitlines() == [
        "patient,step,type,text,attempt",
        'P1,load,MissingSlices,"3 of 90 slices are missing, such as ""1,2""; upload",1',
        "P2,publish,StoreUnreachable,no answer; run again,1",
    ]
    again = updated(rows, {"P1": DOWN}, ["P2"])
    assert again == {"P1": FailedPatient("P1", "publish", "StoreUnreachable", DOWN.text, 2)}
    write_table(target, again)
    assert read_table(target) == again
    write_table(target, {})
    assert target.entries() == []
    write_table(target, {})


def test_patients_of_other_runs_stay(store):
    rows = updated({"P9": FailedPatient("P9", "load", "NoLungsFound", "x; y", 4)}, {"P1": TORN}, [])
    assert rows["P9"].attempt == 4
    assert len(rows) == 2


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_no_text_is_a_formula_to_a_spreadsheet(store, start):
    row = FailedPatient("P1", "load", "UndecodablePixels", f"{start}cmd.dcm is empty; upload it")
    write_table(store("out"), {"P1": row})
    text = next(csv.DictReader(io.StringIO(store("out").read(TABLE).decode())))["text"]
    assert text == f"'{start}cmd.dcm is empty; upload it"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\x00",
        b"patient,step\nP1,load\n",
        b"patient,step,type,text,attempt\nP1\n",
        b"patient,step,type,text,attempt\nP1,load,x,y," + b"9" * 5000,
        b"patient,step,type,text,attempt\nP1,load,x," + b"y" * 200_000 + b",1\n",
    ],
)
def test_another_table_holds_no_rows_of_ours(store, content):
    store("out").write(TABLE, content)
    assert read_table(store("out")) == {}


def test_a_tampered_text_steers_no_terminal(store):
    content = b"patient,step,type,text,attempt\nP1,load,x,\x1b[2Jy,1\n"
    store("out").write(TABLE, content)
    assert read_table(store("out"))["P1"].text == "\ufffd[2Jy"
