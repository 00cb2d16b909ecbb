"""Stores that know less of S3 than Amazon's, as public trackers tell; the server behind is real."""

import pytest

from faults import Request, faulty
from lungprep.errors import AccessRefused, RequestRefused
from lungprep.stores import s3
from lungprep.stores.etags import PART_BYTES


def answers(status, error, refuses):
    """A handler that answers so to requests that are to be refused, by their method and headers."""

    class Refusing(Request):
        def answer(self):
            if not refuses(self.headers):
                return super().answer()
            body = f"<Error>{error}</Error>".encode()
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.wfile.write(b"HTTP/1.1 %d No\r\nContent-Type: application/xml\r\n" % status)
            self.wfile.write(b"Content-Length: %d\r\n\r\n" % len(body))
            if self.command != "HEAD":
                self.wfile.write(body)
            return None

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815

    return Refusing


@pytest.fixture
def refusing(s3, server):
    """Opens a store that answers so to some requests."""

    def made(*how):
        proxy.RequestHandlerClass = answers(*how)
        return s3("x", endpoint_url=proxy.endpoint_url)

    with faulty(server.endpoint_url) as proxy:
        made.requests = proxy.requests
        yield made


def is_checked(headers):
    return any(name.lower().startswith("x-amz-checksum") for name in headers)


REFUSALS = [
    (501, "<Code>NotImplemented</Code>"),  # Cloudflare R2
    (400, "<Code>InvalidArgument</Code>"),  # Backblaze B2
]


@pytest.mark.parametrize(("status", "error"), REFUSALS)
def test_parts_go_without_checksums_where_they_are_refused(refusing, monkeypatch, status, error):
    monkeypatch.setattr(s3, "SINGLE_BYTES", PART_BYTES)
    place, content = refusing(status, error, is_checked), bytes(PART_BYTES + 1)
    written = place.write("a", content)
    assert place.read("a", written) == content


def test_parts_that_are_refused_for_another_reason_tell_the_first(refusing, monkeypatch):
    monkeypatch.setattr(s3, "SINGLE_BYTES", PART_BYTES)
    place = refusing(400, "<Code>InvalidRequest</Code>", lambda headers: True)
    with pytest.raises(RequestRefused, match="InvalidRequest"):
        place.write("a", bytes(PART_BYTES + 1))


@pytest.mark.parametrize("parts", [False, True])
@pytest.mark.parametrize(("status", "error"), REFUSALS)
def test_no_checksums_are_sent_where_none_are_wanted(
    refusing, monkeypatch, tmp_path, status, error, parts
):
    """As to the AWS command line, by a variable or by a profile."""
    if parts:
        monkeypatch.setattr(s3, "SINGLE_BYTES", PART_BYTES)
        monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "WHEN_REQUIRED")
    else:
        (tmp_path / "config").write_text("[default]\nrequest_checksum_calculation=when_required\n")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    place, content = refusing(status, error, is_checked), bytes(PART_BYTES + 1)
    written = place.write("a", content)
    assert place.read("a", written) == content
    assert not any(is_checked(headers) for _, _, headers in refusing.requests)


def test_the_region_that_a_store_expects_is_told(refusing):
    """OpenStack Swift, SwiftStack, Scaleway and others; boto3 signs again by itself."""
    error = "<Code>AuthorizationHeaderMalformed</Code><Region>eu-nl-1</Region>"
    wrong = refusing(400, error, lambda headers: "/us-east-1/" in headers["authorization"])
    with pytest.raises(AccessRefused, match=r"another region \(eu-nl-1\); set AWS_REGION=eu-nl-1$"):
        wrong.read("a")
