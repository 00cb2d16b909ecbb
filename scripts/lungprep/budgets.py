"""What the jobs of a run ask for: estimates of their memory, from what lies at hand."""

import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from errno import ENOENT
from pathlib import Path
from typing import Any

from lungprep.errors import LungprepError
from lungprep.output.options import ExportOptions
from lungprep.presets import export_options
from lungprep.records import read_record
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address

#: Where a patient's objects were not looked up: 600 slices of 512 x 512.
UNKNOWN_LOAD_MB = 450
# Enough to hide the latency of two requests for each of 1,000 patients.
LOOKUPS = 64
# Share of the first estimate that each attempt has.
ATTEMPTS = (1.0, 1.5, 2.0)
# Far more than any record has.
RECORD_BYTES = 1 << 24


class Budget:
    """Memory of each job, MB.

    Records that do not exist yet raise FileNotFoundError, by which Snakemake knows that it has to
    ask again; so does whatever else has their place, such as the emptied record of a killed run.

    Parameters
    ----------
    config : dict
        The complete config.
    prefix : callable
        From a patient to the address of their objects.
    warn : callable
        Called with a line about each job that needs more than there is.
    known : mapping of str to int
        First estimate of load, MB, by patient.
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
        #: First estimate of load, by patient that was looked up.
        self.load_mb = dict(known)
        self._warned: set[tuple[str, str]] = set()
        #: All jobs together, MB, if that is limited.
        self.limit_mb: int | None = None
        #: Whether records are of an earlier run, as all are before this one has begun.
        self.stale = False

    def look_up(self, patients: Iterable[str]) -> None:
        """List the objects of patients and read the start of one of each, many at a time.

        A patient whose store does not answer well is left at the default: their job will say why.
        """
        unknown = [patient for patient in patients if patient not in self.load_mb]
        if not unknown:
            return
        # Imported before the threads start: pydicom's modules import one another, and two threads
        # that begin with two of them would stop each other.
        from lungprep.footprint import look_up
        from lungprep.memory import load_mb

        shared = open_store(parse_address("source", self._config["source"]), self._options)
        start = str(shared.address)

        def looked_up(patient: str) -> int | None:
            # A client for each patient would cost more than its two requests.
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
        """The most that some patients take to load, at the first attempt."""
        return max(self.load_mb.get(patient, UNKNOWN_LOAD_MB) for patient in patients)

    def load(self, patient: str, attempt: int) -> int:
        """For what was looked up."""
        return self._at(attempt, "load", patient, self.load_mb.get(patient, UNKNOWN_LOAD_MB))

    def resample(self, patient: str, load_record: str, attempt: int) -> int:
        """For the grid of the scan, and for that of the config."""
        from lungprep.memory import resample_mb
        from lungprep.volume import Grid, Slicing

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
        """For the resampled grid."""
        from lungprep.memory import segment_mb
        from lungprep.volume import Grid

        with self._read(resample_record) as volume:
            mb = segment_mb(Grid.from_json(volume["grid"]), self._config["segment"]["method"])
        return self._at(attempt, "segment", patient, mb)

    def publish(self, patient: str, resample_record: str, segment_record: str, attempt: int) -> int:
        """For the resampled grid and the lungs in it."""
        from lungprep.memory import publish_mb
        from lungprep.volume import Grid

        options = ExportOptions(**export_options(self._config))
        with self._read(resample_record) as volume:
            grid = Grid.from_json(volume["grid"])
        with self._read(segment_record) as lungs:
            mb = publish_mb(grid, lungs["box"], options)
        return self._at(attempt, "publish", patient, mb)

    @contextmanager
    def _read(self, path: str) -> Iterator[dict[str, Any]]:
        """Read a record; what is none, or leads to no estimate, is not there."""
        try:
            found = Path(path).lstat()
            if self.stale or not stat.S_ISREG(found.st_mode) or found.st_size > RECORD_BYTES:
                raise ValueError(path)
            yield read_record(path)
        except (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError,
                RecursionError, LungprepError) as error:  # fmt: skip
            raise FileNotFoundError(ENOENT, "no record of this run", path) from error

    def _at(self, attempt: int, step: str, patient: str, first_mb: int) -> int:
        """Estimate of an attempt; a line where that is more than all jobs together may take."""
        mb = round(first_mb * ATTEMPTS[min(attempt, len(ATTEMPTS)) - 1])
        if self.limit_mb is not None and mb > self.limit_mb and (step, patient) not in self._warned:
            self._warned.add((step, patient))
            self._warn(
                f"{patient}: {step} is estimated to take {mb} MB where all jobs may take "
                f"{self.limit_mb}; it runs alone, and may be killed: use a machine with more memory"
            )
        return mb
