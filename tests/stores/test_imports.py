"""The first requests of a process, made by many threads at once, as `load` makes them."""

import os
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parents[2] / "scripts"
# Each module of obstore takes its time to start, so that the threads meet in the midst of it.
FIRST_REQUESTS = """
import sys, threading, time
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address


def slow(event, arguments):
    if event == "import" and arguments[0].startswith("obstore"):
        time.sleep(0.05)


def ask(number):
    store = open_store(parse_address("source", f"s3://bucket/first-{number}/"), S3Options())
    ready.wait()
    try:
        if number % 2:
            entry = store.write("a", b"slice")
            assert store.read("a", entry) == b"slice"
        else:
            assert store.stat("b") is None
    except BaseException as error:
        failed.append(f"{type(error).__name__}: {error}")


failed, ready = [], threading.Barrier(8)
sys.addaudithook(slow)
threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
sys.exit("\\n".join(failed) or 0)
"""


def test_threads_that_open_the_first_stores_do_not_stop_one_another(server):
    environ = {
        **os.environ,
        "AWS_ENDPOINT_URL_S3": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": server.access_key,
        "AWS_SECRET_ACCESS_KEY": server.secret_key,
        "PYTHONPATH": str(SCRIPTS),
    }
    done = subprocess.run(
        [sys.executable, "-c", FIRST_REQUESTS], env=environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
