"""From a patient's objects to voxels: this folder is what the recipe's digest is about.

`loading` reads the objects and builds the volume, `resampling` puts it onto a grid,
`segmentation` finds the lungs, `export` crops and writes arrays. Below `loading` lie `dicom`
(what an object says), `series` (which slices belong together), `coherence` (whether their pixels
do, too), `pixels` (decoding) and `hounsfield` (stored values to HU).
"""
