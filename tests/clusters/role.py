"""Credentials of a role, as containers get them on AWS: by asking an address on their own node."""

import json
import secrets
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def role(folder, access_key, secret_key):
    """Hand out keys; yields the variables that a container has of it, none of which is a key."""
    token = secrets.token_hex(16)
    (folder / "token").write_text(token)
    answer = json.dumps(
        {
            "AccessKeyId": access_key,
            "SecretAccessKey": secret_key,
            "Token": "",
            "Expiration": "2100-01-01T00:00:00Z",
        }
    ).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            right = self.headers["Authorization"] == token
            self.send_response(200 if right else 403)
            self.end_headers()
            self.wfile.write(answer if right else b"{}")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{server.server_port}/role",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(folder / "token"),
        }
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
