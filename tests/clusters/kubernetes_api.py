"""The part of Kubernetes' API that the executor plugin asks, whose jobs run as processes.

It checks nothing that a cluster would (quotas, fields, rights): it takes each job as it comes and
runs its command verbatim in an empty folder.
"""

import base64
import json
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Cluster:
    """Jobs and secrets by name, as they were posted."""

    def __init__(self, folder, image):
        self.folder, self.image = folder, image
        self.jobs, self.secrets, self.running = {}, {}, {}
        self.deleted = []

    def post(self, kind, body):
        name = body["metadata"]["name"]
        if kind == "secrets":
            self.secrets[name] = body["data"]
        else:
            self.jobs[name] = body
            self.running[name] = self._run(body["spec"]["template"]["spec"]["containers"][0])
        return body

    def _run(self, container):
        values = {}
        for variable in container["env"]:
            reference = variable["valueFrom"]["secretKeyRef"]
            coded = self.secrets[reference["name"]][reference["key"]]
            values[variable["name"]] = base64.b64decode(coded).decode()
        home = tempfile.mkdtemp(prefix="pod-", dir=self.folder)
        with Path(home + ".log").open("w") as log:
            return subprocess.Popen(
                [*container["command"], *container["args"]],
                cwd=home,
                env={**self.image, "HOME": home, **values},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def get(self, kind, name):
        if kind == "pods":
            return {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []}
        status = self.running[name].poll()
        told = {} if status is None else {"failed" if status else "succeeded": 1}
        return {**self.jobs[name], "status": told}

    def delete(self, kind, name):
        self.deleted.append((kind, name))
        if kind == "jobs" and self.running[name].poll() is None:
            self.running[name].terminate()
        return {"kind": "Status", "apiVersion": "v1", "status": "Success"}


@contextmanager
def kubernetes(folder, image):
    """Serve a cluster; yields it and a kubeconfig file."""
    cluster = Cluster(folder, image)

    class Handler(BaseHTTPRequestHandler):
        def answer(self, act):
            parts = self.path.partition("?")[0].split("/")
            kind, _, name = "/".join(parts[parts.index("namespaces") + 2 :]).partition("/")
            content = json.dumps(act(kind, name.removesuffix("/status"))).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.answer(lambda kind, _: cluster.post(kind, body))

        def do_GET(self):
            self.answer(cluster.get)

        def do_DELETE(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer(cluster.delete)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    named = {"cluster": "it", "user": "me"}
    kubeconfig = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "clusters": [
            {"name": "it", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        ],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "it", "context": named}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(kubeconfig))
    try:
        yield cluster, path
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        for process in cluster.running.values():
            process.kill()
            process.wait()
