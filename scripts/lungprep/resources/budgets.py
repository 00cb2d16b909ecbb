"""Memory requests of a run's jobs, estimated from headers and records."""

import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from errno import ENOENT
from pathlib import Path
from typing import Any

from lungprep.config.presets import export_options
from lungprep.errors import LungprepError
from lungprep.image.output.options import ExportOptions
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep.workspace.records import read_record

#: Estimate for load if a patient was not looked up: 600 slices of 512 x 512.
UNKNOWN_LOAD_MB = 450
# Enough to hide the latency of two requests for each of 1,000 patients.
LOOKUPS = 64
# Factor on the first estimate, by attempt.
ATTEMPTS = (1.0, 1.5, 2.0)
# Larger than any record.
RECORD_BYTES = 1 << 24


class Budget:
    """Memory estimate of each job, MB.

    A record that does not exist yet raises FileNotFoundError, which makes Snakemake ask again
    later. So does an unusable record, such as one that was emptied by a killed run.

    Parameters
    ----------
    config : dict
        Complete config.
    prefix : callable
        Returns the address of a patient's objects.
    warn : callable
        Called with a line about each job that needs more memory than is available.
    known : mapping of str to int
        First estimate of load by patient, MB.
    """

    def __init__(
        self,
        config: dict[str, Any],
        prefix: Callable[[str], str],
        warn: Callable[[str], None],
        known: Mapping[str, int],
    ) -> None:
        self._config, self._prefix, self._warn = config, prefix, warn
        self._options = S3Options(**config["s3"])
        #: First estimate of load by patient, MB, for patients that were looked up.
        self.load_mb = dict(known)
        self._warned: set[tuple[str, str]] = set()
        #: Limit for all jobs together, MB; None for no limit.
        self.limit_mb: int | None = None
        #: Whether all records belong to an earlier run, as before the start of this run.
        self.stale = False

    def look_up(self, patients: Iterable[str]) -> None:
        """List the objects of patients and read the start of one object each, concurrently.

        If a patient's store fails, the default estimate stays: the job will report the reason.
        """
        unknown = [patient for patient in patients if patient not in self.load_mb]
        if not unknown:
            return
        # Import before the threads start: pydicom's modules import one another, and two threads
        # that start with different modules would deadlock.
        from lungprep.resources.footprint import look_up
        from lungprep.resources.memory import load_mb

        shared = open_store(parse_address("source", self._config["source"]), self._options)
        start = str(shared.address)

        def looked_up(patient: str) -> int | None:
            # One client per patient would cost more than its two requests.
            prefix = self._prefix(patient)
            try:
                if prefix.startswith(start):
                    return load_mb(look_up(shared, prefix.removeprefix(start)))
                return load_mb(look_up(open_store(parse_address("prefix", prefix), self._options)))
            except LungprepError:
                return None

        with ThreadPoolExecutor(LOOKUPS) as pool:
            found = pool.map(looked_up, unknown)
            known = ((p, mb) for p, mb in zip(unknown, found, strict=True) if mb is not None)
            self.load_mb.update(known)

    def largest_mb(self, patients: Iterable[str]) -> int:
        """Largest first estimate of load among some patients, MB."""
        return max(self.load_mb.get(patient, UNKNOWN_LOAD_MB) for patient in patients)

    def load(self, patient: str, attempt: int) -> int:
        """Memory of load, MB, from the look-up."""
        return self._at(attempt, "load", patient, self.load_mb.get(patient, UNKNOWN_LOAD_MB))

    def resample(self, patient: str, load_record: str, attempt: int) -> int:
        """Memory of resample, MB, from the scan's grid and the target spacing."""
        from lungprep.image.volume import Grid, Slicing
        from lungprep.resources.memory import resample_mb

        options = self._config["resample"]
        with self._read(load_record) as scan:
            mb = resample_mb(
                Grid.from_json(scan["grid"]),
                Slicing.from_json(scan["slicing"]),
                options["spacing_mm"],
                options["interpolation"],
            )
        return self._at(attempt, "resample", patient, mb)

    def segment(self, patient: str, resample_record: str, attempt: int) -> int:
        """Memory of segment, MB, from the resampled grid."""
        from lungprep.image.volume import Grid
        from lungprep.resources.memory import segment_mb

        with self._read(resample_record) as volume:
            mb = segment_mb(Grid.from_json(volume["grid"]), self._config["segment"]["method"])
        return self._at(attempt, "segment", patient, mb)

    def publish(self, patient: str, resample_record: str, segment_record: str, attempt: int) -> int:
        """Memory of publish, MB, from the resampled grid and the lungs in it."""
        from lungprep.image.volume import Grid
        from lungprep.resources.memory import publish_mb

        options = ExportOptions(**export_options(self._config))
        with self._read(resample_record) as volume:
            grid = Grid.from_json(volume["grid"])
        with self._read(segment_record) as lungs:
            mb = publish_mb(grid, lungs["box"], options)
        return self._at(attempt, "publish", patient, mb)

    @contextmanager
    def _read(self, path: str) -> Iterator[dict[str, Any]]:
        """Read a record; raise FileNotFoundError if it is absent or yields no estimate."""
        try:
            found = Path(path).lstat()
            if self.stale or not stat.S_ISREG(found.st_mode) or found.st_size > RECORD_BYTES:
                raise ValueError(path)
            yield read_record(path)
        except (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
                RecursionError, LungprepError) as error:  # fmt: skip
            raise FileNotFoundError(ENOENT, "no record of this run", path) from error

    def _at(self, attempt: int, step: str, patient: str, first_mb: int) -> int:
        """Estimate for an attempt, MB; warn if it exceeds the limit of all jobs together."""
        mb = round(first_mb * ATTEMPTS[min(attempt, len(ATTEMPTS)) - 1])
        if self.limit_mb is not None and mb > self.limit_mb and (step, patient) not in self._warned:
            self._warned.add((step, patient))
            self._warn(
                f"{patient}: {step} is estimated to take {mb} MB, but all jobs together may take "
                f"{self.limit_mb}; it runs alone, and may be killed: use a machine with more memory"
            )
        return mb
