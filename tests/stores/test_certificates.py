"""A store with a certificate of a private authority: whichever way it is named serves both clients.

The server is real, and so is the TLS before it.
"""

import socket
from dataclasses import replace

import pytest

from lungprep.errors import ConfigError, RequestRefused
from lungprep.stores import Address, S3Options, open_store, retrying
from lungprep.stores.s3_certificates import found_from_elsewhere
from lungprep.stores.s3_distrust import refusal
from tls import NAMED_BY, authority, self_signed, tls_before

SAID = {
    # What boto3 says by OpenSSL, and obstore by rustls.
    "authority": (
        "certificate verify failed: unable to get local issuer certificate",
        "certificate verify failed: self-signed certificate in certificate chain",
        "InvalidCertificate( UnknownIssuer )",
        "No CA certificates were loaded from the system",
    ),
    "another host name": (
        "hostname 'a' doesn't match 'b'",
        "InvalidCertificate( NotValidForName )",
    ),
    "expired": (
        "certificate verify failed: certificate has expired",
        "InvalidCertificate( ExpiredContext {",
    ),
    "CA:FALSE": ("InvalidCertificate( Other( OtherError( CaUsedAsEndEntity",),
    "openssl s_client -connect a.test:443": ("InvalidCertificate( BadSignature )",),
}


@pytest.fixture(scope="module")
def lab_authority(tmp_path_factory):
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def place(s3, server, lab_authority, monkeypatch, tmp_path):
    """Opens a store behind TLS, as one who trusts nobody yet and keeps no profile."""
    for name in NAMED_BY:
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setattr(retrying, "POLICY", replace(retrying.POLICY, first_answer_s=0.2))
    with tls_before(server.endpoint_url, lab_authority.sign("localhost")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
        yield s3


def asked(s3):
    """What each client does first: a listing by boto3, an object by obstore."""
    return (s3("x").level, lambda: s3("x").stat("a"))


def serves(s3):
    written = s3("x").write("a", b"1")
    return s3("x").entries() == [written] and s3("x").read("a") == b"1"


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_each_variable_is_enough_for_both_clients(place, lab_authority, monkeypatch, name):
    monkeypatch.setenv(name, str(lab_authority.pem))
    assert serves(place)


def test_a_profile_is_enough_for_both_clients(place, lab_authority, tmp_path):
    (tmp_path / "AWS_CONFIG_FILE").write_text(f"[default]\nca_bundle = {lab_authority.pem}\n")
    assert serves(place)


def test_one_for_all_tools_bars_no_other(place, lab_authority, monkeypatch, tmp_path):
    """As an image or conda sets them, for public authorities."""
    other = authority(tmp_path, "other").pem
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(other))
    for action in asked(place):
        with pytest.raises(RequestRefused, match=rf"not in {other} \(AWS_CA_BUNDLE\); name"):
            action()
    monkeypatch.setenv("SSL_CERT_FILE", str(lab_authority.pem))
    assert serves(place)
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    (tmp_path / "AWS_CONFIG_FILE").write_text(f"[default]\nca_bundle = {lab_authority.pem}\n")
    assert serves(place)


