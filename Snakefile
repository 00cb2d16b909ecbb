"""lungprep: chest-CT DICOM in S3 in, training-ready .npy in S3 out.

    source/{patient}/*.dcm ─ load ─ resample ─ segment ─ publish ─ target/{patient}.npy

load       streams a patient's slices into memory and makes an int16 HU volume
resample   interpolates the volume onto a grid of 1 mm
segment    finds the right and the left lung
publish    crops to the lungs and writes volume, mask, preview and sidecar to the target
shard      does all of these for several patients, in one cluster job

The target alone decides who is done: `snakemake -n` says who is missing and why.
"""

import logging

# If the disk is full, do not print a traceback for each line of the log.
logging.raiseExceptions = False


configfile: f"{workflow.basedir}/config.yaml"


include: "rules/common.smk"


rule all:
    """Publish every patient that the target does not hold yet."""
    input:
        unpublished,


include: "rules/load.smk"
include: "rules/resample.smk"
include: "rules/segment.smk"
include: "rules/publish.smk"
include: "rules/shard.smk"
include: "rules/refuse.smk"
