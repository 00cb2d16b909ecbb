"""A run on a store whose certificate is of a private authority."""

import pytest

from lungprep_demo.phantom import chest, slices
from tls import NAMED_BY, authority, tls_before
from workflow.conftest import COARSE, three


@pytest.mark.parametrize("per_job", ["null", 1])
def test_one_variable_reaches_all_jobs(lab, server, tmp_path, per_job):
    """Its path is that of the run's folder, and shares work in another one."""
    lab.admit("P1", slices(chest(), COARSE))
    made = authority(tmp_path)
    lab.folder.mkdir(exist_ok=True)
    (lab.folder / "ca.pem").write_bytes(made.pem.read_bytes())
    lab.environ = {name: text for name, text in lab.environ.items() if name not in NAMED_BY}
    with tls_before(server.endpoint_url, made.sign("localhost")) as url:
        asked = {"AWS_ENDPOINT_URL_S3": url, "NO_PROXY": "localhost"}
        done = lab.run(environ={**asked, "SSL_CERT_FILE": "ca.pem"}, patients_per_job=per_job)
        assert done.returncode == 0, done.stdout
        assert set(three("P1")) <= set(lab.published())
        done = lab.run("-n", environ=asked)
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("lungprep: "))
    assert "certificate" in line
