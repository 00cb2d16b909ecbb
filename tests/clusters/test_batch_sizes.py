"""Sizes that AWS Batch takes, and what a run refuses whose jobs share no file system."""

import pytest

from lungprep.errors import ConfigError, StoreError
from lungprep.shards.aws_batch import SIZES, accepted_mb, check_job
from lungprep.shards.no_shared_files import check_apart

CONFIG = {"s3": {"endpoint_url": None, "anonymous": False, "requester_pays": False}}


@pytest.mark.parametrize(
    ("vcpus", "needed_mb", "accepted"),
    [
        (1, 1, 2048),
        (1, 2049, 3072),
        (4, 4600, 8192),
        (4, 8192, 8192),
        (4, 8193, 9216),
        (8, 32600, 32768),
        (16, 64600, 65536),
        (4, 32600, 30720),
        (3, 4600, 4600),
    ],
)
def test_memory_goes_up_to_the_next_size(vcpus, needed_mb, accepted):
    assert accepted_mb(vcpus, needed_mb) == accepted


def test_sizes_are_those_of_the_plugin():
    constant = pytest.importorskip("snakemake_executor_plugin_aws_batch.constant")
    ours = {(mb, n) for n, (low, high, step) in SIZES.items() for mb in range(low, high + 1, step)}
    theirs = {(mb, n) for mb, all_n in constant.VALID_RESOURCES_MAPPING.items() for n in all_n}
    assert ours == theirs


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (
            (3, 8192, 60, 60),
            "no job with 3 vCPUs; set-threads of shard takes one of 1, 2, 4, 8, 16",
        ),
        ((4, 10000, 60, 60), "no job with 4 vCPUs and 10000 MB; set mem_mb of shard to 10240"),
        ((4, 99999, 60, 60), "no job with 4 vCPUs and 99999 MB; set mem_mb of shard to 30720"),
        ((4, 8192, 61, 60), "may take 61 s, .* end it after 60; set aws-batch-task-timeout to 61"),
    ],
)
def test_jobs_that_can_not_end_well_are_refused(job, words):
    with pytest.raises(ConfigError, match=words):
        check_job(*job)


def test_a_job_of_a_size_passes():
    check_job(4, 8192, 60, 60)


@pytest.fixture
def addresses(s3):
    """Addresses in a bucket that exists."""
    return {key: str(s3(key).address) for key in ("source", "target", "flags")}


def check(addresses, *, flags=None, registered=(), **config):
    config = CONFIG | {key: addresses[key] for key in ("source", "target")} | config
    check_apart(config, flags or addresses["flags"], registered)


def test_addresses_in_a_bucket_pass(addresses):
    check(addresses, registered=["AWS_REGION", "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL"])


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "SNAKEMAKE_STORAGE_S3_TOKEN",
    ],
)
def test_secrets_in_definitions_are_refused(addresses, name):
    with pytest.raises(ConfigError, match=f"^{name} would be stored in the job definitions"):
        check(addresses, registered=["AWS_REGION", name])


@pytest.mark.parametrize("key", ["source", "target"])
def test_folders_are_refused(addresses, tmp_path, key):
    with pytest.raises(ConfigError, match=f"^{key} is the folder .* can't see"):
        (tmp_path / key).mkdir()
        check(addresses, **{key: str(tmp_path / key)})


def test_a_prefix_that_is_a_folder_is_refused(addresses, tmp_path):
    with pytest.raises(ConfigError, match="prefix is the folder"):
        check(addresses, flags=str(tmp_path))


def test_a_bucket_that_is_not_there_is_not_made(addresses):
    with pytest.raises(StoreError, match="no-such-bucket"):
        check(addresses, flags="s3://no-such-bucket/x/")
