"""Shards of a run, from sending their lists to collecting their results."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from lungprep.cohort.patients import Cohort
from lungprep.cohort.shard_planning import shard_plan
from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.errors import AccessRefused, ConfigError, NotFound, StoreError
from lungprep.shards.messages import LIST, RESULT, Result, cohort_file, read_result, shards
from lungprep.stores import S3Options, Store, open_store
from lungprep.stores.address import parse_address
from lungprep.stores.base import CONNECTIONS
from lungprep.workspace.intermediates import remove
from lungprep.workspace.records import read_record, write_record
from lungprep.workspace.verdicts import Verdict

FLAG = "work/_shards/{shard}.json"
# In the working directory: record of the lists in the target, of this run or of a killed one.
OUT = "shards.json"
KILLED = "the job of its shard {shard} failed ({reason}); see {log}, then run again"
LOST = "the result of its shard {shard} is missing from the target; run again"


class Dispatch:
    """Shards of a run and the outcome of their patients.

    Parameters
    ----------
    config : dict
        Complete config.
    cohort : Cohort
        Whole cohort.
    target : Store
        Store of lists and results.
    patients : list of str
        Ids of the patients to process.
    per_job : int
        Number of patients in a shard.
    folder : Path
        Folder of `OUT`.
        For `OUT`.

    Attributes
    ----------
    sidecars : dict of str to SidecarFacts
        Sidecar values of the published patients.
    """

    def __init__(
        self,
        config: dict[str, Any],
        cohort: Cohort,
        target: Store,
        patients: list[str],
        per_job: int,
        folder: Path,
    ) -> None:
        self._config, self._cohort, self._target = config, cohort, target
        self._out = folder / OUT
        self.shards = shards(patients, per_job)
        self.sidecars: dict[str, SidecarFacts] = {}
        self._given_up: dict[str, str] = {}
        self._back: set[str] = set()

    def flags(self) -> list[str]:
        """Output files of the run: one per shard."""
        return [FLAG.format(shard=shard) for shard in self.shards]

    def send(self, load_mb: Mapping[str, int]) -> None:
        """Write the list of each shard into the target.

        Parameters
        ----------
        load_mb : mapping of str to int
            Estimated memory of load, for patients that were looked up, MB.

        Raises
        ------
        StoreError
            If the target refuses the lists.
        """
        self._out.parent.mkdir(parents=True, exist_ok=True)
        remove(Path(FLAG).parent)
        address = str(self._target.address)
        write_record(self._out, {"target": address, "shards": list(self.shards)})

        def write(shard: str) -> None:
            patients = [self._cohort.patients[patient] for patient in self.shards[shard]]
            self._target.write(LIST.format(shard=shard), cohort_file(patients, load_mb))

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(write, self.shards))

    def collect(self, shard: str) -> Result:
        """Collect the result of a job that ended well."""
        try:
            result = self._said(shard)
        except StoreError:
            result = Result()
        if len(result.published) + len(result.failures) == len(self.shards[shard]):
            self._back.add(shard)
            self.sidecars.update(result.published)
            return result
        self._given_up[shard] = LOST.format(shard=shard)
        return self._tried(shard)

    def give_up(self, shard: str, reason: str, log: Path) -> Result:
        """Collect the outcome of a shard whose job failed for good.

        Parameters
        ----------
        shard : str
            Name of the shard.
        reason : str
            Reason that the engine gives.
        log : Path
            Log file of the job.
        """
        self._given_up[shard] = KILLED.format(shard=shard, reason=reason, log=log)
        return self._tried(shard)

    def _tried(self, shard: str) -> Result:
        """Like `_settled`, but an unreachable target is asked again only at the end of the run."""
        try:
            return self._settled(shard)
        except StoreError:
            return Result()

    def settle(self) -> Result:
        """Ask the target for the outcome of all shards whose jobs did not end well.

        Raises
        ------
        StoreError
            If the target does not answer.
        """
        total = Result()
        for shard in self.shards.keys() - self._back:
            result = self._settled(shard)
            total.published.update(result.published)
            total.failures.update(result.failures)
        return total

    def _settled(self, shard: str) -> Result:
        members = {p: self._cohort.patients[p] for p in self.shards[shard]}
        plan = shard_plan(self._config, Cohort(members), self._target)
        done = {p: r for p, r in plan.sidecars.cohort.items() if p not in plan.stale}
        failed = {p: v for p, v in self._said(shard).failures.items() if p in plan.stale}
        if shard in self._given_up:
            why = self._given_up[shard]
            killed = Verdict("shard", "Killed", why, transient=True, data=False)
            failed = {p: failed.get(p, killed) for p in plan.stale}
        self._back.add(shard)
        self.sidecars.update(done)
        return Result(done, failed)

    def _said(self, shard: str) -> Result:
        """Result of a job, restricted to the patients of its shard."""
        result = read_result(self._target, shard) or Result()
        members = self.shards[shard]
        return Result(
            {p: r for p, r in result.published.items() if p in members},
            {p: v for p, v in result.failures.items() if p in members},
        )


def recall(folder: Path, config: dict[str, Any]) -> bool:
    """Remove from the target the files for jobs of this run or of a killed one.

    Jobs that are still running stop within `allocation.OVER_S` of the removal of their lists.
    Without the right to delete, the small lists stay; if the target is gone, so are they.

    Parameters
    ----------
    folder : Path
        Folder of `OUT`.
    config : dict
        Complete config.

    Returns
    -------
    bool
        Whether files of jobs were recorded.

    Raises
    ------
    StoreError
        If the target does not answer.
    """
    out = folder / OUT
    # A record that is incomplete, because its run was killed, names nothing.
    try:
        left = read_record(out)
        address = parse_address("target", str(left["target"]))
        keys = [k.format(shard=shard) for shard in left["shards"] for k in (LIST, RESULT)]
    except (ConfigError, OSError, ValueError, TypeError, KeyError):
        return False
    target = open_store(address, S3Options(**config["s3"]))
    with suppress(AccessRefused, NotFound), ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(target.discard, keys))
    out.unlink()
    return True