def test_only_the_first_has_to_be_there(place, lab_authority, monkeypatch, tmp_path):
    """The AWS command line would look for no other."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(lab_authority.pem))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    assert serves(place)


def test_an_empty_variable_names_nothing(place, lab_authority, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", "")
    monkeypatch.setenv("SSL_CERT_FILE", str(lab_authority.pem))
    assert serves(place)


def test_an_authority_that_nobody_named_is_one_line(place):
    for action in asked(place):
        with pytest.raises(
            RequestRefused,
            match=r"the certificate of https://localhost:\d+ is from an authority that is not "
            r"trusted on this machine; name the PEM file of that authority in AWS_CA_BUNDLE$",
        ):
            action()


def test_no_variable_ends_the_checks(place, monkeypatch):
    """obstore alone has such a one."""
    monkeypatch.setenv("AWS_ALLOW_INVALID_CERTIFICATES", "true")
    for action in asked(place):
        with pytest.raises(RequestRefused, match="is from an authority that is not trusted"):
            action()


def test_a_certificate_for_another_host_is_one_line(place, server, lab_authority, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(lab_authority.pem))
    with tls_before(server.endpoint_url, lab_authority.sign("elsewhere.test")) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        for action in asked(place):
            with pytest.raises(RequestRefused, match=r"certificate .* is for another host name; "):
                action()


def test_a_certificate_that_signed_itself_serves_both_clients(place, server, monkeypatch, tmp_path):
    certificate = self_signed(tmp_path, "localhost", "FALSE")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with tls_before(server.endpoint_url, certificate) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        assert serves(place)


def test_an_authority_s_own_certificate_is_refused_by_name(place, server, monkeypatch, tmp_path):
    """OpenSSL takes it from a server, rustls does not."""
    certificate = self_signed(tmp_path, "localhost", "TRUE")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with tls_before(server.endpoint_url, certificate) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
        with pytest.raises(RequestRefused, match=r"that of an authority \(CA:TRUE\)"):
            place("x").stat("a")


BROKEN = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "which does not exist"),
        ("", "which holds no certificate in PEM form"),
        ("0\x82\x01", "which holds no certificate in PEM form"),
    ],
)
@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_file_that_is_none_is_named(place, monkeypatch, tmp_path, name, content, found):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(name, str(path))
    for action in asked(place):
        with pytest.raises(ConfigError, match=rf"^{name} names .*{path}, {found}; name a PEM file"):
            action()


def test_a_broken_certificate_is_named(place, monkeypatch, tmp_path):
    (tmp_path / "ca.pem").write_text(BROKEN)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    for action in asked(place):
        with pytest.raises(
            ConfigError, match=r"a broken certificate in .*ca.pem \(SSL_CERT_FILE\)"
        ):
            action()


def test_a_folder_is_named(place, monkeypatch, tmp_path):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    for action in asked(place):
        with pytest.raises(ConfigError, match="which is a folder"):
            action()


def test_a_store_without_tls_needs_no_certificate(s3, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "none"))
    assert serves(s3)


def test_a_server_without_tls_is_one_line(place, server, lab_authority, monkeypatch):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(lab_authority.pem))
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.endpoint_url.replace("http://", "https://"))
    for action in asked(place):
        with pytest.raises(RequestRefused, match=r"does not speak TLS; write http://"):
            action()


def test_a_connection_is_not_taken_for_a_certificate(place, monkeypatch):
    """Names of objects may be any words."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"https://localhost:{unused.getsockname()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", url)
    store = open_store(Address("bucket", "has expired/"), S3Options())
    for action in (store.level, lambda: store.read("InvalidCertificate doesn't match")):
        with pytest.raises(Exception, match="no connection to"):
            action()


@pytest.mark.parametrize(("remedy", "texts"), SAID.items())
def test_what_each_client_says_is_told(monkeypatch, remedy, texts):
    for text in texts:
        said = text if "verify failed" not in text else f"[SSL: CERTIFICATE_VERIFY_FAILED] {text}"
        error = refusal(f"error for https://a.test/b: {said}", "s3://b/x", "https://a.test")
        assert "certificate" in str(error)
        assert remedy in str(error)
    assert refusal("Connection reset by peer", "s3://b/x", "https://a.test") is None


def test_a_process_in_another_folder_finds_the_same_files(monkeypatch, tmp_path):
    """As the run of a share, which works in a folder of its node."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AWS_CONFIG_FILE", "config")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    (tmp_path / "config").write_text("[default]\nca_bundle = ca.pem\n")
    environ = {"AWS_CONFIG_FILE": "config", "SSL_CERT_FILE": "/etc/ca.pem", "AWS_REGION": "r"}
    assert found_from_elsewhere(environ) == {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_CA_BUNDLE": str(tmp_path / "ca.pem"),
    }
    environ["AWS_CA_BUNDLE"] = "/lab/ca.pem"
    assert "AWS_CA_BUNDLE" not in found_from_elsewhere(environ)
