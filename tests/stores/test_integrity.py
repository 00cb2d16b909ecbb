"""What was read is what was listed, and what was written is what was sent."""

import hashlib
import random

import pytest

from lungprep.errors import AccessRefused, ObjectNotFound, StoreUnreachable, TransferMismatch
from lungprep.stores import Address, Entry, S3Options, open_store, s3, s3_parts
from lungprep.stores.etags import PART_BYTES, Checks, is_of

CONTENT = random.Random(0).randbytes(3 * PART_BYTES - 5)  # noqa: S311


def test_a_replaced_object_is_an_error_and_its_body_is_not_sent(proxy):
    """By its ETag where the store heeds If-Match, and by that of the answer where it does not."""
    place = proxy.store("x")
    listed = place.write("1.dcm", b"old slice")
    place.write("1.dcm", b"new slice")
    with pytest.raises(TransferMismatch, match=r"1\.dcm was replaced while it was being read; run"):
        place.read("1.dcm", listed)
    conditions = [
        headers.get("if-match") for method, _, headers in proxy.requests if method == "GET"
    ]
    assert conditions == [f'"{listed.etag}"'], "not tried again"


def test_an_object_replaced_while_a_read_is_retried_is_an_error(proxy):
    """Two halves of two objects never become one."""
    place = proxy.store("x")
    direct = proxy.store("x", endpoint_url=proxy.server.endpoint_url)
    listed = place.write("1.dcm", bytes(1000))
    asked = []

    def replace(request):
        asked.append(request)
        if len(asked) == 2:
            direct.write("1.dcm", bytes(999) + b"1")
            proxy.faults.cut_every = 0

    proxy.faults.cut_every = 1
    proxy.watch = replace
    with pytest.raises(TransferMismatch, match="was replaced"):
        place.read("1.dcm", listed)
    assert len(asked) == 2


def test_an_object_removed_since_the_listing_is_named(ceph_s3):
    place = ceph_s3("x")
    listed = place.write("1.dcm", b"1")
    place.discard("1.dcm")
    with pytest.raises(ObjectNotFound, match=r"x/1\.dcm does not exist"):
        place.read("1.dcm", listed)


def test_an_upload_shows_that_etags_are_no_md5s():
    """A store that encrypts with a key: what is read is compared no more."""
    checks, etag = Checks(), "0" * 32
    assert not checks.accept(b"content", etag)
    assert not checks.accept(b"content", etag), "reading twice shows nothing"
    checks.give_up()
    assert checks.accept(b"content", etag)


@pytest.mark.parametrize("etag", ["", "0" * 32 + "-2", "59bcc3ad6775562f-1"])
def test_etags_that_name_no_md5_say_nothing(etag):
    assert Checks().accept(b"content", etag)


def test_etags_of_contents_and_of_parts():
    md5 = [hashlib.md5(part, usedforsecurity=False) for part in (CONTENT, CONTENT[:PART_BYTES])]
    assert is_of(CONTENT, md5[0].hexdigest())
    assert is_of(memoryview(CONTENT)[:PART_BYTES], md5[1].hexdigest())
    assert not is_of(CONTENT, md5[1].hexdigest())
    whole = hashlib.md5(md5[1].digest(), usedforsecurity=False).hexdigest()
    assert is_of(CONTENT[:PART_BYTES], f"{whole}-1")
    assert not is_of(CONTENT[:PART_BYTES], f"{whole}-2")


def test_a_write_costs_one_request(proxy):
    proxy.store("x").write("a", b"content")
    ((method, path, headers),) = proxy.requests
    assert method == "PUT"
    assert path.endswith("/x/a")
    assert headers["x-amz-checksum-sha256"] == "7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M="


def test_a_write_reads_back_where_the_etag_decides_nothing(ceph_s3, monkeypatch):
    """As under KMS, whose ETags are no MD5s: here the comparison is made to fail."""
    monkeypatch.setattr(s3, "is_of", lambda content, etag: False)
    place = ceph_s3("x")
    assert place.write("a", memoryview(b"content")) == Entry("a", 7, place.entries()[0].etag)
    monkeypatch.setattr(place._reader, "read", lambda *_, **__: b"other content")
    with pytest.raises(TransferMismatch, match="differs from what was sent"):
        place.write("a", b"content")


