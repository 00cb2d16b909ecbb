"""Credentials that somebody else hands out: both clients find the same.

The S3 server is real; Amazon's STS and SSO are stubs that answer with its keys.
"""

import hashlib
import json
import os
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from lungprep.errors import AccessRefused
from lungprep.stores import S3Options
from lungprep.stores.s3_credentials import Keys
from lungprep.stores.s3_settings import settings
from tls import authority, tls_before

AHEAD = "2099-01-01T00:00:00Z"
STS = (
    "<{0}Response xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><{0}Result><Credentials>"
    "<AccessKeyId>{1}</AccessKeyId><SecretAccessKey>{2}</SecretAccessKey>"
    "<SessionToken>t</SessionToken><Expiration>{3}</Expiration></Credentials>"
    "</{0}Result></{0}Response>"
)


BASE = "[profile base]\naws_access_key_id = a\naws_secret_access_key = b\n"


@pytest.fixture
def bare_s3(s3, monkeypatch, tmp_path):
    """As `s3`, without credentials in the environment or in this user's files."""
    for name in os.environ:
        if name.startswith("AWS_") and name not in ("AWS_ENDPOINT_URL_S3", "AWS_REGION"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return s3


@pytest.fixture
def write_config(tmp_path):
    """Writes the config file of AWS."""
    (tmp_path / ".aws").mkdir()
    return (tmp_path / ".aws" / "config").write_text


@pytest.fixture
def amazon(server, monkeypatch):
    """A stub of STS and of the SSO portal; `asked` has what it was told."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            told = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            asked.append({name: values[0] for name, values in told.items()})
            keys = (server.access_key, server.secret_key, AHEAD)
            self.answer(STS.format(asked[-1]["Action"], *keys), "text/xml")

        def do_GET(self):
            asked.append({"token": self.headers["x-amz-sso_bearer_token"]})
            keys = {"accessKeyId": server.access_key, "secretAccessKey": server.secret_key}
            role = {**keys, "sessionToken": "t", "expiration": 4_000_000_000_000}
            self.answer(json.dumps({"roleCredentials": role}), "application/json")

        def answer(self, text, kind):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format, *arguments):
            pass

    with serving(Handler) as url:
        for service in ("STS", "SSO"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        yield asked


@contextmanager
def serving(handler):
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        thread = Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()


def serves(s3):
    """Whether both clients can write, list and read."""
    written = s3("out").write("a", b"content")
    return s3("out").entries() == [written] and s3("out").read("a") == b"content"


def refused(s3, pattern):
    """Whether both clients end in one line."""
    for action in (s3("out").level, lambda: s3("out").read("a")):
        with pytest.raises(AccessRefused, match=pattern) as caught:
            action()
        assert "\n" not in str(caught.value)


def test_a_role_is_asked_for_where_a_private_authority_stands_between(
    bare_s3, amazon, write_config, monkeypatch, tmp_path
):
    """The store itself does not speak TLS."""
    made = authority(tmp_path)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(made.pem))
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    write_config("[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n" + BASE)
    with tls_before(os.environ["AWS_ENDPOINT_URL_STS"], made.sign("localhost")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)
        assert serves(bare_s3)


def test_an_assumed_role_serves_both_clients(bare_s3, amazon, write_config):
    write_config(
        "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\nexternal_id = out\n"
        + BASE
    )
    assert serves(bare_s3)
    assert {(told["RoleArn"], told["ExternalId"]) for told in amazon} == {
        ("arn:aws:iam::1:role/r", "out")
    }


@pytest.mark.parametrize("by_profile", [True, False])
def test_a_web_identity_serves_both_clients(
    bare_s3, amazon, write_config, monkeypatch, tmp_path, by_profile
):
    (tmp_path / "token").write_text("identity")
    if by_profile:
        write_config(
            "[default]\nrole_arn = arn:aws:iam::1:role/r\n"
            f"web_identity_token_file = {tmp_path / 'token'}\n"
        )
    else:
        monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")
        monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    assert serves(bare_s3)
    assert {told["WebIdentityToken"] for told in amazon} == {"identity"}


def sign_in(tmp_path, monkeypatch, expires):
    """What `aws sso login` leaves; botocore looks for its folder when it is imported."""
    cache = tmp_path / "cache"
    cache.mkdir()
    monkeypatch.setattr("botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR", str(cache))
    monkeypatch.setattr("botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", str(cache))
    name = hashlib.sha1(b"lab", usedforsecurity=False).hexdigest()
    token = {"accessToken": "signed-in", "expiresAt": expires, "region": "us-east-1"}
    (cache / f"{name}.json").write_text(json.dumps({**token, "startUrl": "https://lab.test"}))


SSO = (
    "[default]\nsso_session = lab\nsso_account_id = 1\nsso_role_name = r\n"
    "[sso-session lab]\nsso_region = us-east-1\nsso_start_url = https://lab.test\n"
)


def test_a_sign_in_serves_both_clients(bare_s3, amazon, write_config, tmp_path, monkeypatch):
    write_config(SSO)
    sign_in(tmp_path, monkeypatch, AHEAD)
    assert serves(bare_s3)
    assert {told["token"] for told in amazon} == {"signed-in"}


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_sign_in_that_is_over_is_one_line(
    bare_s3, amazon, write_config, tmp_path, monkeypatch, signed_in
):
    write_config(SSO)
    if signed_in:
        sign_in(tmp_path, monkeypatch, "2020-01-01T00:00:00Z")
    refused(bare_s3, r"needs credentials: .*[Tt]oken.*; run aws sso login, then again$")


PROGRAM = """
import datetime, json, sys
keys, calls, lifetime_s = json.load(open(sys.argv[1])), sys.argv[2], float(sys.argv[3])
open(calls, "a").write("x")
ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=lifetime_s)
print(json.dumps({"Version": 1, **keys, "Expiration": ends.isoformat()}))
"""


@pytest.fixture
def program(server, write_config, tmp_path):
    """Makes a profile with a program whose keys hold so long; its calls are counted in a file."""

    def made(lifetime_s):
        keys = {"AccessKeyId": server.access_key, "SecretAccessKey": server.secret_key}
        (tmp_path / "keys.json").write_text(json.dumps(keys))
        (tmp_path / "program.py").write_text(PROGRAM)
        files = [tmp_path / name for name in ("program.py", "keys.json", "calls")]
        command = " ".join(map(str, [sys.executable, *files, lifetime_s]))
        write_config(f"[default]\ncredential_process = {command}\n")
        return files[-1]

    return made


def later(monkeypatch):
    """Let as much time go by as keys are kept for."""
    at = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: at + 16)
    # obstore asks for them once in 0.1 s at most.
    time.sleep(0.15)


def test_keys_that_end_in_mid_run_are_renewed(bare_s3, program, server, tmp_path, monkeypatch):
    calls = program(60)
    place = bare_s3("out")
    place.write("a", b"1")
    # Another pair from now on: only the new one is good.
    wrong = {"AccessKeyId": server.access_key, "SecretAccessKey": "wrong" * 8}
    (tmp_path / "keys.json").write_text(json.dumps(wrong))
    assert place.read("a") == b"1"
    later(monkeypatch)
    with pytest.raises(AccessRefused, match="SignatureDoesNotMatch"):
        place.read("a")
    assert len(calls.read_text()) <= 4


def test_a_program_is_not_called_for_each_object(bare_s3, program):
    """botocore alone would: less than ten minutes are left each time."""
    calls = program(300)
    keys = Keys("s3://bucket/x", settings(S3Options()))
    before = len(calls.read_text())
    assert {keys()["access_key_id"] for _ in range(20)} == {keys()["access_key_id"]}
    assert len(calls.read_text()) == before


def test_a_program_that_fails_in_mid_run_is_one_line(bare_s3, program, tmp_path, monkeypatch):
    program(60)
    place = bare_s3("out")
    place.write("a", b"1")
    (tmp_path / "keys.json").unlink()
    later(monkeypatch)
    with pytest.raises(AccessRefused, match=r"needs credentials: .*custom-process") as caught:
        place.read("a")
    assert "\n" not in str(caught.value)


def test_keys_of_a_program_that_have_expired_are_one_line(bare_s3, program):
    program(-60)
    refused(bare_s3, r"needs credentials: those found have expired; check the AWS_")


def test_keys_of_the_environment_that_have_expired_are_one_line(s3, monkeypatch):
    ended = datetime.now(UTC) - timedelta(minutes=1)
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", ended.isoformat())
    with pytest.raises(AccessRefused, match="those found have expired"):
        s3("out").level()


def test_half_a_pair_of_keys_is_one_line(s3, monkeypatch):
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    refused(s3, "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY")


def test_no_credentials_are_one_line(bare_s3):
    """An instance that is not to be asked for its role is not."""
    refused(bare_s3, "needs credentials, but none were found; check the AWS_")
