"""The audit of dependencies: what fails it, what does not, and what is no audit at all."""

import importlib.util
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SPEC = importlib.util.spec_from_file_location("audit", ROOT / ".ci" / "audit.py")
audit = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(audit)

LOCK = ROOT / "envs" / "requirements.txt"
LOCKS = sorted(str(path) for path in LOCK.parent.glob("requirements*.txt"))
AUDITOR = ROOT / ".venv-audit/bin/python"

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
    assert audit.main([str(LOCK)]) == 0
    assert capsys.readouterr().out.startswith("audit skipped: no advisory service is reachable")


def test_no_run_gets_two_versions_of_a_package_and_none_is_left_out():
    pins = audit.pins(LOCKS)
    rounds = audit.rounds_of(pins)
    assert sorted(pin for one in rounds for pin in one) == sorted(pins)
    for one in rounds:
        names = [pin.partition("==")[0] for pin in one]
        assert len(names) == len(set(names))


def test_make_audits_all_locks():
    recipe = (ROOT / "Makefile").read_text().partition("\naudit:")[2].partition("\n\n")[0]
    assert ".ci/audit.py envs/requirements*.txt" in recipe
    found = {pin.partition("==")[0] for pin in audit.pins(LOCKS)}
    assert {"kubernetes", "moto", "snakemake-executor-plugin-slurm", "torch", "ruff"} <= found


@pytest.fixture
def advisories(monkeypatch):
    """A service like OSV's, with one advisory for kubernetes; yields what it was asked."""
    asked = []

    class Service(BaseHTTPRequestHandler):
        def do_POST(self):
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = query["package"]["name"]
            asked.append(f"{name}=={query['version']}")
            package = {"name": name, "ecosystem": "PyPI"}
            hole = {"id": "OSV-1", "summary": "a hole", "affected": [{"package": package}]}
            body = json.dumps({"vulns": [hole]} if name == "kubernetes" else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as service:
        threading.Thread(target=service.serve_forever).start()
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{service.server_port}/")
        yield asked
        service.shutdown()


@pytest.mark.skipif(not AUDITOR.exists(), reason="make audit has not installed pip-audit")
def test_a_service_is_asked_about_every_pin(advisories, monkeypatch, capsys):
    monkeypatch.setattr(audit, "SERVICES", ("osv",))
    monkeypatch.setattr(audit.sys, "executable", str(AUDITOR))
    assert audit.main(LOCKS) == 1
    assert sorted(advisories) == sorted(audit.pins(LOCKS))
    told = capsys.readouterr().out.splitlines()
    assert told[0] == f"audit by osv: {len(advisories)} packages, 1 known vulnerabilities"
    assert "kubernetes" in told[1]
    assert "OSV-1" in told[1]


def test_without_pip_audit_it_is_skipped():
    """As this environment is: pip-audit has one of its own."""
    command = [sys.executable, str(ROOT / ".ci/audit.py"), "envs/requirements.txt"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout.startswith("audit skipped: ")
