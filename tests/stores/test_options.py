"""What the options put into the requests, as they go over the wire."""

from contextlib import suppress
from dataclasses import replace

import pytest

from faults import faulty
from lungprep.errors import StoreError
from lungprep.stores import Address, S3Options, open_store, retrying, s3
from lungprep.stores.etags import PART_BYTES


@pytest.fixture
def recorded(s3, server):
    """A proxy that keeps the requests, and the stores behind it."""
    with faulty(server.endpoint_url) as proxy:
        proxy.store = lambda **options: s3("x", endpoint_url=proxy.endpoint_url, **options)
        yield proxy


def use(place):
    """Make a request of each kind."""
    place.write("a", b"1")
    place.level()
    place.entries(below=True)
    place.read("a")
    place.discard("a")
    return ["PUT", "GET", "GET", "GET", "HEAD", "DELETE"]


def test_agreeing_to_pay_is_signed_into_every_request(recorded):
    methods = use(recorded.store(requester_pays=True))
    assert [method for method, _, _ in recorded.requests] == methods
    assert all(signed(headers, "x-amz-request-payer") for _, _, headers in recorded.requests)


def signed(headers, name):
    """Whether a header is there and in the signature: Amazon refuses those that are not."""
    names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    return name in headers and name in names.split(";")


def test_the_owner_is_asked_with_the_listings_of_a_run(recorded):
    place = recorded.store(bucket_owner="123456789012")
    use(place)
    place.entries()
    place.abort_abandoned({"a"})
    owner = "x-amz-expected-bucket-owner"
    asked = [path for _, path, headers in recorded.requests if owner in headers]
    assert all("&delimiter=" in path or "?uploads" in path for path in asked)
    assert len(asked) == 3
    assert all(signed(h, owner) for _, _, h in recorded.requests if owner in h)


def test_a_session_token_is_signed_into_every_request(recorded, monkeypatch):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    use(recorded.store())
    assert {headers["x-amz-security-token"] for _, _, headers in recorded.requests} == {"token"}


def test_what_is_written_is_encrypted_with_the_key(recorded, monkeypatch):
    """No server here has a KMS: shown is what it would be asked."""
    monkeypatch.setattr(s3, "SINGLE_BYTES", PART_BYTES)
    place = recorded.store(kms_key="arn:aws:kms:eu-west-1:1:key/k")
    place.write("a", b"1")
    place.write("b", bytes(PART_BYTES + 1))
    asked = {
        (method, path.rpartition("/")[2].partition("=")[0]): (
            headers.get("x-amz-server-side-encryption"),
            headers.get("x-amz-server-side-encryption-aws-kms-key-id"),
        )
        for method, path, headers in recorded.requests
    }
    encrypted = ("aws:kms", "arn:aws:kms:eu-west-1:1:key/k")
    assert asked["PUT", "a"] == asked["POST", "b?uploads"] == encrypted
    assert asked["PUT", "b?partNumber"] == asked["HEAD", "b"] == (None, None)


@pytest.mark.parametrize(
    ("options", "bucket", "url"),
    [
        ({"endpoint_url": "http://s3.test"}, "bucket", "http://s3.test/bucket"),
        (
            {"endpoint_url": "http://s3.test", "path_style": False},
            "bucket",
            "http://bucket.s3.test",
        ),
        ({"endpoint_url": "http://s3.amazonaws.com"}, "bucket", "http://bucket.s3.amazonaws.com"),
        ({"endpoint_url": "http://s3.amazonaws.com"}, "b.t", "http://s3.amazonaws.com/b.t"),
        (
            {"endpoint_url": "http://s3.amazonaws.com", "path_style": True},
            "bucket",
            "http://s3.amazonaws.com/bucket",
        ),
    ],
)
def test_the_bucket_is_in_the_path_or_in_the_host(recorded, monkeypatch, options, bucket, url):
    """Asked through a web proxy, whose requests name the whole URL; nothing leaves the machine."""
    monkeypatch.setattr(retrying, "POLICY", replace(retrying.POLICY, attempts=1))
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, recorded.endpoint_url)
    place = open_store(Address(bucket, "x/"), S3Options(**options))
    for action in (place.level, lambda: place.read("a")):
        before = len(recorded.requests)
        with suppress(StoreError):
            action()
        ((_, asked, _),) = recorded.requests[before:]
        assert asked.startswith((f"{url}/x/a", f"{url}?list", f"{url}/?list"))


def test_an_endpoint_of_a_profile_is_asked_as_a_given_one(recorded, monkeypatch, tmp_path):
    monkeypatch.setattr(retrying, "POLICY", replace(retrying.POLICY, attempts=1))
    (tmp_path / "config").write_text("[profile me]\nendpoint_url = http://s3.test\n")
    (tmp_path / "keys").write_text("[me]\naws_access_key_id = a\naws_secret_access_key = b\n")
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_PROFILE", "me")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, recorded.endpoint_url)
    place = open_store(Address("bucket", "x/"), S3Options())
    for action in (place.level, lambda: place.read("a")):
        before = len(recorded.requests)
        with suppress(StoreError):
            action()
        ((_, asked, _),) = recorded.requests[before:]
        assert asked.startswith("http://s3.test/bucket")
