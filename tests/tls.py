"""TLS before an S3 server: a private authority, certificates of it, and who shows them."""

import shutil
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

NAMED_BY = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True)
class Authority:
    """Its certificate is ``{name}.pem``."""

    folder: Path
    name: str = "authority"

    @property
    def pem(self):
        return self.folder / f"{self.name}.pem"

    def sign(self, host, *, days=2):
        """A certificate for a host, and its key, in one file."""
        signer = ("-CA", str(self.pem), "-CAkey", str(self.pem))
        return _request(self.folder / f"{host}{days}.pem", host, days, "FALSE", *signer)


def authority(folder, name="authority"):
    """Make a private authority."""
    made = Authority(folder, name)
    _request(made.pem, name, 2, "TRUE")
    return made


def self_signed(folder, host, ca):
    """A certificate that nobody else signed, of an authority (TRUE) or of none (FALSE)."""
    return _request(folder / f"self-{ca}.pem", host, 2, ca)


def _request(path, host, days, ca, *signer):
    assert shutil.which("openssl"), "openssl is not installed"
    key = path.with_suffix(".key")
    subprocess.run(
        [
            *("openssl", "req", "-x509", *signer, "-nodes", "-subj", f"/CN={host}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-keyout", str(key), "-out", str(path), "-days", str(days)),
            *("-addext", f"subjectAltName=DNS:{host}"),
            *("-addext", f"basicConstraints=critical,CA:{ca}"),
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + key.read_text())
    return path


@contextmanager
def tls_before(endpoint_url, certificate):
    """Speak TLS with a certificate before a server on loopback; yields ``https://localhost:PORT``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    behind = urlsplit(endpoint_url)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)

        def accept():
            while not ended.is_set():
                with suppress(TimeoutError):
                    threading.Thread(
                        target=serve, args=(listening.accept()[0],), daemon=True
                    ).start()

        def serve(raw):
            with suppress(OSError), socket.create_connection((behind.hostname, behind.port)) as out:
                raw.settimeout(20)
                with context.wrap_socket(raw, server_side=True) as client:
                    back = threading.Thread(target=copy, args=(out, client), daemon=True)
                    back.start()
                    copy(client, out)
                    back.join()

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"https://localhost:{listening.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


def copy(source, destination):
    """Hand bytes on until either side ends."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            destination.sendall(data)
    with suppress(OSError):
        destination.shutdown(socket.SHUT_WR)
