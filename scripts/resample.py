"""Interpolate the HU volume of a patient onto the target grid."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
import own_code

own_code.check()

from lungprep.image.resampling import resample
from lungprep.image.volume import Grid, Slicing, Volume
from lungprep.workspace.jobs import Step
from lungprep.workspace.records import read_record

with Step(snakemake.wildcards.patient, snakemake.log[0], snakemake.output[0]) as step:
    record = read_record(snakemake.input.record)
    grid, slicing = Grid.from_json(record["grid"]), Slicing.from_json(record.get("slicing"))
    resampled = resample(
        Volume.load(snakemake.input.volume, grid, slicing),
        snakemake.params.spacing_mm,
        interpolation=snakemake.params.interpolation,
        antialias=snakemake.params.antialias,
    )
    resampled.save(snakemake.output.volume)
    fields = {"grid": resampled.grid.to_json(), "scan_flags": record["flags"]}
    step.record(snakemake.output.record, fields)
