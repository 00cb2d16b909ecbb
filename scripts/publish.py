"""Publish the results of a patient to the target, the sidecar last."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
import own_code

own_code.check()

from dataclasses import asdict
from pathlib import Path

import numpy as np

from lungprep.image.export import export
from lungprep.image.output.options import ExportOptions
from lungprep.image.volume import Grid, Volume
from lungprep.publish.publishing import publish
from lungprep.publish.sidecar import sidecar
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep.workspace.jobs import Step
from lungprep.workspace.records import read_record, write_record

given, params = snakemake.input, snakemake.params
with Step(snakemake.wildcards.patient, snakemake.log[0], snakemake.output[0]) as step:
    records = {name: read_record(given[name]) for name in ("load", "resample", "segment")}
    volume = Volume.load(given.volume, Grid.from_json(records["resample"]["grid"]))
    labels = np.load(given.lungs, mmap_mode="r", allow_pickle=False)
    product = export(volume, labels, ExportOptions(**params.options), records["segment"]["box"])
    address = parse_address("target", params.target)
    target = open_store(address, S3Options(**params.s3), answered=True)
    fields = sidecar(step.patient, product, records, params.recipe, params.series_uid)
    preview = Path(given.preview).read_bytes()
    facts = publish(target, step.patient, product, preview, fields, step.usage)
    write_record(snakemake.output[0], asdict(facts))
