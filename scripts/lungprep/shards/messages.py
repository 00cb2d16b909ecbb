"""Messages between a run and the jobs of its shards, exchanged through the target."""

import csv
import io
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from lungprep.cohort.patients import Patient
from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.errors import ObjectNotFound
from lungprep.stores import Store
from lungprep.workspace.records import to_json
from lungprep.workspace.verdicts import Verdict

# Patient ids never start with an underscore, so these keys can't collide with results.
LIST = "_shards/{shard}.csv"
RESULT = "_shards/{shard}.json"
# Names the file for the result; if set, the run is that of a shard.
VARIABLE = "LUNGPREP_SHARD"
COLUMNS = ("patient", "prefix", "series_uid", "load_mb")
# Default number of patients in a shard; docs/clusters.md has the measured cost.
PER_JOB = 25


@dataclass(frozen=True)
class Result:
    """Outcome of the patients of a shard.

    Attributes
    ----------
    published : dict of str to SidecarFacts
        Patients in the target, published by this or an earlier attempt of the job.
    failures : dict of str to Verdict
        Reasons for which others failed. A patient in neither mapping was not reached.
    """

    published: dict[str, SidecarFacts] = field(default_factory=dict)
    failures: dict[str, Verdict] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """Content of `RESULT`."""
        published = {patient: asdict(facts) for patient, facts in self.published.items()}
        failures = {patient: asdict(verdict) for patient, verdict in self.failures.items()}
        return to_json({"published": published, "failures": failures})

    @classmethod
    def from_json(cls, content: bytes) -> "Result":
        """Inverse of `to_json`.

        Raises
        ------
        ValueError, KeyError, TypeError, AttributeError
            If the content is not a result.
        """
        fields: dict[str, Any] = json.loads(content)
        return cls(
            {patient: SidecarFacts.from_json(r) for patient, r in fields["published"].items()},
            {patient: Verdict(**verdict) for patient, verdict in fields["failures"].items()},
        )


def read_result(target: Store, shard: str) -> Result | None:
    """Result of a shard's job; None if it is absent or unreadable."""
    try:
        return Result.from_json(target.read(RESULT.format(shard=shard)))
    except (ObjectNotFound, ValueError, KeyError, TypeError, AttributeError):
        return None


def shards(patients: Iterable[str], per_job: int) -> dict[str, list[str]]:
    """Divide patients into shards, with names that no other run uses."""
    patients = list(patients)
    run = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(2)}"
    starts = range(0, len(patients), per_job)
    return {f"{run}-{n:04d}": patients[i : i + per_job] for n, i in enumerate(starts, 1)}


def cohort_file(patients: Iterable[Patient], load_mb: Mapping[str, int]) -> bytes:
    """Cohort file for some patients, with full addresses and estimates of their memory."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows((p.id, p.prefix, p.series_uid or "", load_mb.get(p.id, "")) for p in patients)
    return text.getvalue().encode()


def listed_patients(content: bytes) -> int:
    """Number of patients in a cohort file."""
    return sum(1 for _ in csv.DictReader(io.StringIO(content.decode(), newline="")))


def listed_mb(content: bytes) -> dict[str, int]:
    """Estimates in the output of `cohort_file`, by patient, MB."""
    rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
    return {row["patient"]: int(row["load_mb"]) for row in rows if row["load_mb"]}
