"""The audit of dependencies: what fails it, what does not, and what is no audit at all."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
audit = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

CLEAN = {"name": "numpy", "version": "2.4", "vulns": []}
HOLE = {
    "name": "pillow",
    "version": "9.0",
    "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-2"], "fix_versions": ["9.1"]}],
}
UNKNOWN = {"name": "pip", "skip_reason": "Dependency not found on PyPI"}


def test_a_known_vulnerability_fails():
    lines, status = audit.judged({"dependencies": [CLEAN, HOLE, UNKNOWN]}, {})
    assert status == 1
    assert lines == [
        "2 packages, 1 known vulnerabilities; not known there: pip",
        "  pillow 9.0: PYSEC-1, fixed in 9.1",
    ]


@pytest.mark.parametrize("name", ["PYSEC-1", "CVE-2"])
def test_an_accepted_one_does_not(name):
    reasons = audit.accepted(f"# why\n\n{name} we decode no such file\n")
    lines, status = audit.judged({"dependencies": [HOLE]}, reasons)
    assert status == 0
    assert lines[1].endswith("; accepted: we decode no such file")


def test_none_is_accepted_without_a_reason():
    with pytest.raises(ValueError, match="PYSEC-1 is accepted without a reason"):
        audit.accepted("PYSEC-1\n")
    audit.accepted(audit.ACCEPTED.read_text())


@pytest.mark.parametrize(
    "answer", ["", "Traceback", json.dumps({"dependencies": [UNKNOWN, UNKNOWN]})]
)
def test_a_service_that_knows_nothing_is_none(monkeypatch, capsys, answer):
    monkeypatch.setattr(
        audit.subprocess,
        "run",
        lambda *a, **k: subprocess.CompletedProcess(a, 1, stdout=answer, stderr=""),
    )
    assert audit.main(["requirements.txt"]) == 0
    assert capsys.readouterr().out.startswith("audit skipped: no advisory service is reachable")


def test_without_pip_audit_it_is_skipped():
    """As this environment is: pip-audit has one of its own."""
    command = [sys.executable, str(ROOT / ".ci/audit.py"), "envs/requirements.txt"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("audit skipped: ")
