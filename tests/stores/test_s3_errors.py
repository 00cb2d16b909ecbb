"""What S3 refuses: one line each, at once, and never taken for an empty store."""

import socket
from dataclasses import replace

import pytest

from lungprep.errors import (
    AccessRefused,
    ConfigError,
    NoAnswer,
    NotFound,
    ObjectNotFound,
    RequestRefused,
    StoreUnreachable,
    TransferMismatch,
)
from lungprep.stores import Address, S3Options, open_store, retrying
from lungprep.stores.s3_errors import explain


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("SlowDown", 503, StoreUnreachable),
        ("503", 503, StoreUnreachable),
        ("InternalError", 500, StoreUnreachable),
        ("SomethingNew", 502, StoreUnreachable),
        ("429", 429, StoreUnreachable),
        ("RequestTimeout", 400, StoreUnreachable),
        ("IncompleteBody", 400, StoreUnreachable),
        ("XAmzContentSHA256Mismatch", 400, StoreUnreachable),
        ("NotImplemented", 501, RequestRefused),
        ("AccessDenied", 403, AccessRefused),
        ("SomethingNew", 403, AccessRefused),
        ("InvalidAccessKeyId", 403, AccessRefused),
        ("SignatureDoesNotMatch", 403, AccessRefused),
        ("ExpiredToken", 400, AccessRefused),
        ("PermanentRedirect", 301, AccessRefused),
        ("NoSuchBucket", 404, NotFound),
        ("NoSuchKey", 404, ObjectNotFound),
        ("PreconditionFailed", 412, TransferMismatch),
        ("InvalidRequest", 400, RequestRefused),
        ("KMS.NotFoundException", 400, RequestRefused),
        ("MethodNotAllowed", 405, RequestRefused),
    ],
)
def test_the_code_decides_whether_it_is_tried_again(code, status, kind):
    error = explain(code, "s3://bucket/x/1.dcm", status)
    assert type(error) is kind
    assert "s3://bucket/x/1.dcm" in error.found or "bucket bucket" in error.found


def test_odd_keys_do_not_hide_the_others(s3):
    place = s3("odd")
    for key in ("P 1/1.dcm", "ünï/1.dcm", "P1/1.dcm"):
        place.write(key, b"x")
    assert place.level().folders == ["P 1", "P1", "ünï"]


def test_wrong_key_is_one_line(s3, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    place = s3("out")
    for action in (
        place.level,
        place.entries,
        lambda: place.read("a"),
        lambda: place.write("a", b""),
    ):
        with pytest.raises(
            AccessRefused, match=r"was refused \(SignatureDoesNotMatch\); check the AWS_"
        ):
            action()


def test_missing_bucket_is_named(s3):
    place = open_store(Address("no-such-bucket", "x/"), S3Options())
    for action in (place.level, lambda: place.entries(below=True), lambda: place.write("a", b"")):
        with pytest.raises(NotFound, match=r"^bucket no-such-bucket does not exist; create it"):
            action()


def test_unreachable_endpoint_is_one_line(s3, monkeypatch):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(retrying, "POLICY", replace(retrying.POLICY, first_answer_s=0.5))
    place = s3("out")
    for action in (place.level, lambda: place.read("a")):
        with pytest.raises(NoAnswer, match=r"could not be reached \(no connection to") as caught:
            action()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:9000", "https://key:secret@host", "ftp://host"])
def test_an_endpoint_that_is_no_url_is_named_and_not_repeated(s3, monkeypatch, url):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
    for action in (s3("out").level, lambda: s3("out").read("a")):
        with pytest.raises(
            ConfigError, match=r"^AWS_ENDPOINT_URL_S3 is not the URL of a server; write"
        ):
            action()
