"""The close of a round: its summary, and what it leaves in the target beside results."""

from collections.abc import Sequence

from lungprep.cohort.failures import read_table, updated, write_table
from lungprep.cohort.ledger import write_index
from lungprep.cohort.patients import FAILED, LUNGS, SIDECAR, VOLUME
from lungprep.cohort.planning import Plan, source_digest
from lungprep.cohort.quarantine import Failure, set_aside
from lungprep.cohort.sidecar_facts import SidecarFacts
from lungprep.cohort.tally import Tally
from lungprep.publish.report import PAGE, page
from lungprep.stores import S3Options
from lungprep.workspace.verdicts import Verdict


def quarantine_patient(plan: Plan, patient: str, verdict: Verdict, options: S3Options) -> None:
    """Set a patient aside, with the recipe and the source on which the verdict is based.

    Parameters
    ----------
    plan : Plan
        Plan of this round.
    patient : str
        Id of the patient whose data are at fault.
    verdict : Verdict
        Reason for the failure.
    options : S3Options
        Settings for S3.

    Raises
    ------
    StoreError
        If the target or the patient's source does not answer.
    """
    asked = plan.cohort.patients[patient]
    # Objects may have changed since: list them only if the job recorded no listing.
    source = verdict.source or source_digest(asked.prefix, options)
    text = f"{patient}: {verdict.text}"
    basis = plan.recipe, source, asked.series_uid
    set_aside(plan.target, Failure(patient, verdict.step, verdict.error, text, *basis))


def publish_records(
    plan: Plan,
    tally: Tally,
    published: dict[str, SidecarFacts],
    verdicts: dict[str, Verdict],
) -> None:
    """Write index, report and failures; entries of other cohorts in the target are kept.

    Patients who were quarantined earlier and are published now leave the quarantine.

    Parameters
    ----------
    plan : Plan
        Plan of this round.
    tally : Tally
        Results of all rounds so far, including this one.
    published : dict of str to SidecarFacts
        Sidecar values of the patients that this round published.
    verdicts : dict of str to Verdict
        Reasons by patient, for the patients that failed in this round.

    Raises
    ------
    StoreError
        If the target refuses the records.
    """
    target, known = plan.target, plan.sidecars
    sidecars = {**known.others, **known.cohort, **published}
    write_index(target, sidecars, known.recipes)
    earlier = [failure.text for failure in plan.quarantined.values()]
    target.write(PAGE, page(sidecars, [*failure_lines(plan, tally), *earlier]))
    done = sidecars.keys() - tally.failures.keys()
    write_table(target, updated(read_table(target), verdicts, done))
    for patient in published.keys() & plan.failures:
        target.discard(FAILED.format(patient=patient))


def failure_lines(plan: Plan, tally: Tally) -> list[str]:
    """Lines about all patients that failed in the rounds so far or were refused."""
    refused = (f"{name!r}: {why}" for name, why in plan.cohort.refused.items())
    return [*tally.failures.values(), *refused]


def lost_patients(plan: Plan, tally: Tally) -> list[str]:
    """Patients that this run published but that are missing from the target now.

    Somebody may have removed their files, or another patient's files replaced them. Lists the
    target if any patient was published.

    Raises
    ------
    StoreError
        If the target does not answer.
    """
    if not tally.published:
        return []
    keys = {entry.key for entry in plan.target.entries()}
    parts = (VOLUME, LUNGS, SIDECAR)
    return [p for p in tally.published if not keys.issuperset(f.format(patient=p) for f in parts)]


def summary(plan: Plan, earlier: Tally, tally: Tally, lost: Sequence[str] = ()) -> str:
    """Summarise a run: patients of all rounds that were published, failed, or not reached.

    Parameters
    ----------
    plan : Plan
        Plan of the last round.
    earlier, tally : Tally
        Results of the rounds before it, and of all rounds.
    lost : sequence of str
        Published patients that are missing from the target.
    """
    failed = tally.failed + len(plan.cohort.refused)
    aside = len(tally.set_aside) + len(plan.quarantined)
    left = len(plan.stale.keys() - tally.tried)
    todo = len(plan.cohort.patients.keys() - earlier.tried)
    done = todo - len(plan.stale) - len(plan.quarantined)
    published = len(tally.published) - len(lost)
    text = (
        f"published {published} patients to {plan.target.address}, {failed} failed, "
        f"{done} were done before"
    )
    text += f", {aside} are quarantined" if aside else ""
    if lost:
        text += f", {len(lost)} were published but are no longer there ({', '.join(lost[:3])}"
        text += ", ...)" if len(lost) > 3 else ")"
    return text + (f", {left} not reached" if left else "")
