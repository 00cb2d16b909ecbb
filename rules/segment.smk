"""From the resampled volume to the lungs.

in    resampled.npy, resample.json
out   lungs.npy     uint8 on the same grid: 0 outside, 1 right lung, 2 left lung
      segment.json  volumes, densities and flags
      preview.png   six planes with the outlines
"""


rule segment:
    """Find the right and the left lung, and draw them."""
    input:
        volume="work/{patient}/resampled.npy",
        record="work/{patient}/resample.json",
    output:
        lungs=temp("work/{patient}/lungs.npy"),
        record=temp("work/{patient}/segment.json"),
        preview=temp("work/{patient}/preview.png"),
    log:
        "logs/segment/{patient}.log",
    benchmark:
        "logs/segment/{patient}.tsv"
    priority: 20
    retries: RETRIES
    conda:
        "../envs/lungprep.yaml"
    threads: SESSION.sizes.segment_threads
    resources:
        mem_mb=segment_mb,
    params:
        method=lookup(within=config, dpath="segment/method"),
        weights=weights,
        min_lungs_ml=lookup(within=config, dpath="segment/min_lungs_ml"),
    script:
        "../scripts/segment.py"
