"""A real SLURM of one node on loopback, without accounting: Debian's packages, started by hand.

Its commands find their configuration at ``/etc/slurm/slurm.conf`` alone once they run inside a job,
so that is a link to it for as long as it runs.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from ceph import free_ports

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "munged")
LINK = Path("/etc/slurm/slurm.conf")
SECONDS_TO_START = 60
# How names of the folders of test runs begin.
FOLDER = "lungprep-slurm-"
# Daemons end with the process that started them, even if that is killed.
TIED = ("setpriv", "--pdeathsig", "KILL", "--")
CPUS = 4
CONF = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPort={ctld}
SlurmdPort={d}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SlurmdParameters=config_overrides
EnforcePartLimits=ALL
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=5,sched_interval=2,batch_sched_delay=0
DefMemPerCPU=1000
InactiveLimit=0
KillWait=5
MinJobAge=300
SlurmctldTimeout=30
SlurmdTimeout=10
Waittime=0
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=20000 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=1-0 State=UP
"""


def missing():
    """Programs that are not installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


def taken():
    """Whether this machine belongs to a SLURM already; the link of a killed test run is removed."""
    if not LINK.is_symlink():
        return LINK.exists()
    daemons = LINK.readlink().parent / "slurmctld.pid"
    with suppress(FileNotFoundError):
        if "slurmctld" in command(int(daemons.read_text())):
            return True
    folder = LINK.readlink().parent
    if folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith(FOLDER):
        LINK.unlink()
    return LINK.is_symlink()


PATH = f"{os.environ.get('PATH', '')}:/usr/sbin"


@contextmanager
def slurm(folder: Path):
    """Run a SLURM until the block ends.

    Parameters
    ----------
    folder : Path
        For all its files; of a short path, for it holds Unix sockets.

    Yields
    ------
    Slurm
        The daemons.
    """
    running = Slurm(folder)
    try:
        running.start()
        yield running
    finally:
        running.stop()


class Slurm:
    """munged, slurmctld and slurmd."""

    def __init__(self, folder):
        self.folder = folder
        self.conf = folder / "slurm.conf"
        self.daemons = {}
        self.environ = {**os.environ, "SLURM_CONF": str(self.conf), "PATH": PATH}

    def start(self):
        """Start all daemons, and wait for the node."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        ctld, d = free_ports(2)
        host = socket.gethostname().partition(".")[0]
        ports = {"ctld": ctld, "d": d}
        self.conf.write_text(CONF.format(folder=self.folder, host=host, cpus=CPUS, **ports))
        LINK.symlink_to(self.conf)
        names = ("key-file=munge.key", "socket=munge.sock", "pid-file=munged.pid")
        names += ("log-file=munged.log", "seed-file=munged.seed")
        options = [f"--{name.replace('=', f'={self.folder}/')}" for name in names]
        self.daemons["munged"] = self.daemon("munged", "--force", "--foreground", *options)
        self.wait((self.folder / "munge.sock").exists)
        self.daemons["slurmctld"] = self.daemon("slurmctld", "-D", "-c", "-f", self.conf)
        self.start_node()

    def start_node(self):
        """Start slurmd, and wait until the node takes jobs."""
        self.daemons["slurmd"] = self.daemon("slurmd", "-D", "-f", self.conf)
        self.wait(lambda: self.call("sinfo", "-h", "-o", "%t").strip() in ("idle", "mix", "alloc"))

    def kill_node(self):
        """Let the node die: slurmd, and all that it runs; wait until SLURM has noticed."""
        steps = [pid for pid in processes() if "slurmstepd" in command(pid)]
        below = [pid for pid in processes() if steps and descends(pid, steps)]
        self.daemons["slurmd"].kill()
        for pid in (*steps, *below):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.daemons["slurmd"].wait()
        self.wait(lambda: "down" in self.call("sinfo", "-h", "-o", "%t"))

    def daemon(self, name, *options):
        """A daemon, in the foreground of a process of ours."""
        with (self.folder / f"{name}.out").open("wb") as out:
            return subprocess.Popen(
                [*TIED, shutil.which(name, path=PATH), *map(str, options)],
                env=self.environ,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def call(self, *words):
        """Output of one of SLURM's commands; empty where it fails."""
        done = subprocess.run(
            words, env=self.environ, capture_output=True, text=True, check=False, timeout=30
        )
        return done.stdout if done.returncode == 0 else ""

    def jobs(self, state="RUNNING"):
        """Ids of jobs in a state."""
        return self.call("squeue", "-h", "-t", state, "-o", "%i").split()

    def wait(self, condition):
        """Wait for a step of the start."""
        deadline = time.monotonic() + SECONDS_TO_START
        while not condition():
            assert time.monotonic() < deadline, f"SLURM is not as it should be, see {self.folder}"
            time.sleep(0.1)

    def stop(self):
        """End all jobs and daemons; the link in /etc goes."""
        if "slurmd" in self.daemons:
            self.call("scancel", "--user", "root")
            deadline = time.monotonic() + 10
            while self.call("squeue", "-h") and time.monotonic() < deadline:
                time.sleep(0.2)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(10)
            daemon.kill()
            daemon.wait()
        if LINK.is_symlink() and LINK.readlink() == self.conf:
            LINK.unlink()


def processes():
    """Ids of all processes."""
    return [int(path.name) for path in Path("/proc").glob("[0-9]*")]


def command(pid):
    """How a process was started."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    return ""


def descends(pid, ancestors):
    """Whether a process is below one of some others."""
    while pid > 1:
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
        if pid in ancestors:
            return True
    return False
