"""What the job of a shard asks for, by its patients and the config."""

import pytest

from lungprep.cohort.patients import Patient
from lungprep.config.schema import complete, read_schema
from lungprep.resources.budgets import UNKNOWN_LOAD_MB
from lungprep.shards.messages import LIST, cohort_file
from lungprep.shards.sizes import OWN_MB, load_mb_of, shard_mb, shard_minutes
from lungprep.stores.address import parse_address


@pytest.mark.parametrize(
    ("method", "cores", "load_mb", "asked"),
    [
        ("classical", 4, 200, 4000),
        ("classical", 1, 200, 1000),
        ("classical", 4, 9000, 9000),
        ("lungmask", 4, 200, 5000),
        ("lungmask", 2, 200, 5000),
        ("totalsegmentator", 8, 200, 16000),
    ],
)
def test_memory_is_that_of_the_largest_patient_or_of_all_cores(method, cores, load_mb, asked):
    mbs = [shard_mb(method, cores, load_mb, n) for n in (1, 2, 3)]
    assert mbs == [OWN_MB + round(asked * factor) for factor in (1, 1.5, 2)]


def test_time_is_for_the_patients_one_after_another_on_each_core():
    assert [shard_minutes("classical", 4, 25, n) for n in (1, 2, 3)] == [17, 24, 31]
    assert shard_minutes("lungmask", 4, 25, 1) == 10 + 63


def test_a_job_is_told_the_memory_of_its_largest_patient(folder, tmp_path):
    (tmp_path / "in").mkdir()
    source = parse_address("source", f"{tmp_path}/in/")
    patients = [Patient(name, source.join(name)) for name in ("P1", "P2", "P3")]
    target = folder("out")
    config = complete({"source": f"{tmp_path}/in", "target": f"{tmp_path}/out"}, read_schema())
    for shard, load_mb in {"1": {"P1": 70, "P2": 900}, "2": {}}.items():
        target.write(LIST.format(shard=shard), cohort_file(patients, load_mb))
    assert [load_mb_of(config, shard) for shard in ("1", "2", "gone")] == [
        900,
        UNKNOWN_LOAD_MB,
        UNKNOWN_LOAD_MB,
    ]
