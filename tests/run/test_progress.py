"""What is told of a run from Snakemake's log events, and what follows from them."""

import logging
import os
import signal
from types import SimpleNamespace

import pytest

from lungprep.cohort.tally import Tally
from lungprep.errors import AccessRefused, NoLungsFound
from lungprep.run.engine import Engine
from lungprep.run.engine.events import is_news
from lungprep.run.progress import Progress, duration
from lungprep.shards.messages import Result
from lungprep.workspace.verdicts import Verdict, verdict_on, write_verdict


class Event:
    """What Snakemake attaches to a log record."""

    def __init__(self, value):
        self.value = value


@pytest.fixture
def snakemake_log(tmp_path):
    """A logger like Snakemake's, followed by a Progress, and what comes out of it."""
    logger = logging.Logger("snakemake-like", logging.INFO)
    shown = []
    handler = logging.Handler()
    handler.emit = lambda record: shown.append(record.getMessage())
    logger.addHandler(handler)
    given_up = []
    progress = Progress(tmp_path, tmp_path)
    progress.total = 2
    progress.attach(logger, given_up.append)
    Engine(SimpleNamespace(dag=SimpleNamespace(jobs=[]))).follow(logger, progress)

    def say(message="", event=None, **fields):
        logger.info(message, extra={"event": Event(event) if event else None, **fields})

    return say, shown, progress, given_up


def start(say, jobid, rule, patient):
    say(event="job_info", jobid=jobid, rule_name=rule, wildcards={"patient": patient})


def test_each_published_patient_is_a_line(snakemake_log):
    say, shown, *_ = snakemake_log
    start(say, 1, "load", "P1")
    say("Finished job 1", "job_finished", job_id=1)
    start(say, 2, "publish", "P1")
    say("Finished job 2", "job_finished", job_id=2)
    lines = [line for line in shown if line]
    assert len(lines) == 1
    assert lines[0].startswith("published P1; 1 of 2 done, 0 failed, about 0 s left")


def test_a_dry_run_leaves_the_logs(tmp_path):
    (tmp_path / "load").mkdir()
    (tmp_path / "load/P1.log").write_text("P1: what an earlier run said\n")
    logger = logging.Logger("snakemake-like", logging.INFO)
    Progress(tmp_path, tmp_path).attach(logger, dry=True)
    fields = {"jobid": 1, "rule_name": "load", "wildcards": {"patient": "P1"}}
    logger.info("", extra={"event": Event("job_info"), **fields})
    assert (tmp_path / "load/P1.log").exists()


def test_a_failed_patient_is_a_line(snakemake_log, tmp_path):
    say, shown, progress, given_up = snakemake_log
    (tmp_path / "load").mkdir()
    (tmp_path / "load/P1.log").write_text("P1: what an earlier run said\n")
    start(say, 1, "load", "P1")
    assert not (tmp_path / "load/P1.log").exists()
    write_verdict(tmp_path / "P1", verdict_on("load", NoLungsFound("no air", "check the scan")))
    (tmp_path / "P1/hu.npy").write_bytes(b"volume")
    say("RuleException:\nCalledProcessError in file", "error")
    for _ in range(3):
        say("job failed", "job_error", jobid=1, rule_name="load")
    assert shown.count("failed P1: no air; check the scan") == 1
    assert not [line for line in shown if "CalledProcessError" in line]
    assert progress.failures["P1"].error == "NoLungsFound"
    assert (tmp_path / "P1/hu.npy").read_bytes() == b""
    assert given_up == [1]


def test_a_killed_job_gets_three_attempts(snakemake_log, tmp_path):
    say, shown, progress, given_up = snakemake_log
    start(say, 1, "segment", "P1")
    assert not given_up
    for attempt in range(3):
        assert not progress.failures, attempt
        say("job failed", "job_error", jobid=1, rule_name="segment")
    assert progress.failures["P1"].error == "Killed"
    assert progress.failures["P1"].step == "segment"
    again = [line for line in shown if line.startswith("trying P1 again: its job was killed")]
    assert len(again) == 2
    assert given_up == [1]


def test_where_nothing_goes_any_more_the_run_is_stopped(snakemake_log, tmp_path, monkeypatch):
    say, shown, *_ = snakemake_log
    killed = []
    monkeypatch.setattr("os.kill", lambda *a: killed.append(a))
    refused, bad = AccessRefused("expired", "renew"), NoLungsFound("no air", "check")
    for n, error in enumerate([refused] * 9 + [bad] + [refused] * 9):
        fail(say, tmp_path, n, error)
    assert not killed
    fail(say, tmp_path, 99, refused)
    assert killed == [(os.getpid(), signal.SIGTERM)]
    assert [line for line in shown if line.startswith("stopping: the last 10 patients failed")]


def test_a_shard_that_is_lost_is_one_failure(snakemake_log, monkeypatch):
    say, shown, progress, _ = snakemake_log
    killed, reasons = [], []
    monkeypatch.setattr("os.kill", lambda *a: killed.append(a))

    class Lost:
        """Stands for a `Dispatch` none of whose shards comes back."""

        def give_up(self, shard, reason, log):
            reasons.append(reason)
            verdict = Verdict("shard", "Killed", reason, transient=True, data=False)
            return Result({}, {f"{shard}-{n}": verdict for n in range(25)})

    progress.dispatch = Lost()
    said = "SLURM sbatch failed. The error message was 'QOSMaxSubmitJobPerUserLimit'.\n sbatch -x"
    for jobid in range(10):
        assert not killed
        say(event="job_info", jobid=jobid, rule_name="shard", wildcards={"shard": str(jobid)})
        for _ in range(3):
            say(event="job_error", jobid=jobid, rule_msg=said)
    assert killed == [(os.getpid(), signal.SIGTERM)]
    assert set(reasons) == {said.splitlines()[0]}
    assert any("sending shard 0 again" in line and "QOSMaxSubmit" in line for line in shown)


def fail(say, work, number, error):
    patient = f"P{number}"
    start(say, number, "load", patient)
    write_verdict(work / patient, verdict_on("load", error))
    say("job failed", "job_error", jobid=number, rule_name="load")


def test_other_errors_of_snakemake_are_shown():
    record = logging.makeLogRecord({"msg": "LockException", "event": Event("error")})
    assert is_news(record)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.4, "0 s"), (59, "59 s"), (61, "1 min 01 s"), (7500, "2 h 05 min")]
)
def test_durations_read_well(seconds, words):
    assert duration(seconds) == words


def test_a_later_round_counts_on(snakemake_log):
    say, shown, progress, _ = snakemake_log
    earlier = Tally("config", published=["A", "B"], failures={"C": "C: torn; mend it"})
    progress.resume(earlier, 2)
    start(say, 1, "publish", "P1")
    say("Finished job 1", "job_finished", job_id=1)
    assert shown[-1].startswith("published P1; 3 of 5 done, 1 failed, about ")


def test_no_job_starts_again_once_somebody_said_stop(snakemake_log):
    """One that is killed, or whose store is down, is the next run's: it did not fail."""
    say, shown, progress, given_up = snakemake_log
    start(say, 1, "load", "P1")
    say("", "job_error", jobid=1)
    assert given_up == []
    progress.is_stopping = lambda: True
    say("", "job_error", jobid=1)
    assert given_up == [1]
    assert not progress.failures
    assert not any("failed P1" in line for line in shown)
