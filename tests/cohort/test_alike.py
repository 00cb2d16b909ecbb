"""Ids that differ only by case are refused where the target ignores it, and only there."""

import pytest

from lungprep.cohort.alike import alike, check_case
from lungprep.cohort.ledger import INDEX
from lungprep.cohort.patients import LUNGS, SIDECAR, VOLUME
from lungprep.cohort.planning import Plan
from lungprep.cohort.tally import Tally
from lungprep.errors import ConfigError
from lungprep.run.closing import lost_patients
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from odd_store import odd_store


@pytest.fixture(params=[(), ("no case",)], ids=["as Amazon", "no case"])
def target(request, monkeypatch):
    """A target with an index, and whether it ignores case."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "lungprep-test")
    with odd_store(*request.param) as store:
        place = parse_address("target", "s3://bucket/out/")
        place = open_store(place, S3Options(endpoint_url=store.endpoint_url))
        place.write(INDEX, b"{}")
        place.ignores_case = bool(request.param)
        yield place


@pytest.mark.parametrize(
    ("patients", "others"),
    [(["P1", "p1"], []), (["P1"], ["p1"]), (["P1", "p1.LUNGS"], []), (["x.Failed"], ["X"])],
)
def test_the_target_tells_whether_it_ignores_case(target, patients, others):
    if target.ignores_case:
        with pytest.raises(
            ConfigError, match=r"differ only by case, which target s3://bucket/out/"
        ):
            check_case(target, patients, others)
    else:
        check_case(target, patients, others)


def test_other_ids_ask_for_nothing():
    assert alike(["P1", "P2", "p3"], ["P4", "p40"]) is None
    assert alike(["P1"], ["x", "X"]) is None, "none of this cohort's"
    check_case(None, ["P1", "P2"], [])


def test_who_is_gone_from_the_target_is_not_counted(target):
    """The second replaces the first where case is ignored, whatever the jobs said."""
    tally = Tally("", published=["P1", "p1", "P2"])
    for patient in tally.published:
        for pattern in (VOLUME, LUNGS, SIDECAR):
            target.write(pattern.format(patient=patient), patient.encode())
    plan = Plan(None, {}, {}, None, "r", target)
    assert lost_patients(plan, tally) == (["p1"] if target.ignores_case else [])
    target.discard("P2.npy")
    assert "P2" in lost_patients(plan, tally)
