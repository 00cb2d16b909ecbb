"""From the grid of the scan to the target grid.

in    hu.npy, load.json
out   resampled.npy  int16 HU on a grid of exactly resample.spacing_mm
      resample.json  that grid, and the flags of the scan
"""


rule resample:
    """Interpolate the HU volume onto the target grid."""
    input:
        volume="work/{patient}/hu.npy",
        record="work/{patient}/load.json",
    output:
        volume=temp("work/{patient}/resampled.npy"),
        record=temp("work/{patient}/resample.json"),
    log:
        "logs/resample/{patient}.log",
    benchmark:
        "logs/resample/{patient}.tsv"
    # Patients that are nearly done go first; otherwise loads run ahead and fill the disk.
    priority: 10
    retries: RETRIES
    conda:
        "../envs/lungprep.yaml"
    resources:
        mem_mb=resample_mb,
    params:
        spacing_mm=lookup(within=config, dpath="resample/spacing_mm"),
        interpolation=lookup(within=config, dpath="resample/interpolation"),
        antialias=lookup(within=config, dpath="resample/antialias"),
    script:
        "../scripts/resample.py"
