"""A web proxy that refuses all, and keeps whom it was asked for."""

from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Handler(BaseHTTPRequestHandler):
    def refuse(self):
        self.server.asked.append(self.path)
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_CONNECT = refuse  # noqa: N815

    def log_message(self, format, *arguments):
        pass


@contextmanager
def web_proxy():
    """Yield it; `asked` has hosts of CONNECT, and whole URLs of plain HTTP."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.asked = []
        listening.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = Thread(target=listening.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield listening
        finally:
            listening.shutdown()
            thread.join()
