"""Which certificate authorities a server's certificate may be from.

boto3 knows ``AWS_CA_BUNDLE``, ``REQUESTS_CA_BUNDLE`` and ``ca_bundle`` of a profile, obstore knows
``SSL_CERT_FILE``. Each of them is enough here, for both.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lungprep.errors import ConfigError, LungprepError, RequestRefused
from lungprep.stores import s3_profile

_REMEDY = "name a PEM file with the certificate of the authority that signed the server's"
_FILES = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
)
_PEM = b"-----BEGIN CERTIFICATE-----"
# What OpenSSL and rustls say, see `refusal`; compiled when there is an error to explain.
_FOR_ANOTHER_NAME = (
    r"NotValidForName|[Hh]ostname mismatch|IP address mismatch|doesn't match|is not valid for"
)
_OUT_OF_DATE = r"Expired|NotValidYet|has expired|is not yet valid"
_OF_AN_AUTHORITY = r"CaUsedAsEndEntity"
_UNTRUSTED = r"UnknownIssuer|issuer cert|self[- ]signed|No CA certificates"
_ANY = r"InvalidCertificate|CERTIFICATE_VERIFY_FAILED|doesn't match|No CA certificates|\[X509"
_NOT_TLS = r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|InvalidContentType|HTTP_REQUEST"
# Names of objects may be any words.
_URL = r"https?://[^\s\"]+"


@dataclass(frozen=True)
class Bundle:
    """The certificates that are trusted, and no others.

    Attributes
    ----------
    named_by : str
        Variable, or key of a profile.
    path : Path
        Absolute.
    pem : bytes
        Content of the file.
    """

    named_by: str
    path: Path
    pem: bytes = field(repr=False)

    def unreadable(self) -> ConfigError:
        """Error for a file whose certificates a client can't read."""
        return ConfigError(f"{self.named_by} names {self.path}, a broken certificate file", _REMEDY)


def bundle(profile: Mapping[str, str]) -> Bundle | None:
    """The file that is named first, as for the AWS command line, and `SSL_CERT_FILE` last.

    Parameters
    ----------
    profile : mapping of str to str
        Keys of the profile in force.

    Returns
    -------
    Bundle or None
        None where none is named: then each client has its own list of public authorities.

    Raises
    ------
    ConfigError
        If there is no such file, or no certificate in it.
    """
    named = {
        "AWS_CA_BUNDLE": os.environ.get("AWS_CA_BUNDLE"),
        "ca_bundle of the profile": profile.get("ca_bundle"),
        "REQUESTS_CA_BUNDLE": os.environ.get("REQUESTS_CA_BUNDLE"),
        "SSL_CERT_FILE": os.environ.get("SSL_CERT_FILE"),
    }
    for name, text in named.items():
        if text and text.strip():
            return _read(name, Path(text).expanduser().absolute())
    return None


def _read(name: str, path: Path) -> Bundle:
    what = f"{name} names the certificate file {path}"
    if path.is_dir():
        raise ConfigError(f"{what}, which is a folder", _REMEDY)
    try:
        pem = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(f"{what}, which does not exist", _REMEDY) from error
    except OSError as error:
        raise ConfigError(f"{what}, which can't be read ({error.strerror})", _REMEDY) from error
    if _PEM not in pem:
        raise ConfigError(f"{what}, which holds no certificate in PEM form", _REMEDY)
    return Bundle(name, path, pem)


def found_from_elsewhere(environ: Mapping[str, str]) -> dict[str, str]:
    """Variables by which a process in another folder finds the files that are named here.

    Parameters
    ----------
    environ : mapping of str to str
        Of this process.

    Returns
    -------
    dict of str to str
        Those with a relative path, made absolute; and `AWS_CA_BUNDLE` where a profile names a file
        so.
    """
    texts = {name: Path(environ.get(name, "").strip()).expanduser() for name in _FILES}
    if not environ.get("AWS_CA_BUNDLE"):
        # A file that can't be read is no matter where all places are folders.
        with suppress(LungprepError):
            texts["AWS_CA_BUNDLE"] = Path(s3_profile.keys().get("ca_bundle", "")).expanduser()
    relative = {name: path for name, path in texts.items() if path.parts and not path.is_absolute()}
    return {name: str(path.absolute()) for name, path in relative.items()}


def refusal(text: str, where: str, server: str) -> RequestRefused | None:
    """Error for a server that a client does not trust, which asking again would not change.

    Parameters
    ----------
    text : str
        What a client says: boto3 in the words of OpenSSL, obstore in those of rustls.
    where : str
        Address of what was asked for.
    server : str
        URL of the server, or what else names it.

    Returns
    -------
    RequestRefused or None
        None where the text is about something else.
    """
    text = re.sub(_URL, "", text)
    if re.search(_NOT_TLS, text):
        return RequestRefused(
            f"{where} was not asked for: {server} does not speak TLS", "write http:// in its URL"
        )
    if not re.search(_ANY, text):
        return None
    found = f"{where} was not asked for: the certificate of {server}"
    if re.search(_FOR_ANOTHER_NAME, text):
        return RequestRefused(
            f"{found} is for another host name", "write a name of the certificate in the endpoint"
        )
    if re.search(_OUT_OF_DATE, text):
        return RequestRefused(
            f"{found} has expired, or is not valid yet",
            "have it renewed, or set this machine's clock",
        )
    if re.search(_OF_AN_AUTHORITY, text):
        return RequestRefused(
            f"{found} is one of an authority (CA:TRUE), which a server may not show",
            "give the server one with basicConstraints CA:FALSE",
        )
    if re.search(_UNTRUSTED, text):
        return RequestRefused(
            f"{found} is from an authority that is not {_trusted()}",
            "name the PEM file of that authority in AWS_CA_BUNDLE",
        )
    return RequestRefused(
        f"{found} can't be trusted", f"see what is wrong: openssl s_client -connect {_host(server)}"
    )


def _trusted() -> str:
    try:
        chosen = bundle(s3_profile.keys())
    except LungprepError:
        chosen = None
    if chosen is None:
        return "trusted on this machine"
    return f"in {chosen.path} ({chosen.named_by})"


def _host(server: str) -> str:
    host = server.partition("://")[2]
    return host if ":" in host else f"{host}:443"
