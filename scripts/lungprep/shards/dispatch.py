"""The shares of a run, from their lists to what came back."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from lungprep.cohort import Cohort
from lungprep.errors import LungprepError
from lungprep.ledger import Receipt
from lungprep.records import read_record, write_record
from lungprep.shards.papers import LIST, RESULT, Result, cohort_file, read_result, shares
from lungprep.stores import S3Options, Store, open_store
from lungprep.stores.address import parse_address
from lungprep.stores.base import CONNECTIONS
from lungprep.verdicts import Verdict

FLAG = "work/_shards/{shard}.json"
# In the working directory: what lies in the target for this run, or a killed one.
OUT = "shards.json"
KILLED = (
    "the job of its share {shard} was killed, or ran out of time or memory; see {log}, run again"
)


class Dispatch:
    """What a run sent out, and what became of each patient.

    Parameters
    ----------
    config : dict
        The complete config.
    cohort : Cohort
        All patients.
    target : Store
        Where lists and results lie.
    patients : list of str
        Whom to send out.
    per_job : int
        How many at a time.
    folder : Path
        For `OUT`.

    Attributes
    ----------
    receipts : dict of str to Receipt
        Of the patients that were published.
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
        self.shares = shares(patients, per_job)
        self.receipts: dict[str, Receipt] = {}
        self._given_up: set[str] = set()
        self._back: set[str] = set()

    def flags(self) -> list[str]:
        """Files that the run has to make: one per share."""
        return [FLAG.format(shard=shard) for shard in self.shares]

    def send(self) -> None:
        """Write the list of each share into the target.

        Raises
        ------
        StoreError
            If the target does not take them.
        """
        self._out.parent.mkdir(parents=True, exist_ok=True)
        address = str(self._target.address)
        write_record(self._out, {"target": address, "shards": list(self.shares)})

        def write(shard: str) -> None:
            patients = [self._cohort.patients[patient] for patient in self.shares[shard]]
            self._target.write(LIST.format(shard=shard), cohort_file(patients))

        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(write, self.shares))

    def collect(self, shard: str) -> Result:
        """What the job of a share left, when it has ended well."""
        self._back.add(shard)
        return self._taken(shard, read_result(self._target, shard) or Result())

    def give_up(self, shard: str) -> None:
        """Take note that the job of a share failed for good."""
        self._given_up.add(shard)

    def settle(self, log: Callable[[str], Path]) -> Result:
        """What became of the patients of shares that did not end well: the target tells.

        Parameters
        ----------
        log : callable
            From a share to the log of its job.

        Raises
        ------
        StoreError
            If the target does not answer.
        """
        from lungprep.shards.share import share_plan

        total = Result()
        for shard in self.shares.keys() - self._back:
            members = {p: self._cohort.patients[p] for p in self.shares[shard]}
            plan = share_plan(self._config, Cohort(members), self._target)
            done = {p: r for p, r in plan.receipts.cohort.items() if p not in plan.stale}
            said = (read_result(self._target, shard) or Result()).failures
            why = KILLED.format(shard=shard, log=log(shard))
            killed = Verdict("shard", "Killed", why, transient=True, data=False)
            failed = {
                p: said.get(p, killed) for p in plan.stale if p in said or shard in self._given_up
            }
            self._taken(shard, Result(done, failed))
            total.published.update(done)
            total.failures.update(failed)
            self._back.add(shard)
        return total

    def _taken(self, shard: str, result: Result) -> Result:
        """Keep what is about patients of the share, and no other."""
        members = set(self.shares[shard])
        if stray := (result.published.keys() | result.failures.keys()) - members:
            logging.getLogger(__name__).warning("%s tells of strangers: %s", shard, sorted(stray))
        published = {p: r for p, r in result.published.items() if p in members}
        self.receipts.update(published)
        return Result(published, {p: v for p, v in result.failures.items() if p in members})


def recall(folder: Path, config: dict[str, Any]) -> None:
    """Remove from the target what was written for jobs: by this run, or by a killed one.

    Jobs that are still at work stop when their lists are gone. Without the right to delete the
    lists stay, small as they are, and the next run tries again.

    Parameters
    ----------
    folder : Path
        Where `OUT` is.
    config : dict
        The complete config.
    """
    out = folder / OUT
    with suppress(LungprepError, FileNotFoundError):
        left = read_record(out)
        options = S3Options(**config["s3"])
        target = open_store(parse_address("target", str(left["target"])), options)
        keys = [k.format(shard=shard) for shard in left["shards"] for k in (LIST, RESULT)]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(target.discard, keys))
        out.unlink()
