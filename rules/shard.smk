"""A shard of the patients in one cluster job, instead of a job per rule and patient.

in    target: _shards/{shard}.csv, the shard's list, which the run wrote
out   target: all files that publish writes for each patient, and _shards/{shard}.json: who was
      published, and why others failed
      the same record in work/, for Snakemake
"""


rule shard:
    """Run this workflow on a shard of the patients, in a scratch folder of the node."""
    output:
        "work/_shards/{shard}.json",
    log:
        "logs/shard/{shard}.log",
    wildcard_constraints:
        shard=r"[0-9a-f-]+",
    retries: SESSION.sizes.retries
    conda:
        "../envs/lungprep.yaml"
    threads: 4
    resources:
        mem_mb=shard_mb,
        runtime=shard_minutes,
    params:
        config=config,
        snakefile=workflow.main_snakefile,
    script:
        "../scripts/shard.py"
