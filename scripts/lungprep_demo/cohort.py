"""Upload patients to a bucket of the demo's S3 server.

Objects go through obstore, not boto3: for the 241 files of the real scan it takes 0.2 instead of
0.8 CPU seconds, and 0.03 instead of 0.75 for import and client.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from threading import Lock
from typing import TextIO

import obstore
from obstore.store import S3Store

from lungprep_demo import scan
from lungprep_demo.phantom import healthy, slices, thick
from lungprep_demo.server import S3Server

Files = Iterable[tuple[str, bytes]]


def demo_cohort(archive: Path) -> dict[str, Files]:
    """List the demo's patients.

    Parameters
    ----------
    archive : Path
        Archive of the real scan, from `lungprep_demo.scan.fetch`.

    Returns
    -------
    dict
        By patient, names and contents of the files. They are generated on reading, only once.
    """
    return {
        scan.PATIENT: scan.files(archive),
        "phantom-healthy": slices(*healthy()),
        "phantom-thick": slices(*thick()),
    }


def put_cohort(
    server: S3Server, bucket: str, prefix: str, patients: Mapping[str, Files], workers: int = 4
) -> int:
    """Make a prefix hold exactly these files of these patients, as ``prefix/patient/name``.

    Objects with the same size and MD5 stay; other objects of the same patients are removed. One
    line on stderr shows the progress.

    Parameters
    ----------
    server : S3Server
        Destination. Its ETags are MD5 sums.
    bucket : str
        Existing bucket.
    prefix : str
        Key prefix; ends in ``/``, or is empty.
    patients : mapping
        By patient, names and contents. Each is read once; at most `workers` are in memory.
    workers : int
        Concurrent transfers.

    Returns
    -------
    int
        Number of objects that were sent.
    """
    store = _store(server, bucket)
    there = _listing(store, prefix)
    files = _Shared(
        (f"{patient}/{name}", content)
        for patient, contents in patients.items()
        for name, content in contents
    )
    told = _Told(sys.stderr, f"s3://{bucket}/{prefix}")

    def put_some() -> None:
        for key, content in files:
            new = there.pop(key, None) != _mark(content)
            if new:
                obstore.put(store, prefix + key, content, use_multipart=False)
            told.add(len(content), new)

    with ThreadPoolExecutor(workers) as pool:
        for running in [pool.submit(put_some) for _ in range(workers)]:
            running.result()
    left_over = [prefix + key for key in there if key.split("/")[0] in patients]
    for key in left_over:
        obstore.delete(store, key)
    told.end()
    return told.sent


class _Shared(Iterator[tuple[str, bytes]]):
    """Iterator that threads can share."""

    def __init__(self, items: Iterator[tuple[str, bytes]]) -> None:
        self._items = items
        self._lock = Lock()

    def __next__(self) -> tuple[str, bytes]:
        with self._lock:
            return next(self._items)


@dataclass
class _Told:
    """Line of counters: redrawn on a terminal, otherwise written once at the end."""

    stream: TextIO
    where: str
    objects: int = 0
    sent: int = 0
    size: int = 0

    def __post_init__(self) -> None:
        self._lock = Lock()

    def add(self, size: int, new: bool) -> None:
        with self._lock:
            self.objects += 1
            self.sent += new
            self.size += size
            if self.stream.isatty() and self.objects % 10 == 0:
                self.stream.write(f"\r{self._line()}")

    def end(self) -> None:
        self.stream.write(f"\r{self._line()}\n" if self.stream.isatty() else f"{self._line()}\n")

    def _line(self) -> str:
        return (
            f"{self.where}: {self.objects} objects, {self.size / 1e6:.0f} MB; {self.sent} were new"
        )


def _store(server: S3Server, bucket: str) -> S3Store:
    return S3Store(
        bucket,
        endpoint=server.endpoint_url,
        region="us-east-1",
        access_key_id=server.access_key,
        secret_access_key=server.secret_key,
        virtual_hosted_style_request=False,
        skip_signature=False,
        client_options={"allow_http": True},
    )


def _listing(store: S3Store, prefix: str) -> dict[str, tuple[int, str]]:
    """Size and MD5 of each object below the prefix, by key relative to the prefix."""
    found = obstore.list(store, prefix).collect()
    return {
        meta["path"].removeprefix(prefix): (meta["size"], (meta["e_tag"] or "").strip('"'))
        for meta in found
    }


def _mark(content: bytes) -> tuple[int, str]:
    return len(content), md5(content, usedforsecurity=False).hexdigest()
