"""Fixtures that several rooms share."""

from pathlib import Path

import pytest

from lungprep.demo.server import s3_server
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """A real S3 server with real signatures, for all tests of a worker."""
    folder = tmp_path_factory.mktemp("s3")
    with s3_server(folder, buckets=["bucket"], log_requests=True) as running:
        yield running


@pytest.fixture
def s3(server, monkeypatch, request):
    """Opens ``s3://bucket/{test}/...`` in this process, with the server's credentials."""
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
