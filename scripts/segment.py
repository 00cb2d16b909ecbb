"""Segment the lungs of a patient and draw a preview."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
import own_code

own_code.check()

from pathlib import Path

from lungprep.image.segmentation.methods import find_lungs
from lungprep.image.volume import Grid, Volume, extent, save_array
from lungprep.publish.preview import preview
from lungprep.workspace.jobs import Step
from lungprep.workspace.records import read_record

with Step(snakemake.wildcards.patient, snakemake.log[0], snakemake.output[0]) as step:
    record = read_record(snakemake.input.record)
    volume = Volume.load(snakemake.input.volume, Grid.from_json(record["grid"]))
    lungs = find_lungs(
        volume,
        method=snakemake.params.method,
        weights=snakemake.params.weights,
        min_lungs_ml=snakemake.params.min_lungs_ml,
        threads=snakemake.threads,
        scan_flags=record["scan_flags"],
    )
    save_array(snakemake.output.lungs, lungs.labels)
    picture = preview(volume, lungs, step.patient, scan_flags=record["scan_flags"])
    Path(snakemake.output.preview).write_bytes(picture)
    places = {"box": extent(lungs.labels), "doubt": lungs.doubt, "flags": list(lungs.flags)}
    step.record(snakemake.output.record, {**lungs.to_json(), **places})
