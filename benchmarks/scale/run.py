"""Measure what dry runs, no-ops and runs of large cohorts cost: requests, CPU, memory.

``python benchmarks/scale/run.py --patients 100 1000 --bucket bench`` works against the S3 server of
the ``AWS_*`` environment (an http endpoint). It makes the missing cohorts there, and prints a
Markdown table. With ``--real 100`` it also runs 100 tiny patients from S3 to S3.

CPU is user plus system time of Snakemake and all its jobs, without the server. Planning, scheduling
and peak are those of the Snakemake process itself, in all its rounds. The first job is the first to
open its log: seconds from the command, and CPU seconds of Snakemake until then.
"""

import argparse
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))

import cohorts
import yaml
from counting import Counting, counting

from lungprep.errors import NotFound
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address

ROOT = cohorts.ROOT
KINDS = ("LIST", "GET", "PUT", "HEAD", "DELETE")


@dataclass
class Cost:
    """Of one command."""

    patients: int
    what: str
    requests: Counter[str]
    cpu_s: float
    own_cpu_s: float
    peak_mb: float
    first_job: tuple[float, float] | None
    jobs: int

    def row(self) -> str:
        """Line of the table."""
        first = " | " if self.first_job is None else "{:.1f} | {:.1f}".format(*self.first_job)
        counts = " | ".join(f"{self.requests[kind]:,}" for kind in KINDS)
        return (
            f"| {self.patients:,} | {self.what} | {counts} | {self.cpu_s:.1f} | "
            f"{self.own_cpu_s:.1f} | {self.peak_mb:,.0f} | {self.jobs:,} | {first} |"
        )


def main() -> None:
    """Make the cohorts, run the commands, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--patients", type=int, nargs="*", default=[], help="sizes of cohorts to plan"
    )
    parser.add_argument("--real", type=int, nargs="*", default=[], help="sizes of cohorts to run")
    parser.add_argument("--bucket", default="bench", help="bucket for the cohorts")
    parser.add_argument("--cores", default="2")
    parser.add_argument("--per-round", default=1000, help="patients of a round")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(
        f"| patients | command | {' | '.join(KINDS)} | CPU s | of Snakemake | peak MB | jobs | "
        "first job s | CPU s |"
    )
    print("|---:|---|" + "---:|" * (len(KINDS) + 6))
    with counting(os.environ["AWS_ENDPOINT_URL_S3"]) as proxy:
        for patients in options.patients:
            listings(proxy, f"s3://{options.bucket}/listing-{patients}/", patients)
        for patients in options.real:
            real(proxy, f"s3://{options.bucket}/real-{patients}/", patients, options)


def listings(proxy: Counting, place: str, patients: int) -> None:
    """Commands that do no patient."""
    source, target = (parse_address("source", place + side) for side in ("in/", "out/"))
    if count(source) < patients:
        cohorts.put(source, cohorts.listed(patients))
    if not up_to_date(target, patients):
        cohorts.put(target, cohorts.published(patients, {}))
    open_store(target, S3Options()).discard("_cohort.json")
    done = f"source={source}", f"target={target}"
    measure(proxy, patients, "no-op, index lost", done)
    measure(proxy, patients, "no-op", done)
    measure(proxy, patients, "dry run, all published", done, "-n")
    empty = done[0], f"target={place}none/"
    measure(proxy, patients, "dry run, all missing", empty, "-n")
    measure(proxy, patients, "run, stopped at its first job", empty)


def real(proxy: Counting, place: str, patients: int, options: argparse.Namespace) -> None:
    """A run of all into a target of its own, and one more."""
    source, target = parse_address("source", place + "in/"), f"{place}out-{time.time_ns()}/"
    if count(source) < patients:
        cohorts.put(source, cohorts.scanned(patients))
    done = f"source={source}", f"target={target}", f"patients_per_round={options.per_round}"
    extra = ("--configfile", "coarse.yaml", "--cores", options.cores)
    measure(proxy, patients, "run", done, *extra)
    measure(proxy, patients, "no-op", done, *extra)


def count(place: cohorts.Address) -> int:
    """Folders at an address."""
    return len(open_store(place, S3Options()).level().folders) if bucket_exists(place) else 0


def up_to_date(target: cohorts.Address, patients: int) -> bool:
    """Whether the last sidecar of a published cohort is that of the recipe in force."""
    *_, (key, facts) = cohorts.published(patients, {})
    try:
        return open_store(target, S3Options()).read(key) == facts
    except NotFound:
        return False


def bucket_exists(place: cohorts.Address) -> bool:
    """Whether the bucket has been made."""
    buckets = cohorts.boto3.client("s3").list_buckets()["Buckets"]
    return place.bucket in {bucket["Name"] for bucket in buckets}


def measure(
    proxy: Counting, patients: int, what: str, config: tuple[str, ...], *arguments: str
) -> None:
    """Run Snakemake in an empty folder and print what it cost."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "coarse.yaml").write_text(yaml.safe_dump(cohorts.COARSE))
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--cores", "1", *arguments, "--config", *config]
        environ = {**os.environ, "AWS_ENDPOINT_URL_S3": proxy.url}
        proxy.take()
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        with (folder / "output").open("w") as output:
            process = subprocess.Popen(
                command, cwd=folder, env=environ, stdout=output, stderr=subprocess.STDOUT
            )
            stop = "stopped" in what
            own_cpu_s, peak_mb, first_job = watch(process, folder, start, stop)
        text = (folder / "output").read_text()
    if process.returncode and not stop:
        raise SystemExit(f"{what}: status {process.returncode}\n{text[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    totals = [int(number) for number in re.findall(r"^total +(\d+)$", text, re.MULTILINE)]
    # A dry run says it twice; a run says it once for each round.
    jobs = max(totals, default=0) if "-n" in arguments else sum(totals)
    cost = Cost(patients, what, proxy.take(), cpu_s, own_cpu_s, peak_mb, first_job, jobs)
    print(cost.row(), flush=True)


def watch(
    process: subprocess.Popen, folder: Path, start: float, stop: bool
) -> tuple[float, float, tuple[float, float] | None]:
    """CPU s and peak MB of the process itself over all rounds, and when its first job began, s.

    With `stop`, it is told to end then.
    """
    own_cpu_s, peak_kb, first_job = 0.0, 0, None
    while process.poll() is None:
        proc = Path(f"/proc/{process.pid}")
        found = re.search(r"VmHWM:\s+(\d+) kB", (proc / "status").read_text())
        peak_kb = max(peak_kb, int(found[1]) if found else 0)
        # User and system time, the 14th and 15th field; the name in the second has no space.
        ticks = (proc / "stat").read_text().split()[13:15]
        own_cpu_s = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        if first_job is None and any(folder.glob("logs/load/*.log")):
            first_job = time.monotonic() - start, own_cpu_s
            if stop:
                process.terminate()
        time.sleep(0.05)
    return own_cpu_s, peak_kb / 1024, first_job


if __name__ == "__main__":
    main()
