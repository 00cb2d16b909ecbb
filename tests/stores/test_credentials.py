"""Where credentials come from: both clients find the same."""

import pytest

from lungprep.errors import AccessRefused


def test_an_unknown_profile_is_named(s3, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    for action in (s3("out").folders, lambda: s3("out").read("a")):
        with pytest.raises(AccessRefused, match=r"profile \(nobody\) could not be found; check"):
            action()


def test_a_profile_serves_both_clients(s3, monkeypatch, server, tmp_path):
    credentials = tmp_path / "credentials"
    credentials.write_text(
        f"[me]\naws_access_key_id = {server.access_key}\n"
        f"aws_secret_access_key = {server.secret_key}\n"
    )
    config = tmp_path / "config"
    config.write_text(f"[profile me]\nregion = us-east-1\nendpoint_url = {server.endpoint_url}\n")
    for name in server.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "me")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    written = s3("out").write("a", b"content")
    assert s3("out").entries() == [written]
    assert s3("out").read("a") == b"content"
