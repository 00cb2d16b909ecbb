"""The close of a turn: what it leaves in the target beside its patients' results, and its words."""

from collections.abc import Sequence

from lungprep.cohort import FAILED, LUNGS, RECEIPT, VOLUME
from lungprep.failures import read_table, updated, write_table
from lungprep.ledger import write_index
from lungprep.planning import Plan, source_digest
from lungprep.quarantine import Failure, set_aside
from lungprep.receipt import Receipt
from lungprep.report import PAGE, page
from lungprep.stores import S3Options
from lungprep.tally import Tally
from lungprep.verdicts import Verdict


def quarantine_patient(plan: Plan, patient: str, verdict: Verdict, options: S3Options) -> None:
    """Set a patient aside, with the recipe and the source by which the verdict was reached.

    Parameters
    ----------
    plan : Plan
        Of the turn.
    patient : str
        Whose data are at fault.
    verdict : Verdict
        Why.
    options : S3Options
        Of the source.

    Raises
    ------
    StoreError
        If the target or the patient's source does not answer.
    """
    asked = plan.cohort.patients[patient]
    # What lies there by now may be another upload; without a listing there is none to keep.
    source = verdict.source or source_digest(asked.prefix, options)
    text = f"{patient}: {verdict.text}"
    basis = plan.recipe, source, asked.series_uid
    set_aside(plan.target, Failure(patient, verdict.step, verdict.error, text, *basis))


def publish_records(
    plan: Plan,
    tally: Tally,
    published: dict[str, Receipt],
    verdicts: dict[str, Verdict],
) -> None:
    """Write index, report and failures, which keep what the target holds of other cohorts.

    Patients who were set aside before and are published now are set aside no more.

    Parameters
    ----------
    plan : Plan
        Of the turn.
    tally : Tally
        All turns so far, this one included.
    published : dict of str to Receipt
        Whom this turn has published.
    verdicts : dict of str to Verdict
        Who failed in this turn, and why.

    Raises
    ------
    StoreError
        If the target does not take them.
    """
    target, known = plan.target, plan.receipts
    receipts = {**known.others, **known.cohort, **published}
    write_index(target, receipts, known.recipes)
    earlier = [failure.text for failure in plan.quarantined.values()]
    target.write(PAGE, page(receipts, [*failure_lines(plan, tally), *earlier]))
    done = receipts.keys() - tally.failures.keys()
    write_table(target, updated(read_table(target), verdicts, done))
    for patient in published.keys() & plan.failures:
        target.discard(FAILED.format(patient=patient))


def failure_lines(plan: Plan, tally: Tally) -> list[str]:
    """Who failed in all turns so far or was refused, and why, each a line."""
    refused = (f"{name!r}: {why}" for name, why in plan.cohort.refused.items())
    return [*tally.failures.values(), *refused]


def lost_patients(plan: Plan, tally: Tally) -> list[str]:
    """Who was published by this run and is not in the target any more.

    Somebody may have removed it, or its files may lie under another one's name. Lists the target if
    anybody was published.

    Raises
    ------
    StoreError
        If the target does not answer.
    """
    if not tally.published:
        return []
    keys = {entry.key for entry in plan.target.entries()}
    parts = (VOLUME, LUNGS, RECEIPT)
    return [p for p in tally.published if not keys.issuperset(f.format(patient=p) for f in parts)]


def summary(plan: Plan, earlier: Tally, tally: Tally, lost: Sequence[str] = ()) -> str:
    """Sum up a run: how many patients of all turns were published, failed, or are left.

    Parameters
    ----------
    plan : Plan
        Of the last turn.
    earlier, tally : Tally
        All turns before it, and with it.
    lost : sequence of str
        Those of the published who are not in the target any more.
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
        text += f", {len(lost)} were published and are gone from there ({', '.join(lost[:3])}"
        text += ", ...)" if len(lost) > 3 else ")"
    return text + (f", {left} not reached" if left else "")
