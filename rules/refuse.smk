"""Folders and rows that no job can be made for."""


rule refuse:
    """Fail the run for folders and rows whose names can't be patient ids; its end lists them."""
    output:
        "work/_refused",
    log:
        "logs/refuse.log",
    # All others first.
    priority: -10
    localrule: True
    conda:
        "../envs/lungprep.yaml"
    shell:
        "echo 'some names of patients can not be used' > {log}; exit 1"
