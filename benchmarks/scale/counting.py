"""A proxy on loopback that counts the requests of S3 clients.

Clients are pointed at it by ``AWS_ENDPOINT_URL_S3``. Bytes pass through as they are, so signatures
hold where the server does not insist on its own port in the Host header.
"""

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

LIMIT = 1 << 20


class Counting:
    """Counts of requests by kind: GET, LIST, PUT, HEAD, DELETE.

    Attributes
    ----------
    counts : Counter
        Since the last `take`.
    url : str
        What to point clients at.
    """

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        if parts.scheme != "http" or parts.hostname is None:
            raise SystemExit(f"{upstream}: only http://host:port can be counted")
        self._upstream = (parts.hostname, parts.port or 80)
        self.counts: Counter[str] = Counter()
        self.url = ""

    def take(self) -> Counter[str]:
        """Counts so far, which start at zero again."""
        counts, self.counts = self.counts, Counter()
        return counts

    async def serve(self, started: threading.Event) -> None:
        """Listen until stopped."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(self._client, "127.0.0.1", 0, limit=LIMIT) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            started.set()
            await self._stop.wait()

    def stop(self) -> None:
        """Make `serve` return; to be called from another thread."""
        self._loop.call_soon_threadsafe(self._stop.set)

    async def _client(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        server, onward = await asyncio.open_connection(*self._upstream, limit=LIMIT)
        back = asyncio.create_task(_copy(server, answer))
        try:
            while True:
                head = await client.readuntil(b"\r\n\r\n")
                self.counts[_kind(head)] += 1
                onward.write(head + await client.readexactly(_length(head)))
                await onward.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            back.cancel()
        finally:
            for side in (onward, answer):
                side.close()
                with contextlib.suppress(ConnectionError):
                    await side.wait_closed()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
        while data := await source.read(LIMIT):
            sink.write(data)
            await sink.drain()


def _kind(head: bytes) -> str:
    method, path, _ = head.split(b" ", 2)
    return "LIST" if b"list-type=" in path else method.decode()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


@contextlib.contextmanager
def counting(upstream: str) -> Iterator[Counting]:
    """Run the proxy in a thread until the block ends."""
    proxy, started = Counting(upstream), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(proxy.serve(started)))
    thread.start()
    started.wait()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
