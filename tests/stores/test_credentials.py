"""Where credentials come from: both clients find the same."""

import json
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from lungprep.errors import AccessRefused


@pytest.mark.parametrize("keys", [True, False])
def test_an_unknown_profile_is_named(s3, monkeypatch, keys):
    if not keys:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    for action in (s3("out").level, lambda: s3("out").read("a")):
        with pytest.raises(AccessRefused, match=r"profile \(nobody\) could not be found; check"):
            action()


@pytest.fixture
def bare_s3(s3, server, monkeypatch, tmp_path):
    """As `s3`, without credentials in the environment or in this user's files."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return s3


def serves(s3):
    """Whether both clients can write, list and read."""
    written = s3("out").write("a", b"content")
    return s3("out").entries() == [written] and s3("out").read("a") == b"content"


def test_a_profile_serves_both_clients(bare_s3, monkeypatch, server, tmp_path):
    (tmp_path / "AWS_SHARED_CREDENTIALS_FILE").write_text(
        f"[me]\naws_access_key_id = {server.access_key}\n"
        f"aws_secret_access_key = {server.secret_key}\n"
    )
    (tmp_path / "AWS_CONFIG_FILE").write_text(
        f"[profile me]\nregion = us-east-1\nendpoint_url = {server.endpoint_url}\n"
    )
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "me")
    assert serves(bare_s3)


def test_a_profile_with_a_program_serves_both_clients(bare_s3, monkeypatch, server, tmp_path):
    """As single sign-on helpers are called; assumed roles and SSO take the same way, by boto3."""
    keys = {"Version": 1, "AccessKeyId": server.access_key, "SecretAccessKey": server.secret_key}
    (tmp_path / "keys.json").write_text(json.dumps(keys))
    (tmp_path / "print.py").write_text("import sys; print(open(sys.argv[1]).read())")
    command = f"{sys.executable} {tmp_path / 'print.py'} {tmp_path / 'keys.json'}"
    (tmp_path / "AWS_CONFIG_FILE").write_text(f"[profile me]\ncredential_process = {command}\n")
    monkeypatch.setenv("AWS_PROFILE", "me")
    assert serves(bare_s3)


def test_a_program_that_fails_is_one_line(bare_s3, monkeypatch, tmp_path):
    (tmp_path / "AWS_CONFIG_FILE").write_text("[profile me]\ncredential_process = false\n")
    monkeypatch.setenv("AWS_PROFILE", "me")
    for action in (bare_s3("out").level, lambda: bare_s3("out").read("a")):
        with pytest.raises(AccessRefused, match=r"needs credentials: .*custom-process"):
            action()


@contextmanager
def metadata(server):
    """A server that hands out keys as a container's agent and an instance's metadata do."""
    keys = {
        "AccessKeyId": server.access_key,
        "SecretAccessKey": server.secret_key,
        "Token": "token",
        "Expiration": "2099-01-01T00:00:00Z",
        "Code": "Success",
        "Type": "AWS-HMAC",
        "LastUpdated": "2020-01-01T00:00:00Z",
    }

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            roles = "/latest/meta-data/iam/security-credentials/"
            texts = {"/latest/api/token": "t", roles: "role", roles.rstrip("/"): "role"}
            text = texts.get(self.path, json.dumps(keys)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "21600")
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_PUT = answer  # noqa: N815

        def log_message(self, format, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()


@pytest.mark.parametrize("token_file", [False, True])
def test_a_container_role_serves_both_clients(bare_s3, monkeypatch, server, tmp_path, token_file):
    with metadata(server) as url:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/keys")
        if token_file:
            (tmp_path / "token").write_text("t")
            monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        assert serves(bare_s3)


def test_an_instance_role_serves_both_clients(bare_s3, monkeypatch, server):
    with metadata(server) as url:
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        assert serves(bare_s3)
