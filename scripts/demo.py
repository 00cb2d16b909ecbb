"""Run the workflow on a real chest CT and two phantoms, S3 to S3, and show the results.

All files stay under demo/: the download, the S3 server's files, work and logs.
"""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
import own_code

own_code.check()

import argparse
import os
import subprocess
from pathlib import Path

from lungprep.config.program import SCRIPTS, program_digest
from lungprep.errors import LungprepError
from lungprep_demo import scan
from lungprep_demo.cohort import demo_cohort, put_cohort
from lungprep_demo.environ import NO_PROFILES, drop_network, drop_settings
from lungprep_demo.results import show
from lungprep_demo.server import s3_server

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "demo"
BUCKET, SOURCE, TARGET = "lungprep-demo", "dicom/", "npy/"
PLACES = [f"source=s3://{BUCKET}/{SOURCE}", f"target=s3://{BUCKET}/{TARGET}"]


def main() -> int:
    """Set up source and server, run Snakemake with the stock config, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cores", default="all", help="cores to use, a number or all")
    parser.add_argument(
        "--port", type=int, default=0, help="port of the S3 server; 0 (the default) uses a free one"
    )
    options = parser.parse_args()
    drop_settings(os.environ)
    archive = scan.fetch(DEMO / "scan")
    drop_network(os.environ)
    with s3_server(DEMO / "s3", buckets=[BUCKET], port=options.port) as server:
        marker = DEMO / "s3" / "cohort.sha256"
        cohort = program_digest([SCRIPTS / "lungprep_demo" / "cohort.py"], ("lungprep_demo",))
        if not marker.exists() or marker.read_text("utf-8") != cohort:
            put_cohort(server, BUCKET, SOURCE, demo_cohort(archive))
            marker.write_text(cohort, "utf-8")
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
        workflow = subprocess.run(
            [*command, "--directory", str(DEMO), "--cores", options.cores, "--config", *PLACES],
            env={**server.child_environ(), **NO_PROFILES},
            check=False,
        )
    if workflow.returncode == 0:
        show(DEMO / "s3" / BUCKET / TARGET)
    return workflow.returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LungprepError as error:
        sys.exit(f"demo: {error}")
