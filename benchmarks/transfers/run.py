"""Compare boto3, obstore and lungprep's store in reading and writing S3 objects.

Each case is a separate process, so that imports count. The server is the demo's, with an optional
pause before each answer. The output is the table of docs/transfers.md. From the repository's root:

  python benchmarks/transfers/run.py --latency-ms 50
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "tests")]

OBJECTS, BYTES, THREADS = 200, 540_000, 16
WRITES = {"write 40 MB": 40 << 20, "write 300 MB": 300 << 20}
CLIENTS = ("boto3", "obstore", "lungprep")


def boto3_client():
    """boto3 with its defaults, but for the size of its pool."""
    import boto3
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    client = boto3.client("s3", config=Config(max_pool_connections=THREADS))
    parts = TransferConfig(multipart_chunksize=16 << 20, max_concurrency=4)

    def write(key, content):
        import io

        client.upload_fileobj(io.BytesIO(content), "bucket", f"x/{key}", Config=parts)

    def read(key):
        return client.get_object(Bucket="bucket", Key=f"x/{key}")["Body"].read()

    return read, write


def obstore_client():
    """Obstore with its defaults."""
    import obstore
    from obstore.store import S3Store

    url = os.environ["AWS_ENDPOINT_URL_S3"]
    store = S3Store("bucket", prefix="x/", endpoint=url, client_options={"allow_http": True})

    def read(key):
        return bytes(obstore.get(store, key).bytes())

    def write(key, content):
        obstore.put(store, key, content, chunk_size=16 << 20, max_concurrency=4)

    return read, write


def lungprep_client():
    """The store of the workflow: retries, conditions, checksums."""
    from lungprep.stores import Address, S3Options, open_store

    store = open_store(Address("bucket", "x/"), S3Options())
    return store.read, store.write


def case(client, name):
    """Do one case in this process and print what it took."""
    content = os.urandom(WRITES.get(name, 0))
    cpu, wall = time.process_time(), time.monotonic()
    read, write = globals()[f"{client}_client"]()
    if name == "start":
        read("0")
    elif name == "read":
        with ThreadPoolExecutor(THREADS) as pool:
            total = sum(map(len, pool.map(read, map(str, range(OBJECTS)))))
        assert total == OBJECTS * BYTES  # noqa: S101
    else:
        write("big", content)
    cpu, wall = time.process_time() - cpu, time.monotonic() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": cpu, "wall": wall, "peak": peak}))


def measure(client, name, environ, repeats):
    """The median of some runs, by CPU."""
    command = [sys.executable, __file__, "--case", client, name]
    runs = [
        json.loads(subprocess.run(command, env=environ, check=True, capture_output=True).stdout)
        for _ in range(repeats)
    ]
    return sorted(runs, key=lambda run: run["cpu"])[repeats // 2]


def main(latency_ms, repeats):
    """Measure all cases and print the table."""
    from faults import faulty
    from lungprep_demo.server import s3_server

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for number in range(OBJECTS):
            (folder / "bucket/x").mkdir(parents=True, exist_ok=True)
            (folder / f"bucket/x/{number}").write_bytes(os.urandom(BYTES))
        server = stack.enter_context(s3_server(folder))
        environ = server.child_environ()
        if latency_ms:
            proxy = stack.enter_context(faulty(server.endpoint_url, latency_s=latency_ms / 1000))
            environ["AWS_ENDPOINT_URL_S3"] = proxy.endpoint_url
        print(
            f"| {latency_ms} ms | " + " | ".join(f"{c} CPU s | wall s | MB" for c in CLIENTS) + " |"
        )
        print("|---|" + "---:|---:|---:|" * len(CLIENTS))
        for name in ("start", "read", *WRITES):
            cells = []
            for client in CLIENTS:
                took = measure(client, name, environ, repeats)
                cells.append(f"{took['cpu']:.2f} | {took['wall']:.2f} | {took['peak']:.0f}")
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency-ms", type=int, default=0, help="pause before each answer")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each case")
    parser.add_argument("--case", nargs=2, metavar=("CLIENT", "NAME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        case(*options.case)
    else:
        main(options.latency_ms, options.repeats)
