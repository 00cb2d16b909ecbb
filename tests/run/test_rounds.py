"""What one round hands on to the next, and who may take it up."""

import json
import os
import signal

import pytest

from lungprep.cohort.tally import Tally
from lungprep.errors import ConfigError
from lungprep.run.rounds import VARIABLE, Signals, by_command_line, take_up
from lungprep.workspace.records import write_record

CONFIG = {"source": "s3://b/in/", "load": {"min_slices": 10}}


def handed_on(folder, **changes):
    """Environment and file that this process would find after `exec`."""
    first = take_up(CONFIG, {})
    failures = {"P2": "P2: torn; mend it", "P3": "P3: odd; look"}
    second = first.plus(["P1"], failures, dict.fromkeys(failures, "missing"), ["P3"], ["P9"])
    path = folder / f"lungprep-round-{os.getpid()}.json"
    write_record(path, {**vars(second), **changes})
    return {VARIABLE: str(path), "HOME": "/"}, path, second


def test_a_round_takes_up_what_the_one_before_did(tmp_path):
    environ, path, second = handed_on(tmp_path)
    tally = take_up(CONFIG, environ)
    assert tally == second
    assert tally.rounds == 1
    assert tally.tried == {"P1", "P2", "P3"}
    assert tally.failed == 1, "the other one is quarantined"
    assert environ == {"HOME": "/"}, "no job sees it"
    assert not path.exists()
    third = tally.plus(["P4"], {"P5": "P5: torn; mend it"}, {"P5": "missing"}, [], [])
    assert (third.rounds, third.failed, third.changed) == (2, 2, [])
    assert third.published == ["P1", "P4"]
    assert third.start == tally.start


def test_another_process_takes_up_nothing(tmp_path):
    environ, path, _ = handed_on(tmp_path)
    other = path.rename(tmp_path / "lungprep-round-1.json")
    assert take_up(CONFIG, environ | {VARIABLE: str(other)}).rounds == 0
    assert other.exists(), "it is another process's"
    assert take_up(CONFIG, {VARIABLE: str(path)}).rounds == 0, "gone"
    environ, _, _ = handed_on(tmp_path, pid=1)
    assert take_up(CONFIG, environ).rounds == 0


def test_a_config_that_changed_on_the_way_stops_the_run(tmp_path):
    environ, _, _ = handed_on(tmp_path)
    with pytest.raises(ConfigError, match="config changed during the run"):
        take_up(json.loads(json.dumps(CONFIG).replace("10", "11")), environ)


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("/home/me/.venv/bin/snakemake", True),
        (".venv/bin/snakemake", True),
        ("/usr/lib/python3/dist-packages/snakemake/__main__.py", True),
        ("/opt/run_snakemake.py", False),
        ("__main__.py", False),
        ("-c", False),
        ("", False),
    ],
)
def test_only_the_command_can_be_started_anew(program, expected):
    assert by_command_line(program) is expected


def test_signals_are_noted_and_passed_on():
    seen = []
    former = [signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)]
    try:
        signal.signal(signal.SIGTERM, lambda *_: seen.append("handled"))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signals = Signals()
        signals.watch()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN, "as under nohup"
        assert not signals.received
        signal.raise_signal(signal.SIGTERM)
        assert signals.received
        assert seen == ["handled"]
        signals.end()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, former[0])
        signal.signal(signal.SIGTERM, former[1])


def test_a_tally_needs_only_the_config():
    assert Tally("digest").tried == set()
