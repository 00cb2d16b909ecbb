"""The memory that jobs may take together, as a user sees it."""

import re


def test_a_limit_beyond_the_machine_is_lowered_in_one_line(lab):
    lab.admit("P1")
    done = lab.run("--resources", "mem_mb=1000000000")
    assert done.returncode == 0, done.stdout
    (line,) = re.findall(r"this machine can spare (\d+) MB for jobs, not 1000000000.*", done.stdout)
    assert f"mem_mb={line}" in done.stdout or f'"mem_mb", {line}' in done.stdout, "what is provided"


def test_a_lower_limit_stands_and_each_job_beyond_it_is_named(lab):
    lab.admit("P1")
    done = lab.run("--resources", "mem_mb=70")
    assert done.returncode == 0, done.stdout
    assert "can spare" not in done.stdout
    pattern = r"P1: (\w+) is estimated to take (\d+) MB, but all jobs together may take 70"
    found = re.findall(pattern, done.stdout)
    assert [step for step, _ in found] == ["load", "resample", "segment", "publish"]
    for step, mb in found:
        assert 70 < int(mb) < 200, step
    assert "P1.json" in lab.published()
