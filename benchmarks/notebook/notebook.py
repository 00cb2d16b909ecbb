"""The baseline: what the usual notebook for chest-CT cohorts does, as a script.

It follows the full preprocessing tutorial of the Kaggle Data Science Bowl 2017 and the
multiprocessing loops that people put around it: the patients are cut into as many chunks as there
are processes; each process gets a patient's slices from S3 one after the other, stacks them, turns
them into HU, zooms to 1 mm with cubic splines, masks the lungs (``--segment``), normalises,
centres, and uploads one float64 array.

It is here to be measured, and its flaws are part of it:

* a stored -2000 becomes 0 before the intercept is added, whatever the intercept is;
* values are cut to int16 after the slope;
* the gap of the first two slices stands for all, the z coordinate alone orders them;
* the zoom aligns the outer voxel centres, so the spacing is only nearly 1 mm;
* what is outside the body is what touches the array's first voxel;
* a broken stream or an odd patient ends the whole chunk, and nothing can be resumed.

Usage: ``notebook.py BUCKET SOURCE/ TARGET/ --processes 2 --segment``, with the endpoint and the
credentials in the standard ``AWS_*`` variables. No thread count is set, here or for lungprep.
"""

import argparse
import io
import tempfile
from multiprocessing import Process
from pathlib import Path

import boto3
import numpy as np
import pydicom
from scipy import ndimage
from skimage import measure


def read_slices(bucket, prefix):
    """Get and parse every object of a patient, one by one; keep the CT images, lowest z first."""
    read = []
    for summary in bucket.objects.filter(Prefix=prefix):
        dataset = pydicom.dcmread(io.BytesIO(summary.get()["Body"].read()))
        if dataset.get("Modality") == "CT" and "PixelData" in dataset:
            read.append(dataset)
    return sorted(read, key=lambda dataset: float(dataset.ImagePositionPatient[2]))


def hounsfield(slices):
    """Stack to int16 HU (z, y, x), as the tutorial does; the spacing in mm comes along."""
    image = np.stack([dataset.pixel_array for dataset in slices]).astype(np.int16)
    image[image == -2000] = 0
    for plane, dataset in zip(image, slices, strict=True):
        if dataset.RescaleSlope != 1:
            plane[:] = (float(dataset.RescaleSlope) * plane.astype(np.float64)).astype(np.int16)
        plane += np.int16(dataset.RescaleIntercept)
    first, second = (float(dataset.ImagePositionPatient[2]) for dataset in slices[:2])
    return image, np.array([abs(second - first), *map(float, slices[0].PixelSpacing)])


def zoom_to_1mm(image, spacing):
    """Cubic splines onto about 1 mm in all directions."""
    factor = np.round(image.shape * spacing) / image.shape
    return ndimage.zoom(image, factor, mode="nearest")


def segment_lungs(image):
    """Threshold at -320 HU, drop the outside, fill per slice, keep the largest part: 0 or 1."""
    tissue = (image > -320).astype(np.int8) + np.int8(1)
    components = measure.label(tissue)
    tissue[components == components[0, 0, 0]] = 2
    for plane in tissue:
        parts = measure.label(plane - 1)
        sizes = np.bincount(parts[plane == 2].ravel())
        if sizes.size:
            plane[parts != sizes.argmax()] = 1
    lungs = 2 - tissue
    components = measure.label(lungs, background=0)
    sizes = np.bincount(components.ravel())
    sizes[0] = 0
    lungs[components != sizes.argmax()] = 0
    return lungs


def process_chunk(patients, options):
    """Do one process's share of the patients."""
    bucket = boto3.resource("s3").Bucket(options.bucket)
    for patient in patients:
        image = zoom_to_1mm(*hounsfield(read_slices(bucket, f"{options.source}{patient}/")))
        lungs = segment_lungs(image) if options.segment else 1
        image = (np.clip((image + 1000.0) / 1400.0, 0, 1) - 0.25) * lungs
        with tempfile.TemporaryDirectory() as folder:
            saved = Path(folder, f"{patient}.npy")
            np.save(saved, image)
            bucket.upload_file(str(saved), f"{options.target}{patient}.npy")
        print(patient, image.shape, image.dtype, flush=True)


def main():
    """Cut the cohort into chunks and run them side by side."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bucket", help="bucket of source and target")
    parser.add_argument("source", help="prefix of the patients, with a final slash")
    parser.add_argument("target", help="prefix of the results, with a final slash")
    parser.add_argument("--processes", type=int, default=2, help="patients at a time")
    parser.add_argument("--segment", action="store_true", help="mask the lungs")
    options = parser.parse_args()
    objects = boto3.resource("s3").Bucket(options.bucket).objects.filter(Prefix=options.source)
    patients = sorted({o.key.removeprefix(options.source).split("/")[0] for o in objects})
    running = [
        Process(target=process_chunk, args=(chunk.tolist(), options))
        for chunk in np.array_split(patients, options.processes)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join()
    raise SystemExit(max(abs(process.exitcode) for process in running))


if __name__ == "__main__":
    main()
