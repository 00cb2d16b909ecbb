"""A listing counts only if it says that it is one, and no odd store loses an object: what is listed
and read is right, or refused by one true line."""

import json
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from faults import faulty, with_body
from lungprep.cohort.failures import FailedPatient, read_table, write_table
from lungprep.cohort.ledger import read_sidecars
from lungprep.cohort.quarantine import Failure, read_failures, set_aside
from lungprep.errors import (
    AccessRefused,
    BrokenListing,
    CorruptContent,
    NoAnswer,
    ObjectNotFound,
    RequestRefused,
    StoreError,
    TransferMismatch,
)
from lungprep.stores import S3Options, open_store, retrying
from lungprep.stores.address import parse_address
from lungprep.stores.base import read_listed
from lungprep.stores.s3_signing import Keys, signed
from odd_store import odd_store

CONTENTS = {f"ct/{number}.dcm": bytes([number]) * 3000 for number in range(23)}
CONTENTS["ct/a+b ü%2F.dcm"] = b"odd name"
HTML = b"<html><body>Please sign in</body></html>"


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    policy = replace(retrying.POLICY, first_pause_s=0.001, longest_pause_s=0.01, silence_s=1)
    monkeypatch.setattr(retrying, "POLICY", policy)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "lungprep-test")


def opened(server, folder=""):
    options = S3Options(endpoint_url=server.endpoint_url, timeout_s=2)
    return open_store(parse_address("source", f"s3://bucket/in/{folder}"), options)


def filled(store):
    store.objects |= {f"in/P1/{key}": content for key, content in CONTENTS.items()}
    store.objects["in/P2/1.dcm"] = b"1"
    return store


def contents(place):
    """All that is listed, as a job reads it."""
    return {entry.key: read_listed(place, entry) for entry in place.entries(below=True)}


