"""Results of a run's finished rounds."""

import os
import time
from dataclasses import dataclass, field, replace


@dataclass
class Tally:
    """Results of a run's finished rounds.

    Attributes
    ----------
    config : str
        Digest of the config at the start of the run.
    start : float
        Start of the run, on the monotonic clock, s.
    rounds : int
        Number of finished rounds.
    published : list of str
        Published patients.
    failures : dict of str to str
        Line by patient, for each patient that failed.
    reasons : dict of str to str
        Reason why each failed patient was to be done.
    set_aside : list of str
        Failed patients that are quarantined.
    changed : list of str
        Patients whose source had changed at the start of the run, and that are still to be done.
    pid : int
        Id of the process, which is the same in all rounds.
    """

    config: str
    start: float = field(default_factory=time.monotonic)
    rounds: int = 0
    published: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    set_aside: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    pid: int = field(default_factory=os.getpid)

    def plus(
        self,
        published: list[str],
        failures: dict[str, str],
        reasons: dict[str, str],
        set_aside: list[str],
        changed: list[str],
    ) -> "Tally":
        """Tally after one more round."""
        return replace(
            self,
            rounds=self.rounds + 1,
            published=self.published + published,
            failures=self.failures | failures,
            reasons=self.reasons | reasons,
            set_aside=self.set_aside + set_aside,
            changed=changed,
        )

    @property
    def tried(self) -> set[str]:
        """Patients that are not tried again in this run."""
        return {*self.published, *self.failures}

    @property
    def failed(self) -> int:
        """Number of patients that failed and are not quarantined."""
        return len(self.failures) - len(self.set_aside)
