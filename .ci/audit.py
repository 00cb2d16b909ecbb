"""Check the locked packages for known vulnerabilities, if an advisory service answers.

    python .ci/audit.py envs/requirements*.txt

Name every lock: the locks that it builds on are not followed. Pins for other systems and Python
versions are checked too.

Exit status: 0 if no vulnerability is known, or if envs/audit-accepted.txt accepts each one with a
reason, or if no service answers (one line says so); 1 for a vulnerability that is not accepted.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ACCEPTED = Path(__file__).parents[1] / "envs" / "audit-accepted.txt"
SERVICES = ("pypi", "osv")
TIMEOUT_S = 300

Report = dict[str, Any]


def main(files: list[str]) -> int:
    """Audit requirement files; prints what was found and returns the exit status."""
    rounds = rounds_of(pins(files))
    for service in SERVICES:
        report = audited(service, rounds)
        if report is not None:
            lines, status = judged(report, accepted(ACCEPTED.read_text("utf-8")))
            say(f"audit by {service}: {lines[0]}", *lines[1:])
            return status
    say("audit skipped: no advisory service is reachable (tried PyPI's and OSV's)")
    return 0


def pins(files: list[str]) -> set[str]:
    """All ``name==version`` of requirement files, without markers and hashes."""
    texts = (Path(name).read_text("utf-8") for name in files)
    return {pin for text in texts for pin in re.findall(r"(?m)^[\w.-]+==[^\s;]+", text)}


def rounds_of(pins: set[str]) -> list[list[str]]:
    """Pins in lists with no package twice, since pip-audit takes no two versions of one at once."""
    rounds: list[dict[str, str]] = []
    for pin in sorted(pins):
        name = pin.partition("==")[0]
        free = next((one for one in rounds if name not in one), None)
        if free is None:
            rounds.append(free := {})
        free[name] = pin
    return [list(one.values()) for one in rounds]


def audited(service: str, rounds: list[list[str]]) -> Report | None:
    """What pip-audit reports; None where the service does not answer.

    An index without advisories answers as if it knew no package at all: it is no service either.
    """
    reports = [reported(service, pins) for pins in rounds]
    packages = [one for report in reports if report for one in report.get("dependencies", [])]
    known = [one for one in packages if "skip_reason" not in one]
    return {"dependencies": packages} if known and None not in reports else None


def reported(service: str, pins: list[str]) -> Report | None:
    """The answer of one run of pip-audit; None if it gave none.

    It gets no hashes: among pins that have them, it refuses those of the networks, which have none.
    """
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--format", "json"]
    command += ["--progress-spinner", "off", "--vulnerability-service", service, "--requirement"]
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "pins.txt"
        listed.write_text("\n".join(pins) + "\n", "utf-8")
        try:
            done = subprocess.run(
                [*command, str(listed)],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
                check=False,
            )
            report: Report = json.loads(done.stdout)
        except (ValueError, subprocess.TimeoutExpired):
            return None
    return report


def accepted(text: str) -> dict[str, str]:
    """Reasons by id, from lines ``ID reason``; ``#`` begins a comment.

    Raises
    ------
    ValueError
        For an id without a reason.
    """
    reasons = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(" ")
            if not reason.strip():
                raise ValueError(f"{name} is accepted without a reason in {ACCEPTED.name}")
            reasons[name] = reason.strip()
    return reasons


def judged(report: Report, reasons: dict[str, str]) -> tuple[list[str], int]:
    """Lines about a report, the summary first, and the exit status."""
    packages = {(one["name"], one.get("version")): one for one in report["dependencies"]}
    unknown = sorted(name for (name, _), one in packages.items() if "skip_reason" in one)
    lines, status = [], 0
    for (name, version), one in sorted(packages.items(), key=str):
        for found in one.get("vulns", []):
            names = {found["id"], *found.get("aliases", [])}
            reason = next((reasons[n] for n in sorted(names) if n in reasons), None)
            fixed = ", ".join(found.get("fix_versions", [])) or "no version"
            what = f"  {name} {version}: {found['id']}, fixed in {fixed}"
            lines.append(f"{what}; accepted: {reason}" if reason else what)
            status = status if reason else 1
    summary = f"{len(packages) - len(unknown)} packages, {len(lines)} known vulnerabilities"
    summary += f"; not known there: {', '.join(unknown)}" if unknown else ""
    return [summary, *lines], status


def say(*lines: str) -> None:
    """Print lines."""
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
