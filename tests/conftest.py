"""Fixtures that several rooms share, and the markers by which ``make unit`` selects."""

import tempfile
from pathlib import Path

import boto3
import pytest
from hypothesis import settings

from ceph import ceph_server, missing
from faults import faulty
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep_demo.server import s3_server
from programs import require

# Fixtures that start a server, Snakemake or a cluster; folders whose tests do by themselves.
SERVERS = {"server", "ceph", "s3", "ceph_s3", "ceph_client", "proxy", "lab", "cluster"}
WHOLE = {"workflow", "clusters", "demo"}


def pytest_collection_modifyitems(items):
    """Mark each test that needs a server, a cluster or a run of Snakemake."""
    for item in items:
        folders = set(item.path.relative_to(Path(__file__).parent).parts[:-1])
        if folders & WHOLE or SERVERS & set(fixtures_of(item)):
            item.add_marker(pytest.mark.server)


def fixtures_of(item):
    """Names of the fixtures of a test; of `store`, the one that it opens here."""
    chosen = item.callspec.params.get("store") if hasattr(item, "callspec") else None
    return [*item.fixturenames, chosen]


# A busy machine makes an example slow, not wrong.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A real S3 server with real signatures, for all tests of a worker."""
    folder = tmp_path_factory.mktemp("s3")
    with s3_server(folder, buckets=["bucket"], log_requests=True) as running:
        yield running


@pytest.fixture(scope="session")
def ceph():
    """A complete S3 server, with a bucket; see `ceph`."""
    require(missing(), "Ceph")
    # Not below pytest's own folder, whose path is too long for the sockets in it.
    with (
        tempfile.TemporaryDirectory(prefix="ceph-") as folder,
        ceph_server(Path(folder)) as running,
    ):
        boto3_of(running).create_bucket(Bucket="bucket")
        yield running


def boto3_of(server):
    """A client of a server that is not ours, to look and to prepare with."""
    return boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
    )


@pytest.fixture
def s3(server, monkeypatch, request):
    """Opens ``s3://bucket/{test}/...`` in this process, with the server's credentials."""
    return opener(server, monkeypatch, request)


@pytest.fixture
def ceph_s3(ceph, monkeypatch, request):
    """As `s3`, on the complete server."""
    return opener(ceph, monkeypatch, request)


@pytest.fixture(params=["server", "ceph"])
def proxy(request, monkeypatch):
    """A `FaultyProxy` before each S3 server in turn; `store` opens stores behind it."""
    server = request.getfixturevalue(request.param)
    with faulty(server.endpoint_url) as running:
        store = opener(server, monkeypatch, request)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", running.endpoint_url)
        running.store, running.server = store, server
        yield running


def opener(server, monkeypatch, request):
    """Opens stores of a test in a server."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    root = "".join(c if c.isalnum() else "-" for c in request.node.name)

    def store(folder, **options):
        return open_store(
            parse_address("source", f"s3://bucket/{root}/{folder}"), S3Options(**options)
        )

    return store


@pytest.fixture
def ceph_client(ceph):
    """boto3's client of the complete server, to look and to prepare with."""
    return boto3_of(ceph)


@pytest.fixture
def folder(tmp_path):
    """Opens a folder below the test's own as a store."""

    def store(name):
        return open_store(parse_address("source", str(tmp_path / name)), S3Options())

    return store


@pytest.fixture(params=["s3", "folder"])
def store(request):
    """Each kind of store in turn."""
    return request.getfixturevalue(request.param)


def write_files(folder: Path, files):
    """Put ``(name, bytes)`` pairs into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files:
        (folder / name).write_bytes(content)
