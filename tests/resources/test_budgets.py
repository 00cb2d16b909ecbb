"""What jobs ask for, before and after their inputs exist."""

import pytest

from lungprep.config.schema import complete, read_schema
from lungprep.resources.budgets import UNKNOWN_LOAD_MB, Budget
from lungprep.workspace.records import write_record
from lungprep_demo.phantom import Scan, chest, slices

SMALL = Scan(gap_mm=20, shape=(96, 96), spacing_mm=(3.75, 3.75))
GRID = {
    "shape": [100, 200, 200],
    "spacing_mm": [1.0, 1.0, 1.0],
    "origin_mm": [0, 0, 0],
    "direction": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
}


@pytest.fixture
def budget(tmp_path):
    """For patients below a folder; its lines are in ``budget.lines``."""
    (tmp_path / "in").mkdir()
    config = complete({"source": f"{tmp_path}/in", "target": f"{tmp_path}/out"}, read_schema())
    lines = []
    made = Budget(config, lambda patient: f"{tmp_path}/in/{patient}/", lines.append, {"known": 70})
    made.lines = lines
    return made


def test_each_attempt_gets_more(budget):
    assert [budget.load("P", n) for n in (1, 2, 3, 4)] == [
        round(UNKNOWN_LOAD_MB * share) for share in (1, 1.5, 2, 2)
    ]


def test_patients_are_looked_up_once_and_those_that_fail_get_the_default(budget, folder, tmp_path):
    place = folder("in")
    for name, content in slices(chest(), SMALL):
        place.write(f"P1/{name}", content)
    place.write("P2", b"a file where a folder should be")
    budget.look_up(["P1", "P2"])
    first = budget.load("P1", 1)
    assert 80 < first < 120
    assert budget.load("P2", 1) == UNKNOWN_LOAD_MB
    for path in (tmp_path / "in/P1").iterdir():
        path.unlink()
    budget.look_up(["P1"])
    assert budget.load("P1", 1) == first


def test_a_record_that_is_not_there_yet_is_no_estimate(budget):
    for ask in (budget.resample, budget.segment):
        with pytest.raises(FileNotFoundError) as error:
            ask("P", "work/P/nothing.json", 1)
        assert error.value.filename == "work/P/nothing.json", "by which Snakemake knows its input"


def test_more_than_all_jobs_may_take_is_said_once(budget, tmp_path):
    record = tmp_path / "record.json"
    write_record(record, {"grid": GRID, "slicing": None})
    budget.limit_mb = 50
    needed = budget.resample("P", str(record), 1)
    budget.resample("P", str(record), 2)
    (line,) = budget.lines
    assert line.startswith(
        f"P: resample is estimated to take {needed} MB, but all jobs together may take 50"
    )