def test_an_upload_in_parts_shows_when_it_is_complete(proxy, monkeypatch):
    monkeypatch.setattr(s3, "SINGLE_BYTES", PART_BYTES)
    place = proxy.store("x")
    place.write("a.npy", b"old")
    seen = []
    direct = proxy.store("x", endpoint_url=proxy.server.endpoint_url)

    def watch(request):
        if "partNumber" in request[1]:
            seen.extend(entry.size for entry in direct.entries(below=True))

    proxy.watch = watch
    written = place.write("a.npy", memoryview(CONTENT))
    proxy.watch = None
    assert seen == [3, 3, 3]
    assert place.entries() == [written]
    assert place.read("a.npy", written) == CONTENT
    sums = [h["x-amz-checksum-sha256"] for _, path, h in proxy.requests if "partNumber" in path]
    assert len(sums) == 3


def test_parts_of_a_failed_upload_are_given_up(ceph_s3, ceph_client, monkeypatch):
    monkeypatch.setattr(s3, "SINGLE_BYTES", PART_BYTES)
    place = ceph_s3("x")

    def fail(*arguments):
        raise StoreUnreachable("s3://bucket/x/a broke off", "run again")

    monkeypatch.setattr("lungprep.stores.s3_parts._complete", fail)
    with pytest.raises(StoreUnreachable):
        place.write("a.npy", CONTENT)
    assert uploads(ceph_client, place) == []
    assert place.entries() == []


def uploads(client, place):
    """Keys of uploads in parts that are under way below a store's prefix."""
    found = client.list_multipart_uploads(Bucket="bucket", Prefix=place.address.prefix)
    return sorted(
        item["Key"].removeprefix(place.address.prefix) for item in found.get("Uploads", [])
    )


def test_parts_that_a_killed_job_left_are_given_up_and_no_others(ceph_s3, ceph_client):
    place = ceph_s3("x")
    for key in ("P1.npy", "P1.npy", "P1.lungs.npy", "P2.npy", "other.bin", "deeper/P1.npy"):
        key = place.address.prefix + key
        begun = ceph_client.create_multipart_upload(Bucket="bucket", Key=key)
        part = {"Bucket": "bucket", "Key": key, "UploadId": begun["UploadId"], "PartNumber": 1}
        ceph_client.upload_part(**part, Body=b"1")
    assert place.abort_abandoned({"P1.npy", "P1.lungs.npy", "P3.npy"}) == 3
    assert uploads(ceph_client, place) == ["P2.npy", "deeper/P1.npy", "other.bin"]
    assert place.abort_abandoned({"P1.npy"}) == 0


def test_an_upload_whose_parts_another_run_gave_up_begins_again(ceph_s3, monkeypatch):
    monkeypatch.setattr(s3, "SINGLE_BYTES", PART_BYTES)
    place, other = ceph_s3("x"), ceph_s3("x")
    send, given_up = s3_parts._send, []

    def interrupted(*arguments):
        if len(given_up) < 2:
            given_up.append(other.abort_abandoned({"a.npy"}))
        return send(*arguments)

    monkeypatch.setattr(s3_parts, "_send", interrupted)
    written = place.write("a.npy", CONTENT)
    assert sum(given_up) >= 1
    assert place.read("a.npy", written) == CONTENT


def test_a_bucket_that_is_not_public_refuses_anonymous_requests(ceph_s3):
    ceph_s3("x").write("P1/1.dcm", b"1")
    stranger = ceph_s3("x", anonymous=True)
    for action in (stranger.level, lambda: stranger.read("P1/1.dcm"), stranger.entries):
        with pytest.raises(AccessRefused, match=r"was refused \((AccessDenied|403)\)"):
            action()


def test_a_public_bucket_is_read_without_credentials(ceph_s3, ceph_client, monkeypatch):
    ceph_client.create_bucket(Bucket="public", ACL="public-read")
    ceph_client.put_object(Bucket="public", Key="in/P1/1.dcm", Body=b"1", ACL="public-read")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    place = open_store(Address("public", "in/"), S3Options(anonymous=True))
    assert place.level().folders == ["P1"]
    (entry,) = place.entries(below=True)
    assert place.read(entry.key, entry) == b"1"
    with pytest.raises(AccessRefused):
        place.write("P1/2.dcm", b"2")
