"""Signed GET requests with full access to the answer.

obstore hides the raw answer to a listing and fails on objects without a Content-Length; importing
boto3 costs each job 0.1 s. Signing a GET by AWS Signature Version 4 takes a page of code.
"""

import os
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import urllib3

from lungprep.stores.address import Address
from lungprep.stores.base import S3Options
from lungprep.stores.s3_errors import boto3_errors, broke_off, no_answer
from lungprep.stores.s3_settings import Settings, boto3_session, settings
from lungprep.stores.s3_signing import Keys, signed
from lungprep.stores.s3_unsigned import no_credentials

# Connections that are kept: a run looks up this number of patients at a time.
KEPT = 64
CONNECT_TIMEOUT_S = 10


class Answer(NamedTuple):
    """Status, headers and body of an answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Place:
    """Destination of requests.

    Attributes
    ----------
    url : str
        URL of the bucket, without a final slash.
    region : str
        Region for the signature.
    credentials : object or None
        Keys, or botocore's credentials, which renew themselves; None for unsigned requests.
    """

    url: str
    region: str
    credentials: Any


class Requests:
    """GET requests to one bucket; thread-safe.

    Parameters
    ----------
    address : Address
        Address in the bucket.
    options : S3Options
        Endpoint, signing, payment, owner.
    """

    def __init__(self, address: Address, options: S3Options) -> None:
        self._address, self._options = address, options
        self._lock = threading.Lock()
        self._known: tuple[Place, urllib3.PoolManager] | None = None

    def get(
        self,
        where: str,
        *,
        key: str = "",
        query: Mapping[str, str] | None = None,
        owner: bool = False,
        most_bytes: int | None = None,
    ) -> Answer:
        """Request an object, or a query about the bucket, once; redirects are not followed.

        Parameters
        ----------
        where : str
            Address to name in errors.
        key : str
            Whole key of an object.
        query : mapping of str to str, optional
            Parameters, in the order in which they are sent.
        owner : bool
            Whether to send the bucket's owner, if the options name one.
        most_bytes : int, optional
            Maximum size of the body; a longer one raises an error.

        Raises
        ------
        StoreError
            If no complete answer arrives, or credentials are missing. The status is not judged.
        """
        with self._lock:
            self._known = self._known or self._connect(where)
        place, pool = self._known
        headers = {}
        if self._options.requester_pays:
            headers["x-amz-request-payer"] = "requester"
        if owner and self._options.bucket_owner:
            headers["x-amz-expected-bucket-owner"] = self._options.bucket_owner
        url = f"{place.url}/{quote(key, safe='/-_.~')}"
        if query:
            url += "?" + "&".join(f"{name}={_quoted(text)}" for name, text in query.items())
        if keys := _current(place.credentials, where):
            headers = signed(url, headers, keys, place.region, datetime.now(UTC))
        return _ask(pool, url, headers, where, most_bytes)

    def _connect(self, where: str) -> tuple[Place, urllib3.PoolManager]:
        asked = settings(self._options)
        place = _place(self._address, self._options, asked, where)
        return place, _pool(place.url, self._options, asked)


def _quoted(text: str) -> str:
    return quote(text, safe="-_.~", errors="surrogateescape")


def _place(address: Address, options: S3Options, asked: Settings, where: str) -> Place:
    """Find server, region and credentials, as `s3_clients.object_store` does."""
    credentials: Any = None
    if not options.anonymous:
        credentials = _given_keys()
    if not (options.anonymous or credentials):
        with boto3_errors(where):
            credentials = boto3_session(asked.certificates, asked.region).get_credentials()
            if credentials is None:
                raise no_credentials(str(address))
    server = asked.server.rstrip("/")
    if asked.is_path_style(address.bucket):
        url = f"{server}/{address.bucket}"
    else:
        url = server.replace("://", f"://{address.bucket}.", 1)
    return Place(_without_usual_port(url), asked.region or "us-east-1", credentials)


def _current(credentials: Any, where: str) -> Keys | None:
    """Keys that are valid now."""
    if credentials is None or isinstance(credentials, Keys):
        return credentials
    with boto3_errors(where):
        return Keys(*credentials.get_frozen_credentials()[:3])


def _given_keys() -> Keys | None:
    """Key pair from the environment, unless it is incomplete or expires; botocore does the rest."""
    environ = os.environ
    access, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if not access or not secret or environ.get("AWS_CREDENTIAL_EXPIRATION"):
        return None
    token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN")
    return Keys(access, secret, token or None)


def _without_usual_port(url: str) -> str:
    """URL as clients write it in the Host header, which is signed."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.removesuffix({'http': ':80', 'https': ':443'}[scheme])}{slash}{path}"


def _pool(url: str, options: S3Options, asked: Settings) -> urllib3.PoolManager:
    """Connections with the same proxy and certificates as the other clients."""
    given: dict[str, Any] = {
        "maxsize": KEPT,
        "retries": False,
        "timeout": urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=float(options.timeout_s)),
    }
    if url.startswith("https"):
        trusted = asked.certificates
        try:
            given["ssl_context"] = ssl.create_default_context(
                cafile=str(trusted.path) if trusted else None
            )
        except ssl.SSLError as error:
            if trusted is None:
                raise
            raise trusted.unreadable() from error
    if asked.proxy:
        return urllib3.ProxyManager(asked.proxy, **given)
    return urllib3.PoolManager(**given)


def _ask(
    pool: urllib3.PoolManager,
    url: str,
    headers: Mapping[str, str],
    where: str,
    most_bytes: int | None,
) -> Answer:
    from urllib3.exceptions import HTTPError

    try:
        answer = pool.request(
            "GET", url, headers=headers, redirect=False, preload_content=False, decode_content=False
        )
    except (HTTPError, OSError) as error:
        raise no_answer(_cause(error, url), where) from error
    try:
        body = answer.read(None if most_bytes is None else most_bytes + 1)
    except (HTTPError, OSError) as error:
        answer.close()
        raise broke_off(where) from error
    if most_bytes is not None and len(body) > most_bytes:
        answer.close()
        raise broke_off(where, f"answered with more than {most_bytes} bytes")
    # A body that was read to its end has returned its connection to the pool.
    return Answer(answer.status, answer.headers, body)


def _cause(error: Exception, url: str) -> str:
    """The server and the cause, in phrases that `no_answer` recognises; nothing else of the URL."""
    parts = urlsplit(url)
    words = {
        "ConnectionRefusedError": "kind: ConnectionRefused",
        "ConnectionResetError": "kind: ConnectionReset",
        "ConnectTimeoutError": "kind: TimedOut",
        "ReadTimeoutError": "kind: TimedOut",
        "NameResolutionError": "dns error",
    }
    found = ""
    chain: BaseException | None = error
    while chain is not None and not found:
        of_tls = isinstance(chain, ssl.SSLError | ssl.CertificateError)
        found = str(chain) if of_tls else words.get(type(chain).__name__, "")
        chain = chain.__cause__ or chain.__context__
    return f"{parts.scheme}://{parts.netloc} {found}"
