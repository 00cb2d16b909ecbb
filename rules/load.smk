"""From DICOM slices to a volume of Hounsfield units.

in    objects below the patient's prefix, streamed into memory
out   hu.npy     int16 HU, (z, y, x) towards the head, the back and the patient's left
      load.json  its grid, the true positions of uneven slices, the chosen series, and the
                 objects found at the source
"""


rule load:
    """Stream the CT series of a patient and rescale it to Hounsfield units."""
    output:
        volume=temp("work/{patient}/hu.npy"),
        record=temp("work/{patient}/load.json"),
    log:
        "logs/load/{patient}.log",
    benchmark:
        "logs/load/{patient}.tsv"
    retries: RETRIES
    conda:
        "../envs/lungprep.yaml"
    resources:
        mem_mb=load_mb,
    params:
        prefix=prefix,
        series_uid=series_uid,
        s3=lookup(within=config, dpath="s3"),
        options=lookup(within=config, dpath="load"),
    script:
        "../scripts/load.py"
