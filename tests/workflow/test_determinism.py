"""Same objects and recipe, same bytes: whatever cores, threads, hash seeds, names and stores."""

import random
from dataclasses import replace

from lungprep_demo.phantom import chest, slices
from workflow.conftest import COARSE

PATIENTS = {
    "thin": COARSE,
    "feet": replace(COARSE, orientation="FFP", signed=False, bits_stored=12, gap_mm=5),
    "jpeg": replace(COARSE, transfer_syntax="1.2.840.10008.1.2.4.80"),
}
# What may differ: the bill, and what names the place, the names and the times of the objects.
BILL = {"steps"}
PLACE = {"prefix", "digest"}
# One processor's kernels are at hand here, or more; numpy's and OpenBLAS's own choice is that of
# this one.
THIS_CPU = {"OPENBLAS_CORETYPE": ""}
OTHER_CPU = {
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


def shuffled(files, seed):
    """The same contents under names whose order is another."""
    numbers = list(range(len(files)))
    random.Random(seed).shuffle(numbers)  # noqa: S311
    return [(f"IM{n:05d}", content) for n, (_, content) in zip(numbers, files, strict=True)]


def result(lab, *, same_objects):
    """All that a run published: arrays and pictures by their bytes, sidecars by their fields."""
    found = {}
    for entry in lab.target.entries(below=True):
        if entry.key.endswith((".npy", ".png")):
            found[entry.key] = lab.target.read(entry.key)
        elif entry.key.removesuffix(".json") in PATIENTS:
            sidecar = lab.sidecar(entry.key.removesuffix(".json"))
            left_out = set() if same_objects else PLACE
            sidecar["source"] = {k: v for k, v in sidecar["source"].items() if k not in left_out}
            found[entry.key] = {k: v for k, v in sidecar.items() if k not in BILL}
    assert len(found) == 4 * len(PATIENTS)
    return found


def test_same_bytes_on_any_machine(lab, folder, tmp_path):
    files = {patient: list(slices(chest(), scan)) for patient, scan in PATIENTS.items()}
    for patient, of_patient in files.items():
        lab.admit(patient, of_patient)

    def run(side, cores, seed, threads, cpu, *, same_objects):
        lab.target = folder(f"npy-{side}")
        environ = {"PYTHONHASHSEED": str(seed), **dict.fromkeys(THREADS, str(threads)), **cpu}
        done = lab.run(cores=cores, environ=environ, cwd=tmp_path / side)
        assert done.returncode == 0, done.stdout
        return result(lab, same_objects=same_objects)

    one = run("one", 1, 0, 1, THIS_CPU, same_objects=True)
    assert run("eight", 8, 1234, 4, THIS_CPU, same_objects=True) == one
    for key in one:
        if key.endswith(".json"):
            one[key]["source"] = {k: v for k, v in one[key]["source"].items() if k not in PLACE}
    lab.source = folder("dicom")
    for patient, of_patient in files.items():
        lab.admit(patient, shuffled(of_patient, patient))
    other = run("folder", 8, 99, 3, OTHER_CPU, same_objects=False)
    assert [key for key in one if other[key] != one[key]] == []