@pytest.mark.parametrize("page", [1000, 7, 1])
@pytest.mark.parametrize(
    "modes",
    [
        (), ("v1",), ("encoded",), ("v1", "encoded"), ("bare if-match",), ("no put etag",),
        ("no checksums",), ("chunked",), ("kms",), ("odd dates",), ("odd dates", "no put etag"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_an_odd_store_is_read_and_written_right(modes, page):
    with odd_store(*modes, page=page) as store:
        filled(store)
        assert opened(store).level().folders == ["P1", "P2"]
        assert contents(opened(store, "P1")) == CONTENTS
        assert opened(store, "P1").read_start("ct/1.dcm", 5) == bytes([1]) * 5
        place = opened(store, "out")
        written = place.write("a.npy", b"content")
        assert place.entries() == [written]
        assert place.stat("a.npy") == written
        assert place.stat("b.npy") is None
        assert read_listed(place, written) == b"content"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("list etag", "has another ETag or size when it is read, unlike in its listing; run again"),
        ("no get etag", "has no ETag when it is read, unlike in its listing; run again"),
        ("no list etag", "in/P1/ is listed without ETags, so replaced slices would go unnoticed"),
    ],
)
def test_a_store_that_tells_no_replaced_slice_is_refused(mode, words):
    with odd_store(mode) as store, pytest.raises(StoreError, match=re.escape(words)):
        contents(opened(filled(store), "P1"))


def test_a_name_that_is_listed_otherwise_is_told():
    words = "a b ü%2F.dcm is listed, but not found under that name; the store may list a +"
    with odd_store("plus") as store, pytest.raises(RequestRefused, match=re.escape(words)):
        contents(opened(filled(store), "P1"))


def test_an_object_that_was_removed_is_told():
    with odd_store() as store:
        place = opened(filled(store), "P1")
        listed = place.entries(below=True)
        del store.objects["in/P1/ct/1.dcm"]
        with pytest.raises(ObjectNotFound, match="was removed while it was being read"):
            [read_listed(place, entry) for entry in listed]


def test_an_object_that_is_denied_once_is_read_again():
    denied = [1]

    def change(method, path, head, body):
        if path.endswith("/1.dcm") and denied:
            denied.pop()
            return with_body(b"HTTP/1.1 404 Not Found\r\n\r\n", HTML)
        return head, body

    with odd_store() as store, faulty(filled(store).endpoint_url, change=change) as proxy:
        assert contents(opened(proxy, "P1")) == CONTENTS


@pytest.mark.parametrize("ask", ["level", "entries"])
def test_an_empty_listing_of_what_is_listed_from_above_is_none(ask):
    """Or all that is done would be to do."""
    asked = []

    def change(method, path, head, body):
        if "prefix=in%2F&" in path and not asked:
            asked.append(path)
            return with_body(head, ODD_PAGES["empty and last"](body))
        return head, body

    with odd_store() as store, faulty(filled(store).endpoint_url, change=change) as proxy:
        store.objects["in/a.npy"] = b"1"
        found = getattr(opened(proxy), ask)()
        assert [*getattr(found, "folders", ["P1", "P2"])] == ["P1", "P2"]
        assert ask == "level" or [entry.key for entry in found] == ["a.npy"]
        assert asked


@pytest.mark.parametrize("content", [b"", b"directory"])
def test_markers_of_folders_are_no_objects(content):
    with odd_store() as store:
        filled(store)
        for key in ("in/", "in/P1/", "in/P1/ct/", "in/P3/"):
            store.objects[key] = content
        assert opened(store).level().folders == ["P1", "P2", "P3"]
        assert not opened(store).level().counts
        assert contents(opened(store, "P1")) == CONTENTS
        assert opened(store, "P3").entries(below=True) == [], "its marker says that it is empty"


def replaced_by(pattern, text):
    return lambda body: re.sub(pattern, text, body, flags=re.DOTALL)


ODD_PAGES = {
    "html": lambda body: HTML,
    "html 5": lambda body: b"<!DOCTYPE html>" + HTML,
    "nothing": lambda body: b"",
    "an error": lambda body: b"<Error><Code>InternalError</Code></Error>",
    "cut": lambda body: body[: len(body) // 2],
    "no word of more": replaced_by(rb"<IsTruncated>.*?</IsTruncated>", b""),
    "empty and more": lambda body: (
        b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"
    ),
    "one token": replaced_by(
        rb"<IsTruncated>.*?</IsTruncated>",
        b"<IsTruncated>true</IsTruncated><NextContinuationToken>a</NextContinuationToken>",
    ),
    "no key": replaced_by(rb"<Key>.*?</Key>", b""),
    "no size": replaced_by(rb"<Size>.*?</Size>", b""),
    "size abc": replaced_by(rb"<Size>.*?</Size>", b"<Size>abc</Size>"),
    "size -1": replaced_by(rb"<Size>.*?</Size>", b"<Size>-1</Size>"),
    "another place": replaced_by(rb"<Key>in/", b"<Key>../"),
    "fewer than counted": replaced_by(rb"<IsTruncated>", b"<KeyCount>99</KeyCount><IsTruncated>"),
    "folders in place of keys": lambda body: re.sub(
        rb"(<Contents><Key>in/P1/ct/.*</Contents>)?</ListBucketResult>",
        b"<CommonPrefixes><Prefix>in/P1/ct/</Prefix></CommonPrefixes></ListBucketResult>", body,
    ),
    "a part of it": replaced_by(rb"<IsTruncated>", b"<Prefix>in/P1/ct%2F</Prefix><IsTruncated>"),
    "another page": replaced_by(
        rb"<IsTruncated>", b"<ContinuationToken>another</ContinuationToken><IsTruncated>"
    ),
    "an error at its end": replaced_by(
        rb"</ListBucketResult>", b"<Error><Code>InternalError</Code></Error></ListBucketResult>"
    ),
    "empty and last": lambda body: (
        b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    ),
}  # fmt: skip


@pytest.mark.parametrize("odd", ODD_PAGES.values(), ids=ODD_PAGES.keys())
@pytest.mark.parametrize("nth", [0, 1])
def test_what_is_no_listing_is_asked_for_again(odd, nth):
    """Whole: neither does the first page stand for all, nor the rest for nothing."""
    asked = []

    def change(method, path, head, body):
        asked.append(path)
        return with_body(head, odd(body)) if len(asked) == nth + 1 else (head, body)

    with odd_store(page=12) as store, faulty(filled(store).endpoint_url, change=change) as proxy:
        listed = opened(proxy, "P1").entries(below=True)
        assert [entry.key for entry in listed] == sorted(CONTENTS)


@pytest.mark.parametrize("odd", ODD_PAGES.values(), ids=ODD_PAGES.keys())
def test_what_stays_no_listing_is_one_line(odd):
    def change(method, path, head, body):
        deep = "delimiter" not in path
        return with_body(head, odd(body)) if deep else (head, body)

    with odd_store() as store, faulty(filled(store).endpoint_url, change=change) as proxy:
        with pytest.raises(BrokenListing, match=r"in/P1/ answered with .*; run again") as caught:
            opened(proxy, "P1").entries(below=True)
        assert "\n" not in str(caught.value)
        assert len(proxy.requests) <= 12


@pytest.mark.parametrize("pages", [1, 2])
def test_what_is_listed_twice_is_one_object(pages):
    def change(method, path, head, body):
        return with_body(head, re.sub(rb"(<Contents>.*?</Contents>)", rb"\1\1", body))

    page = 1000 // pages if pages == 1 else 12
    with odd_store(page=page) as store, faulty(filled(store).endpoint_url, change=change) as proxy:
        assert contents(opened(proxy, "P1")) == CONTENTS


@pytest.mark.parametrize("page", [12, 1])
def test_a_page_that_says_how_to_go_on_is_not_the_last(page):
    def change(method, path, head, body):
        return with_body(head, body.replace(b"<IsTruncated>true", b"<IsTruncated>false"))

    with odd_store(page=page) as store, faulty(filled(store).endpoint_url, change=change) as proxy:
        assert contents(opened(proxy, "P1")) == CONTENTS
        assert opened(proxy).level().folders == ["P1", "P2"]


@pytest.mark.parametrize("told", [quote, str])
@pytest.mark.parametrize("mode", [(), ("v1",)], ids=" ".join)
def test_a_page_that_repeats_its_question_is_taken(mode, told):
    """As stores do, percent-encoded or not."""

    def change(method, path, head, body):
        query = dict(parse_qsl(urlsplit(path).query))
        names = {"Prefix": "prefix", "ContinuationToken": "continuation-token", "Marker": "marker"}
        repeated = "".join(
            f"<{name}>{told(query.get(asked, ''))}</{name}>" for name, asked in names.items()
        )
        text = repeated.encode() + b"<IsTruncated>"
        return with_body(head, body.replace(b"<IsTruncated>", text))

    with odd_store(*mode, page=5) as store, faulty(store.endpoint_url, change=change) as proxy:
        store.objects["in/P1/ct/+ä%/1.dcm"] = b"1"
        assert [e.key for e in opened(proxy, "P1/ct/+ä%").entries(below=True)] == ["1.dcm"]
        store.objects.clear()
        filled(store)
        assert contents(opened(proxy, "P1")) == CONTENTS


@pytest.mark.parametrize("status", [301, 307])
@pytest.mark.parametrize(
    ("header", "kind", "words"),
    [
        (b"x", AccessRefused, "is in another region; set AWS_REGION to the bucket's"),
        (b"x-amz-bucket-region: eu-west-1", AccessRefused, "(eu-west-1); set AWS_REGION to eu-we"),
        (b"Location: https://s3.test/x", RequestRefused, "to https://s3.test; set the endpoint"),
    ],
)
def test_a_redirected_listing_is_one_line(status, header, kind, words):
    body = b"<Error><Code>PermanentRedirect</Code></Error>"
    head = b"HTTP/1.1 %d Moved\r\n%s\r\n\r\n" % (status, header if b":" in header else b"x: x")

    def change(*answer):
        return with_body(head, body)

    with odd_store() as store, faulty(store.endpoint_url, change=change) as proxy:
        with pytest.raises(kind, match=re.escape(words)):
            opened(proxy).level()
        assert len(proxy.requests) == 1


@pytest.mark.parametrize("where", ["read", "all"])
@pytest.mark.parametrize("odd", [b'W/"%s"', b'"%s-gzip"', b"%s"])
def test_an_etag_that_a_proxy_has_marked_is_the_same(where, odd):
    def change(method, path, head, body):
        head = re.sub(rb'ETag: "(\w+)"', lambda found: b"ETag: " + odd % found[1], head)
        if where == "all" and b"<ETag>" in body:
            text = rb"<ETag>" + odd.replace(b'"', b"&quot;").replace(b"%s", rb"\1") + rb"</ETag>"
            return with_body(head, re.sub(rb"<ETag>&quot;(\w+)&quot;</ETag>", text, body))
        return head, body

    with odd_store() as store, faulty(filled(store).endpoint_url, change=change) as proxy:
        assert contents(opened(proxy, "P1")) == CONTENTS


def test_equal_corruption_of_one_object_is_no_word_of_the_store():
    """A proxy that keeps a wrong copy: the object is refused, and the others are compared still."""
    wrong = {"1.dcm", "2.dcm"}

    def change(method, path, head, body):
        return head, body[:-1] + b"x" if path.rpartition("/")[2] in wrong else body

    with odd_store() as store, faulty(filled(store).endpoint_url, change=change) as proxy:
        place = opened(proxy, "P1")
        for _ in range(2):
            for name in sorted(wrong):
                with pytest.raises(CorruptContent, match="an MD5 that differs from its ETag, on"):
                    place.read(f"ct/{name}")
        assert place.read("ct/3.dcm") == CONTENTS["ct/3.dcm"]
        wrong.clear()
        assert place.read("ct/1.dcm") == CONTENTS["ct/1.dcm"]


def test_an_object_that_is_answered_by_a_page_once_is_read_again():
    pages = [1]

    def change(method, path, head, body):
        if path.endswith("1.dcm") and method == "GET" and pages:
            pages.pop()
            return with_body(b"HTTP/1.1 200 OK\r\nLast-Modified: x\r\n\r\n", HTML)
        return head, body

    with odd_store() as store, faulty(filled(store).endpoint_url, change=change) as proxy:
        assert contents(opened(proxy, "P1")) == CONTENTS
    assert not pages


@pytest.mark.parametrize("times", [1, 99])
@pytest.mark.parametrize("odd", [HTML, b"", b'{"a', b"{}", b"null"])
def test_a_page_in_place_of_a_record_undoes_no_patient(odd, times):
    """Neither a sidecar, nor a failure, nor the table of failures."""
    answered = Counter()

    def change(method, path, head, body):
        if method == "GET" and path.endswith(("P1.json", "P2.failed.json", ".csv")):
            answered[path] += 1
            if answered[path] <= times:
                return with_body(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n", odd)
        return head, body

    sidecar = {
        **{"recipe": {"digest": "r"}, "source": {"digest": "s"}, "flags": []},
        **{"npy": {"bytes": 3}, "lungs_npy": {"bytes": 2}},
        **{"requested_series_uid": None, "series_instance_uid": "1.2"},
    }
    failure = Failure("P2", "load", "NoCTImages", "P2: none; check", "r", "s", None)
    failed = FailedPatient("P2", "load", "NoCTImages", "none; check")
    with odd_store() as store, faulty(store.endpoint_url, change=change) as proxy:
        place = opened(store, "out")
        place.write("P1.json", json.dumps(sidecar).encode())
        set_aside(place, failure)
        write_table(place, {"P2": failed})
        place = opened(proxy, "out")
        asked = (
            lambda: read_sidecars(place, place.entries(), ["P1"]).cohort["P1"].recipe,
            lambda: read_failures(place, place.entries(), ["P2"])["P2"],
            lambda: read_table(place)["P2"],
        )
        for ask, right in zip(asked, ("r", failure, failed), strict=True):
            if times == 1:
                assert ask() == right
                continue
            with pytest.raises(StoreError, match="when it is read, unlike in its listing"):
                ask()


def test_a_replaced_object_of_an_odd_store_is_still_told():
    with odd_store("bare if-match") as store:
        place = opened(filled(store), "P1")
        listed = place.entries(below=True)
        store.objects["in/P1/ct/1.dcm"] = bytes(3000)
        with pytest.raises(TransferMismatch, match="was replaced while it was being read"):
            [read_listed(place, entry) for entry in listed]


def test_a_server_that_is_not_there_is_named():
    with odd_store() as store:
        place = opened(store)
    with pytest.raises(NoAnswer, match=r"no connection to http://127.0.0.1:\d+: ConnectionRefused"):
        place.entries()


@pytest.mark.parametrize("token", [None, "a token/+="])
@pytest.mark.parametrize(
    "url",
    [
        "https://bucket.s3.amazonaws.com/?list-type=2&prefix=in%2FP%201%2F&delimiter=%2F",
        "http://127.0.0.1:9000/bucket/in/a%2Bb%20%C3%BC.dcm",
        "http://h/bucket/?list-type=2&prefix=a&prefix-b=1&marker=",
    ],
)
def test_a_signature_is_that_of_botocore(url, token, monkeypatch):
    now = datetime(2026, 11, 27, 10, 0, 0, tzinfo=UTC)
    ours = signed(
        url, {"x-amz-request-payer": "requester"}, Keys("AKID", "secret", token), "r", now
    )
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: now)
    request = AWSRequest("GET", url, headers={"x-amz-request-payer": "requester"})
    S3SigV4Auth(Credentials("AKID", "secret", token), "s3", "r").add_auth(request)
    theirs = request.headers["Authorization"]
    assert ours["authorization"].replace(",", ", ") == theirs
