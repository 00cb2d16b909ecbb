"""The profile for Kubernetes: its dry run, the jobs that it posts, and their commands.

No cluster is here: `kubernetes_api.py` says what stands for it.
"""

from pathlib import Path

import pytest

from clusters import containers
from clusters.kubernetes_api import kubernetes
from clusters.test_aws_batch import COHORT, REGION, admit, local_digests
from clusters.test_shards import digests, papers, summary


@pytest.fixture
def nodes(tmp_path):
    folder = tmp_path / "nodes"
    folder.mkdir()
    return folder


@pytest.fixture
def start(lab, server, tmp_path, nodes):
    """Starts a run with the profile as it stands, but for the place of flags."""
    pytest.importorskip("snakemake_executor_plugin_kubernetes", reason="make test-cloud has it")
    containers.clone(lab.folder)
    lab.snakefile = Path("Snakefile")
    lab.config["s3"] = {"endpoint_url": server.endpoint_url}
    with (
        containers.image(tmp_path, server) as image,
        kubernetes(nodes, image) as (cluster, kubeconfig),
    ):

        def run(*arguments):
            place = f"{lab.target.address}jobs"
            return lab.run(
                *("--workflow-profile", "profiles/kubernetes", "--default-storage-prefix", place),
                *("--storage-s3-endpoint-url", server.endpoint_url, *arguments),
                cores=4,
                environ={"AWS_REGION": REGION, "KUBECONFIG": str(kubeconfig)},
                patients_per_job=2,
            )

        run.cluster = cluster
        yield run


def test_cohort_on_kubernetes(lab, start, nodes):
    admit(lab)
    dry = start("-n")
    assert dry.returncode == 0, dry.stdout
    assert f"missing: {COHORT} of {COHORT} patients" in dry.stdout
    assert not start.cluster.jobs

    done = start()
    logs = "".join(log.read_text() for log in nodes.glob("*.log"))
    assert done.returncode == 0, done.stdout + logs
    assert f"published {COHORT} patients to" in summary(done.stdout)[0]
    assert digests(lab) == dict.fromkeys(("P0", "P1", "P2"), local_digests(lab))
    assert papers(lab) == []

    assert len(start.cluster.jobs) == 2
    for job in start.cluster.jobs.values():
        pod = job["spec"]["template"]["spec"]
        assert pod["serviceAccountName"] == "lungprep"
        assert [set(volume) for volume in pod["volumes"]] == [{"name", "emptyDir"}]
        container = pod["containers"][0]
        asked = container["resources"]
        assert asked["requests"] == {
            "cpu": "3800m",
            "memory": "4600M",
            "ephemeral-storage": "10000M",
        }
        assert asked["limits"] == {"cpu": "4000m", "memory": "4600M", "ephemeral-storage": "10000M"}
        assert not container.get("securityContext")
    (secret,) = start.cluster.secrets.values()
    assert set(secret) == {
        "aws_region",
        "snakemake_storage_s3_region",
        "snakemake_storage_s3_endpoint_url",
    }
    kinds = [kind for kind, _ in start.cluster.deleted]
    assert "secrets" in kinds, "the run takes its Secret away"
