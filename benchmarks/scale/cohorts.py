"""Make cohorts of any size in S3, with the smallest possible objects.

As a command, it makes one cohort and leaves it there::

    python benchmarks/scale/cohorts.py --patients 5000 --source s3://bench/in/ --target s3://bench/out/
    python benchmarks/scale/cohorts.py --patients 1000 --source s3://bench/in/ --real

The first cohort is for listings: the source has one object per patient, and the target the files
that a run publishes, with sidecars of the stock config's recipe. The second one can be run: each
patient is the same phantom of 15 slices. Endpoint and credentials come from the ``AWS_*``
environment.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "scripts"))

import boto3  # noqa: E402
import obstore  # noqa: E402

from lungprep.cohort.patients import LUNGS, PREVIEW, SIDECAR, VOLUME  # noqa: E402
from lungprep.config.recipe import recipe_digest  # noqa: E402
from lungprep.config.schema import complete, read_schema  # noqa: E402
from lungprep.stores import Address, S3Options  # noqa: E402
from lungprep.stores.address import parse_address  # noqa: E402
from lungprep.stores.s3_clients import object_store  # noqa: E402
from lungprep_demo.phantom import Scan, chest, slices  # noqa: E402

THREADS = 16
# The smallest that the workflow takes for a chest with two lungs.
TINY = Scan(gap_mm=20, shape=(64, 64), spacing_mm=(5.6, 5.6), noise_hu=10)
COARSE = {"resample": {"spacing_mm": [5.0, 5.0, 5.0]}}


def names(patients: int) -> list[str]:
    """Ids like those of the Data Science Bowl 2017, in order."""
    digests = (hashlib.md5(str(n).encode(), usedforsecurity=False) for n in range(patients))
    return sorted(digest.hexdigest() for digest in digests)


def listed(patients: int) -> Iterator[tuple[str, bytes]]:
    """Source objects of a cohort that is listed and never loaded."""
    return ((f"{patient}/1.dcm", b"x") for patient in names(patients))


def scanned(patients: int) -> Iterator[tuple[str, bytes]]:
    """Source objects of a cohort that can be run."""
    files = list(slices(chest(), TINY))
    return (
        (f"{patient}/{name}", content) for patient in names(patients) for name, content in files
    )


def published(patients: int, config: dict) -> Iterator[tuple[str, bytes]]:
    """Target objects of a cohort that is done, by the recipe of a config."""
    places = {"source": "s3://bucket/in/", "target": "s3://bucket/out/"}
    facts = {
        "recipe": {"digest": recipe_digest(complete(places | config, read_schema()))},
        "source": {"digest": "0" * 64},
        "npy": {"bytes": 2},
        "lungs_npy": {"bytes": 1},
        "requested_series_uid": None,
        "series_instance_uid": "1.3.6.1.4.1.14519.5.2.1.7009.9004.1234567890",
        "flags": [],
    }
    for patient in names(patients):
        yield VOLUME.format(patient=patient), b"12"
        yield LUNGS.format(patient=patient), b"1"
        yield PREVIEW.format(patient=patient), b"1"
        yield SIDECAR.format(patient=patient), json.dumps({"patient": patient, **facts}).encode()


def put(place: Address, objects: Iterable[tuple[str, bytes]]) -> int:
    """Put objects below an address, making its bucket; return how many."""
    client = boto3.client("s3")
    if place.bucket not in {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=place.bucket)
    store = object_store(place, S3Options())
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(1 for _ in pool.map(lambda item: obstore.put(store, *item), objects))


def main() -> None:
    """Make a cohort."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, required=True, help="size of the cohort")
    parser.add_argument("--source", help="s3://bucket/prefix/ of the slices")
    parser.add_argument("--target", help="s3://bucket/prefix/ of published results")
    parser.add_argument("--real", action="store_true", help="slices that can be run")
    options = parser.parse_args()
    if options.source:
        objects = (scanned if options.real else listed)(options.patients)
        print(put(parse_address("source", options.source), objects), "objects in the source")
    if options.target:
        objects = published(options.patients, {})
        print(put(parse_address("target", options.target), objects), "objects in the target")


if __name__ == "__main__":
    main()
