"""What a job leaves behind when it succeeds and when it fails."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lungprep.errors import AccessRefused, NoLungsFound, StoreUnreachable, TransferMismatch
from lungprep.workspace.intermediates import FAILURE, NAMES, clear
from lungprep.workspace.verdicts import read_verdict, verdict_on, write_verdict

SCRIPTS = Path(__file__).parents[2] / "scripts"


def run_step(folder, body):
    """A step in a process of its own, as a job is."""
    code = f"""
        import sys
        sys.path.append({str(SCRIPTS)!r})
        import logging
        from lungprep.errors import *
        from lungprep.workspace.jobs import Step
        with Step("P1", "job.log", "work/P1/out.npy") as step:
            {body}
    """
    (folder / "work/P1").mkdir(parents=True, exist_ok=True)
    (folder / "work/P1/hu.npy").write_bytes(b"volume")
    (folder / "work/P1/lungs.npy.123").write_bytes(b"half")
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_success_ends_with_time_and_memory(tmp_path):
    done = run_step(tmp_path, "logging.info('found it'); step.record('r.json', {'a': 1})")
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "job.log").read_text().splitlines()
    assert lines[0] == "found it"
    assert lines[-1].startswith("P1: done in 0.")
    assert '"peak_mb"' in (tmp_path / "r.json").read_text()
    assert (tmp_path / "work/P1/hu.npy").exists()


def test_bad_data_is_one_line_and_drops_its_intermediates(tmp_path):
    done = run_step(tmp_path, "raise NoLungsFound('no air', 'check the scan')")
    assert done.returncode == 1
    assert (tmp_path / "job.log").read_text() == "P1: no air; check the scan\n"
    assert "Traceback" not in done.stderr
    assert (tmp_path / "work/P1/hu.npy").read_bytes() == b""
    assert (tmp_path / "work/P1/lungs.npy.123").read_bytes() == b""


def test_a_store_that_fails_is_one_line_too(tmp_path):
    done = run_step(tmp_path, "raise StoreUnreachable('no answer', 'run again')")
    assert done.returncode == 1
    assert (tmp_path / "job.log").read_text() == "P1: no answer; run again\n"
    assert (tmp_path / "work/P1/hu.npy").exists(), "for the next attempt"


def test_another_attempt_on_bad_data_ends_at_once(tmp_path):
    run_step(tmp_path, "raise NoLungsFound('no air', 'check the scan')")
    again = run_step(tmp_path, "open('reached', 'w')")
    assert again.returncode == 1
    assert (tmp_path / "job.log").read_text() == "P1: no air; check the scan\n"
    assert not (tmp_path / "reached").exists()


def test_another_attempt_on_a_store_is_an_attempt(tmp_path):
    run_step(tmp_path, "raise StoreUnreachable('no answer', 'run again')")
    assert run_step(tmp_path, "open('reached', 'w')").returncode == 0
    assert (tmp_path / "reached").exists()


def test_an_interrupted_job_is_quiet(tmp_path):
    done = run_step(tmp_path, "raise KeyboardInterrupt")
    assert done.returncode == 1
    assert done.stderr == ""
    assert (tmp_path / "job.log").read_text() == "P1: interrupted; run again\n"


def test_a_bug_leaves_its_traceback_in_the_log(tmp_path):
    done = run_step(tmp_path, "1 / 0")
    assert done.returncode == 1
    log = (tmp_path / "job.log").read_text()
    assert "Traceback" in log
    assert "1 / 0" in log or "<string>" in log, "where it was"
    assert log.splitlines()[-1] == "P1: unexpected ZeroDivisionError; report this as a bug"


def test_the_text_of_a_foreign_error_is_not_told(tmp_path):
    """It may quote a value of a header: int("Doe^John") does."""
    done = run_step(
        tmp_path,
        "exec('try: int(\"Doe^John\")\\nexcept ValueError as e: raise KeyError(e) from e')",
    )
    assert done.returncode == 1
    log = (tmp_path / "job.log").read_text()
    assert "Doe" not in log + done.stdout + done.stderr
    assert log.count("Traceback") == 2
    assert "ValueError" in log
    assert log.endswith("P1: unexpected KeyError; report this as a bug\n")


def test_what_the_system_said_is_told(tmp_path):
    run_step(tmp_path, "open('/nowhere/Doe^John')")
    log = (tmp_path / "job.log").read_text()
    assert log.endswith(
        "P1: unexpected FileNotFoundError: No such file or directory; report this as a bug\n"
    )
    assert "Doe" not in log


def test_names_of_objects_forge_no_lines_and_steer_no_terminal(tmp_path):
    run_step(tmp_path, "logging.info('skipped %s', 'a\\nP1: fine; \\x1b[2J\\udcff')")
    lines = (tmp_path / "job.log").read_text().splitlines()
    assert len(lines) == 2
    assert lines[0] == "skipped a\ufffdP1: fine; \ufffd[2J\ufffd"


def test_only_files_of_ours_are_cleared(tmp_path):
    """A folder named work, with a folder named as a patient, may be the user's own."""
    folder = tmp_path / "work/P1"
    folder.mkdir(parents=True)
    for name in ("hu.npy", "published", "hu.npy.99", "thesis.doc", "hu.npy.bak"):
        (folder / name).write_bytes(b"")
    clear(folder)
    assert sorted(p.name for p in folder.iterdir()) == ["hu.npy.bak", "thesis.doc"]
    clear(tmp_path / "nowhere")


def test_every_file_that_a_rule_makes_is_known():
    rules = "".join(path.read_text() for path in (SCRIPTS.parent / "rules").glob("*.smk"))
    assert set(re.findall(r'"work/\{patient\}/([^"]+)"', rules)) == set(NAMES) - {FAILURE}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NoLungsFound("a", "b"), ("NoLungsFound", "a; b", False, True)),
        (AccessRefused("a", "b"), ("AccessRefused", "a; b", False, False)),
        (StoreUnreachable("a", "b"), ("StoreUnreachable", "a; b", True, False)),
        (TransferMismatch("a", "b"), ("TransferMismatch", "a; b", True, False)),
        (MemoryError(), ("OutOfMemory", "the job ran out of memory; run again with fewer jobs at a"
                         " time", True, False)),
        (OSError(28, "No space left on device", "work/P1/hu.npy"),
         ("WorkspaceError", "work/P1/hu.npy failed: No space left on device; free or repair it, "
          "then run again", False, False)),
        (ZeroDivisionError("division by zero"),
         ("ZeroDivisionError", "unexpected ZeroDivisionError; report this as a bug", False, False)),
    ],
)  # fmt: skip
def test_verdicts(error, expected, tmp_path):
    verdict = verdict_on("load", error)
    assert (verdict.error, verdict.text, verdict.transient, verdict.data) == expected
    write_verdict(tmp_path / "P1", verdict)
    assert read_verdict(tmp_path / "P1") == verdict
    assert read_verdict(tmp_path / "P2") is None
    (tmp_path / "P1" / FAILURE).write_text("{")
    assert read_verdict(tmp_path / "P1") is None
