"""Measure what a shard costs over a local run, on a real SLURM on this machine, S3 to S3.

``python benchmarks/clusters/run.py --copies 24 --per-job 24 12`` puts copies of the demo's scan on
the embedded S3 server, processes them in a local run and then through ``profiles/slurm`` in shards
of the given sizes, and prints a Markdown table. It needs root and SLURM's packages.

CPU is user plus system time of Snakemake, its jobs, and SLURM's daemons with all their processes,
without the S3 server.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.append(str(ROOT / "scripts"))

from lungprep_demo import DemoError, scan  # noqa: E402
from lungprep_demo.cohort import put_cohort  # noqa: E402
from lungprep_demo.server import S3Server, s3_server  # noqa: E402

BUCKET = "benchmark"
LOCAL = 0


def main() -> None:
    """Run all, and print the table."""
    options = arguments()
    archive = scan.fetch(options.scan)
    slices = [file for file in scan.files(archive) if file[0].startswith(scan.CT_SERIES)]
    print(
        f"{options.copies} copies of {scan.PATIENT}, {options.cores} of {os.cpu_count()} cores,"
        f" {platform.machine()}, Python {platform.python_version()}\n\n"
        "| patients of a job | CPU s per patient | over the first row | wall s |\n"
        "|---|---:|---:|---:|",
        flush=True,
    )
    with (
        # Of a short path: SLURM's sockets lie in it.
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        s3_server(Path(folder, "s3"), buckets=[BUCKET]) as server,
    ):
        copies = {f"copy-{n:03d}": slices for n in range(options.copies)}
        put_cohort(server, BUCKET, "source/", copies)
        first = None
        for number, per_job in enumerate([LOCAL, *options.per_job, LOCAL]):
            cost = measure(Path(folder, str(number)), per_job, server, options)
            each = cost["cpu_s"] / options.copies
            first = each if first is None else first
            name = per_job or "local run"
            over, wall = each - first, cost["wall_s"]
            print(f"| {name} | {each:.2f} | {over:+.2f} | {wall:.0f} |", flush=True)


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=24, help="copies of the scan, as patients")
    parser.add_argument("--per-job", type=int, nargs="+", default=[24, 12], help="sizes of shards")
    parser.add_argument("--cores", type=int, default=2, help="cores of a local run, and of a job")
    parser.add_argument(
        "--scan", type=Path, default=ROOT / "demo/scan", help="folder of the downloaded scan"
    )
    return parser.parse_args()


def measure(
    folder: Path, per_job: int, server: S3Server, options: argparse.Namespace
) -> dict[str, float]:
    """Run the cohort once in a process of its own, and return its cost."""
    (folder / "work").mkdir(parents=True)
    (folder / "node").mkdir()
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    if per_job:
        command += ["--workflow-profile", str(ROOT / "profiles/slurm")]
        command += ["--set-threads", f"shard={options.cores}"]
    else:
        command += ["--cores", str(options.cores)]
    target = f"s3://{BUCKET}/{folder.name}/"
    command += ["--config", f"source=s3://{BUCKET}/source/", f"target={target}"]
    command += [f"patients_per_job={per_job}"] if per_job else []
    report = folder / "cost.json"
    daemons = [str(folder / "slurm")] if per_job else []
    with (folder / "output.txt").open("w") as output:
        status = subprocess.run(
            [sys.executable, str(HERE / "reaping.py"), str(report), *daemons, "--", *command],
            cwd=folder / "work",
            env={**server.child_environ(), "TMPDIR": str(folder / "node")},
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if status:
        raise SystemExit("".join((folder / "output.txt").read_text("utf-8")[-3000:]))
    cost: dict[str, float] = json.loads(report.read_text("utf-8"))
    return cost


if __name__ == "__main__":
    try:
        main()
    except DemoError as error:
        raise SystemExit(str(error)) from error
