"""From the results to the target, the sidecar last.

in    resampled.npy, lungs.npy, preview.png and the records of all steps
out   target: {patient}.npy, {patient}.lungs.npy, qc/{patient}.png, {patient}.json
      published  the sidecar's content, for the index; kept until the run ends
"""


rule publish:
    """Crop, hide and scale; write volume, mask, preview and sidecar to the target."""
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
    script:
        "../scripts/publish.py"
