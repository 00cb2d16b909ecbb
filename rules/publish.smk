"""Results to the target, the receipt last.

in    resampled.npy, lungs.npy, preview.png and the records of all steps
out   target: {patient}.npy, {patient}.lungs.npy, qc/{patient}.png, {patient}.json
      published  what the receipt says, for the index; it lives as long as the run
"""


rule publish:
    """Crop, hide, scale; write volume, mask, preview and receipt to the target."""
    input:
        volume="work/{patient}/resampled.npy",
        lungs="work/{patient}/lungs.npy",
        preview="work/{patient}/preview.png",
        load="work/{patient}/load.json",
        resample="work/{patient}/resample.json",
        segment="work/{patient}/segment.json",
    output:
        "work/{patient}/published",
    log:
        "logs/publish/{patient}.log",
    benchmark:
        "logs/publish/{patient}.tsv"
    priority: 30
    retries: RETRIES
    conda:
        "../envs/lungprep.yaml"
    resources:
        mem_mb=publish_mb,
    params:
        target=target,
        s3=lookup(within=config, dpath="s3"),
        options=export_options(config),
        recipe=recipe(config),
        series_uid=series_uid,
        code=code_version("publish"),
    script:
        "../scripts/publish.py"
