"""An S3 that differs from Amazon's, each time in another way; in memory, without signatures."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

CHECKSUMS = ("x-amz-checksum", "x-amz-sdk-checksum")


class OddStore(ThreadingHTTPServer):
    """A running store.

    Attributes
    ----------
    endpoint_url : str
        Where it listens.
    objects : dict of str to bytes
        By their whole keys, of any bucket.
    modes : set of str
        ``v1``: knows no tokens. ``list etag``, ``no list etag``, ``no get etag``, ``no put etag``:
        other ETags there, or none. ``no checksums``: refuses them. ``bare if-match``: knows no
        quotes. ``encoded``: keys are percent-encoded unasked. ``no case``: names are told apart by
        more than their case. ``chunked``: bodies without their lengths. ``kms``: ETags are no
        MD5s, as the headers say. ``odd dates``: not those of HTTP. ``plus``: it lists blanks for +.
    page : int
        Keys in a page.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, modes, page):
        super().__init__(("127.0.0.1", 0), Request)
        self.endpoint_url = f"http://127.0.0.1:{self.server_address[1]}"
        self.objects, self.modes, self.page = {}, set(modes), page
        self.lock = threading.Lock()

    def etag(self, key):
        """As the store has it."""
        content = self.objects[key] + (b"secret" if "kms" in self.modes else b"")
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    def key_of(self, asked):
        """The key under which an object lies."""
        if "no case" in self.modes:
            return next((key for key in self.objects if key.lower() == asked.lower()), asked)
        return asked

    def listing(self, query):
        """A page of XML."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        names = {}
        for key in sorted(self.objects):
            if key.startswith(prefix):
                folder, slash, _ = key[len(prefix) :].partition(delimiter or "\0")
                names[prefix + folder + slash if slash else key] = bool(slash)
        first = "v1" in self.modes or query.get("list-type") != "2"
        after = query.get("marker" if first else "continuation-token", "")
        left = [name for name in names if name > after]
        page = left[: self.page]
        parts = [self._part(name, folder=names[name]) for name in page]
        if len(left) > len(page):
            more = "NextMarker" if first else "NextContinuationToken"
            if delimiter or not first:
                parts.append(f"<{more}>{self.shown(page[-1])}</{more}>")
        if "encoded" in self.modes:
            parts.append("<EncodingType>url</EncodingType>")
        truncated = str(len(left) > len(page)).lower()
        return (
            "<?xml version='1.0'?><ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>"
            f"<IsTruncated>{truncated}</IsTruncated>{''.join(parts)}</ListBucketResult>"
        ).encode()

    def _part(self, name, *, folder):
        if folder:
            return f"<CommonPrefixes><Prefix>{self.shown(name)}</Prefix></CommonPrefixes>"
        etag = "0" * 32 if "list etag" in self.modes else self.etag(name)
        told = "" if "no list etag" in self.modes else f"<ETag>&quot;{etag}&quot;</ETag>"
        size = f"<Size>{len(self.objects[name])}</Size>"
        return f"<Contents><Key>{self.shown(name)}</Key>{told}{size}</Contents>"

    def shown(self, key):
        """A key in XML."""
        key = key.replace("+", " ") if "plus" in self.modes else key
        return escape(quote(key) if "encoded" in self.modes else key)


class Request(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self):
        """Answer one request."""
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        url = urlsplit(self.path)
        _, _, key = unquote(url.path).lstrip("/").partition("/")
        with self.server.lock:
            self.serve(key, dict(parse_qsl(url.query)), body)

    do_GET = do_HEAD = do_PUT = do_DELETE = answer  # noqa: N815

    def serve(self, key, query, body):
        """Do what is asked."""
        store, modes = self.server, self.server.modes
        if not key:
            return self.say(200, store.listing(query))
        key = store.key_of(key)
        if self.command == "PUT":
            if "no checksums" in modes and any(
                h.lower().startswith(CHECKSUMS) for h in self.headers
            ):
                return self.say(501, b"<Error><Code>NotImplemented</Code></Error>")
            store.objects[key] = body
            return self.say(200, b"", etag="" if "no put etag" in modes else store.etag(key))
        if self.command == "DELETE":
            store.objects.pop(key, None)
            return self.say(204, b"")
        if key not in store.objects:
            return self.say(404, b"<Error><Code>NoSuchKey</Code></Error>")
        etag, asked = store.etag(key), self.headers.get("if-match")
        if asked and (asked if "bare if-match" in modes else asked.strip('"')) != etag:
            return self.say(412, b"<Error><Code>PreconditionFailed</Code></Error>")
        return self.say(200, store.objects[key], etag="" if "no get etag" in modes else etag)

    def say(self, status, content, etag=""):
        """Send an answer."""
        self.send_response_only(status)
        odd = "odd dates" in self.server.modes
        date = "2026-11-27T10:00:00Z" if odd else "Fri, 27 Nov 2026 10:00:00 GMT"
        self.send_header("Last-Modified", date)
        if etag:
            self.send_header("ETag", f'"{etag}"')
        if "kms" in self.server.modes:
            self.send_header("x-amz-server-side-encryption", "aws:kms")
        if "chunked" in self.server.modes and self.command == "GET":
            self.send_header("Transfer-Encoding", "chunked")
            content = (
                b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content) if content else b"0\r\n\r\n"
            )
        else:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format, *arguments):
        """Keep no log."""


@contextmanager
def odd_store(*modes, page=1000):
    """Serve until the block ends."""
    with OddStore(modes, page) as store:
        thread = threading.Thread(target=store.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield store
        finally:
            store.shutdown()
            thread.join()
