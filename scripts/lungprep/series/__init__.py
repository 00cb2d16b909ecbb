"""From the CT slices of a patient to one volume.

`policy` says what is accepted and what is repaired; `image_types` sets localizers aside;
`candidates` forms the volumes of a series, with `acquisitions`, which takes it apart where it holds
several, and `stacking`, the gate of the geometry, which `gaps`, `shifts` and `duplicates` belong
to; `selection` prefers one candidate; `assembly` decodes it into the `geometry` of an array.
"""
