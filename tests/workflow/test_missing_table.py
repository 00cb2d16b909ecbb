"""Every way to be missing, in words and as a table, and what two runs at once make of an index."""

import csv
import json

from workflow.conftest import three


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def copy_sidecar(lab, patient, **change):
    """Publish P1's arrays as another patient's, whose sidecar says something else."""
    for key in three("P1"):
        lab.target.write(key.replace("P1", patient), lab.target.read(key))
    sidecar = lab.sidecar("P1")
    sidecar |= {name: {**sidecar[name], **part} for name, part in change.items()}
    lab.target.write(f"{patient}.json", json.dumps(sidecar).encode())


def test_each_state_in_words_and_as_a_table(lab):
    lab.folder.mkdir()
    cohort, table = lab.folder / "cohort.csv", lab.folder / "missing.tsv"
    lab.admit("P1")
    lab.source.write("text/LICENSE", b"words")
    cohort.write_text("patient,prefix\nP1,P1\ntext,text\n")
    config = {
        "patients": "cohort.csv",
        "missing_tsv": "missing.tsv",
        "on_bad_patient": "quarantine",
        "check_source": "true",
    }
    done = lab.run(**config)
    assert done.returncode == 0, done.stdout
    assert [(r["patient"], r["state"]) for r in rows(table)] == [("text", "quarantined")]
    assert rows(table)[0]["detail"].startswith("no CT image among 1 objects under s3://")

    for patient in ("part", "series"):
        copy_sidecar(lab, patient)
    lab.target.discard("part.lungs.npy")
    copy_sidecar(lab, "recipe", recipe={"digest": "another", "config": None})
    copy_sidecar(lab, "source", source={"digest": "another"})
    names = ["P1", "text", "new", "part", "recipe", "source", "series"]
    for name in names[2:]:
        lab.admit(name)
    listed = "".join(f"{name},{name},{'1.2.3' if name == 'series' else ''}\n" for name in names)
    cohort.write_text(f"patient,prefix,series_uid\n{listed}=1+1,odd,\n")
    words = lab.missing(**config)
    assert words == [
        "6 of 8 patients",
        "  new: missing",
        "  part: incomplete: part.lungs.npy is absent",
        "  recipe: recipe changed: its sidecar does not say how",
        "  source: source changed",
        "  series: another series is requested",
        words[-1],
    ]
    assert words[-1].startswith("  '=1+1': not usable as a patient id")
    found = {row["patient"]: (row["state"], row["detail"]) for row in rows(table)}
    assert {patient: state for patient, (state, _) in found.items()} == {
        "new": "missing",
        "part": "incomplete",
        "recipe": "recipe changed",
        "source": "source changed",
        "series": "series changed",
        "text": "quarantined",
        r"\x3d1+1": "refused",
    }
    assert found["part"] == ("incomplete", "part.lungs.npy is absent")

    table.unlink()
    refused = lab.run(**config)
    assert refused.returncode == 1
    assert "made with another recipe" in refused.stdout
    assert len(rows(table)) == 7, "a run that must not start says who is missing, too"


def test_a_table_that_cannot_be_written_stops_the_run(lab):
    lab.admit("P1")
    done = lab.run("-n", missing_tsv="nowhere/missing.tsv")
    assert done.returncode == 1
    assert "lungprep: missing_tsv " in done.stdout
    assert "Traceback" not in done.stdout


def test_two_runs_over_halves_of_a_cohort_leave_a_right_answer(lab, tmp_path):
    """Each publishes an index of what it knows; the later one lacks some of the other's."""
    runs = []
    for half in ("a", "b"):
        names = [f"{half}{n}" for n in range(2)]
        for patient in names:
            lab.admit(patient)
        machine = tmp_path / half
        machine.mkdir()
        (machine / "cohort.csv").write_text(
            "patient,prefix\n" + "".join(f"{p},{p}\n" for p in names)
        )
        runs.append(lab.start(cores=1, cwd=machine, patients="cohort.csv"))
    for run in runs:
        output, _ = run.communicate(timeout=300)
        assert run.returncode == 0, output
    assert lab.missing() == ["0 of 4 patients"]
    lab.target.write("a1.npy", b"cut")
    sidecar = json.dumps({**lab.sidecar("b0"), "recipe": {"digest": "another"}})
    lab.target.write("b0.json", sidecar.encode())
    listed = lab.missing()
    assert listed[0] == "2 of 4 patients"
    assert [line.split(": ")[:2] for line in listed[1:]] == [
        ["  a1", "incomplete"],
        ["  b0", "recipe changed"],
    ]
