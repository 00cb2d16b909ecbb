"""Compare the notebook's method with lungprep on copies of the demo's scan.

``python benchmarks/notebook/run.py --copies 10 --cores 2`` starts the embedded S3 server in a
temporary folder, puts the copies there (CT only: the notebook ends on anything else), runs
``notebook.py --segment`` with that many processes and then the workflow with that many cores, both
S3 to S3, and prints a Markdown table.

CPU is user plus system time of each side's whole process tree, start-up included, without the S3
server. Peak is the peak of the largest single process. Both sides run with the machine's own thread
settings. The server computes all checksums beforehand, so neither side waits for them.
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

import obstore  # noqa: E402
from obstore.store import S3Store  # noqa: E402

from lungprep_demo import DemoError, scan  # noqa: E402
from lungprep_demo.cohort import put_cohort  # noqa: E402
from lungprep_demo.server import S3Server, s3_server  # noqa: E402

BUCKET = "benchmark"
SOURCE = "source/"


def main() -> None:
    """Run both sides and print the table."""
    options = arguments()
    archive = scan.fetch(options.scan)
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        s3_server(Path(folder, "s3"), buckets=[BUCKET]) as server,
    ):
        slices = [file for file in scan.files(archive) if is_ct(file[0])]
        put_cohort(server, BUCKET, SOURCE, {f"copy-{n:02d}": slices for n in copies(options)})
        sizes(server, SOURCE)
        results = {
            side: run_side(side, command, server, Path(folder), options.copies)
            for side, command in commands(options).items()
            if side in options.only
        }
    print(table(results, options))


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--copies", type=int, default=10, help="copies of the scan, as patients")
    parser.add_argument("--cores", type=int, default=2, help="processes or cores of each side")
    parser.add_argument("--only", nargs="+", default=["notebook", "lungprep"])
    parser.add_argument("--snakefile", type=Path, default=ROOT / "Snakefile")
    parser.add_argument(
        "--scan", type=Path, default=ROOT / "demo/scan", help="folder of the downloaded scan"
    )
    parser.add_argument("--folder", type=Path, help="temporary files, 0.5 GB per copy")
    return parser.parse_args()


def copies(options: argparse.Namespace) -> range:
    """Return the numbers of the copies."""
    return range(1, options.copies + 1)


def is_ct(name: str) -> bool:
    """Whether a file of the scan is a CT slice."""
    return name.startswith(scan.CT_SERIES) and name.endswith(".dcm")


def commands(options: argparse.Namespace) -> dict[str, list[str]]:
    """Return the command of each side, to be run in a folder of its own."""
    cores = str(options.cores)
    notebook = [str(HERE / "notebook.py"), BUCKET, SOURCE, "notebook/"]
    workflow = ["-m", "snakemake", "--snakefile", str(options.snakefile.resolve())]
    config = [f"source=s3://{BUCKET}/{SOURCE}", f"target=s3://{BUCKET}/lungprep/"]
    return {
        "notebook": [sys.executable, *notebook, "--segment", "--processes", cores],
        "lungprep": [sys.executable, *workflow, "--cores", cores, "--config", *config],
    }


def run_side(
    side: str, command: list[str], server: S3Server, folder: Path, patients: int
) -> dict[str, float]:
    """Run one side and return its cost, in seconds and bytes; end with its output if it fails."""
    work = folder / side
    work.mkdir()
    report, output = work / "cost.json", work / "output.txt"
    print(f"{side}: {patients} patients ...", file=sys.stderr, flush=True)
    with output.open("w") as text:
        status = subprocess.run(
            [sys.executable, str(HERE / "measured.py"), str(report), *command],
            cwd=work,
            env=server.child_environ(),
            stdout=text,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    written = sizes(server, f"{side}/")
    volumes = {f"{side}/copy-{n:02d}.npy" for n in range(1, patients + 1)}
    if status or not volumes <= written.keys():
        tail = "\n".join(output.read_text("utf-8").splitlines()[-30:])
        missing = len(volumes - written.keys())
        raise SystemExit(f"{tail}\n{side} ended with {status}, {missing} patients missing")
    cost: dict[str, float] = json.loads(report.read_text("utf-8"))
    return {**cost, "written_bytes": sum(written.values())}


def sizes(server: S3Server, prefix: str) -> dict[str, int]:
    """Size of each object below a prefix. Listing also makes the server compute the checksums."""
    store = S3Store(
        BUCKET,
        endpoint=server.endpoint_url,
        region="us-east-1",
        access_key_id=server.access_key,
        secret_access_key=server.secret_key,
        client_options={"allow_http": True},
    )
    return {meta["path"]: meta["size"] for meta in obstore.list(store, prefix).collect()}


def table(results: dict[str, dict[str, float]], options: argparse.Namespace) -> str:
    """Return the costs and their ratios as a Markdown table."""
    rows = {
        "CPU per patient, s": ("cpu_s", 1 / options.copies),
        "wall, s": ("wall_s", 1),
        "peak of the largest process, GB": ("peak_bytes", 1e-9),
        "written per patient, MB": ("written_bytes", 1e-6 / options.copies),
    }
    sides = list(results)
    lines = [
        f"{options.copies} copies of {scan.PATIENT} (236 slices), {options.cores} cores of"
        f" {os.cpu_count()}, {platform.machine()}, Python {platform.python_version()}",
        "",
        f"| | {' | '.join(sides)} | {' / '.join(sides)} |",
        "|---|" + "---:|" * (len(sides) + 1),
    ]
    for name, (key, unit) in rows.items():
        values = [results[side][key] * unit for side in sides]
        ratio = f"{values[0] / values[-1]:.1f}"
        lines.append(f"| {name} | {' | '.join(f'{value:.2f}' for value in values)} | {ratio} |")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        main()
    except DemoError as error:
        raise SystemExit(str(error)) from error
