"""A complete S3 server for tests: Ceph's gateway over one monitor and one disk, on loopback.

It does what rclone's does not: conditional requests, anonymous refusal, bucket policies, parts that
stay until they are aborted, ETags of parts. Debian's and Ubuntu's packages ``radosgw``,
``ceph-mon``, ``ceph-osd`` and ``ceph-common`` hold it. The first start takes about 16 seconds.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from contextlib import contextmanager
from pathlib import Path

from lungprep_demo.server import S3Server

PROGRAMS = ("radosgw", "ceph-mon", "ceph-osd", "ceph", "ceph-authtool", "monmaptool")
KEYS = ("lungprep", "lungprep-secret")
SECONDS_TO_START = 120

CONF = """\
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{mon},v1:127.0.0.1:{mon_v1}]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv6 = false
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$name.asok
pid file = {folder}/$name.pid
log file = {folder}/$name.log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 1000
osd crush chooseleaf type = 0
[mon.a]
mon data = {folder}/mon
mon data avail crit = 1
mon data avail warn = 2
[osd.0]
osd data = {folder}/osd
osd objectstore = bluestore
bluestore block size = 10737418240
bluestore block create = true
osd memory target = 1073741824
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{port}
rgw data = {folder}/rgw
rgw dns name = localhost
"""
KEYRING = {
    "mon.": {"mon": "allow *"},
    "client.admin": {"mon": "allow *", "osd": "allow *", "mgr": "allow *", "mds": "allow *"},
    "osd.0": {"mon": "allow profile osd", "osd": "allow *", "mgr": "allow profile osd"},
    "client.rgw": {"mon": "allow rwx", "osd": "allow rwx"},
}


def missing():
    """Programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


@contextmanager
def ceph_server(folder: Path):
    """Serve S3 from a new cluster in a folder until the block ends.

    Parameters
    ----------
    folder : Path
        For all its files; new, and of a short path, for it holds Unix sockets.

    Yields
    ------
    S3Server
        Where it listens and the credentials.
    """
    cluster = Cluster(folder)
    try:
        pid = cluster.start()
        url = f"http://127.0.0.1:{cluster.port}"
        yield S3Server(url, *KEYS, pid, folder / "client.rgw.log")
    finally:
        cluster.stop()


class Cluster:
    """The three daemons."""

    def __init__(self, folder):
        self.folder = folder
        self.port, self.mon, mon_v1 = free_ports(3)
        self.fsid = str(uuid.uuid4())
        for name in ("mon", "osd", "rgw"):
            (folder / name).mkdir(parents=True)
        settings = {"fsid": self.fsid, "mon": self.mon, "mon_v1": mon_v1, "port": self.port}
        (folder / "ceph.conf").write_text(CONF.format(folder=folder, **settings))
        self.addresses = f"[v2:127.0.0.1:{self.mon},v1:127.0.0.1:{mon_v1}]"

    def call(self, *command, check=True):
        """Run one of Ceph's programs."""
        conf = self.folder / "ceph.conf"
        environ = {**os.environ, "CEPH_CONF": str(conf), "CEPH_ARGS": f"-c {conf}"}
        done = subprocess.run(
            [str(part) for part in command],
            env=environ,
            capture_output=True,
            text=True,
            timeout=SECONDS_TO_START,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{command}: {done.stdout}{done.stderr}"
        return done

    def start(self):
        """Make the cluster and start it; the gateway's process id."""
        keyring, monmap = self.folder / "keyring", self.folder / "monmap"
        for name, caps in KEYRING.items():
            words = [word for service, cap in caps.items() for word in ("--cap", service, cap)]
            create = [] if keyring.exists() else ["--create-keyring"]
            self.call("ceph-authtool", keyring, *create, "--gen-key", "-n", name, *words)
        add = ("--addv", "a", self.addresses)
        self.call("monmaptool", "--create", "--fsid", self.fsid, *add, monmap)
        self.call("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap, "--keyring", keyring)
        self.call("ceph-mon", "-i", "a")
        disk = str(uuid.uuid4())
        self.call("ceph", "osd", "new", disk, "0")
        self.call("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", disk)
        self.call("ceph-osd", "-i", "0")
        self.call("ceph", "osd", "crush", "add", "osd.0", "1", "root=default", "host=h")
        self.wait(lambda: "1 up" in self.call("ceph", "osd", "stat", check=False).stdout)
        self.call("radosgw", "-n", "client.rgw")
        self.wait(lambda: listens(self.port))
        user = ("--uid", "lungprep", "--display-name", "lungprep")
        keys = ("--access-key", KEYS[0], "--secret-key", KEYS[1])
        self.call("radosgw-admin", "user", "create", *user, *keys)
        return self.pid("client.rgw")

    def wait(self, condition):
        """Wait for a step of the start."""
        deadline = time.monotonic() + SECONDS_TO_START
        while not condition():
            assert time.monotonic() < deadline, f"Ceph did not start, see {self.folder}"
            time.sleep(0.1)

    def pid(self, name):
        """Process id of a daemon, None where it did not start."""
        path = self.folder / f"{name}.pid"
        text = path.read_text().strip() if path.exists() else ""
        return int(text) if text else None

    def stop(self):
        """End the three daemons; nothing of the cluster is to be kept."""
        for name in ("client.rgw", "osd.0", "mon.a"):
            pid = self.pid(name)
            if pid is not None and Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)


def listens(port):
    """Whether a port of loopback is open."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_ports(number):
    """Ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
