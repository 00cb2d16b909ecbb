"""What a run that goes in turns has done so far."""

import os
import time
from dataclasses import dataclass, field, replace


@dataclass
class Tally:
    """What a run did in the turns that are over.

    Attributes
    ----------
    config : str
        Digest of the config that the run began with.
    start : float
        When it began, on the monotonic clock.
    turns : int
        How many are over.
    published : list of str
        Patients.
    failures : dict of str to str
        The line of each patient who failed.
    reasons : dict of str to str
        Why each of these was to be done.
    set_aside : list of str
        Those of them who are quarantined.
    changed : list of str
        Patients whose source had changed when the run began, and whose turn is yet to come.
    pid : int
        The process, which keeps its id from turn to turn.
    """

    config: str
    start: float = field(default_factory=time.monotonic)
    turns: int = 0
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
        """Tally after one more turn."""
        return replace(
            self,
            turns=self.turns + 1,
            published=self.published + published,
            failures=self.failures | failures,
            reasons=self.reasons | reasons,
            set_aside=self.set_aside + set_aside,
            changed=changed,
        )

    @property
    def tried(self) -> set[str]:
        """Patients who are not tried again in this run."""
        return {*self.published, *self.failures}

    @property
    def failed(self) -> int:
        """Patients who failed and are not quarantined."""
        return len(self.failures) - len(self.set_aside)
