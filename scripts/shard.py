"""Run the workflow on a shard of the patients, as a job of an engine."""

import sys

sys.path.insert(0, __file__.rpartition("/")[0])
import own_code

own_code.check()

from pathlib import Path

from lungprep.shards.worker import run_shard, told_in

with told_in(snakemake.log[0], snakemake.wildcards.shard) as say:
    result = run_shard(
        snakemake.wildcards.shard,
        snakemake.params.config,
        Path(snakemake.params.snakefile),
        snakemake.threads,
        snakemake.resources.mem_mb,
        Path(snakemake.resources.tmpdir),
        say,
    )
    Path(snakemake.output[0]).write_bytes(result.to_json())
