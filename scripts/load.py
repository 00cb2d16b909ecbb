"""Load the CT series of a patient as a HU volume."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
import own_code

own_code.check()

from dataclasses import asdict

from lungprep.image.loading import load
from lungprep.image.series.policy import LoadOptions
from lungprep.stores import S3Options, open_store
from lungprep.stores.address import parse_address
from lungprep.workspace.jobs import Step

with Step(snakemake.wildcards.patient, snakemake.log[0], snakemake.output[0]) as step:
    address = parse_address("source", snakemake.params.prefix)
    volume, scan = load(
        open_store(address, S3Options(**snakemake.params.s3), answered=True),
        LoadOptions(**snakemake.params.options),
        series_uid=snakemake.params.series_uid,
    )
    volume.save(snakemake.output.volume)
    places = {"grid": asdict(volume.grid), "slicing": volume.slicing and asdict(volume.slicing)}
    step.record(snakemake.output.record, {**places, **asdict(scan)})
