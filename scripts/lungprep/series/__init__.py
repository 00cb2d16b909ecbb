"""From the CT slices of a patient to one volume.

`policy` says what is accepted and what is repaired. `persons` checks, with `identities`, that all
images are of one person. `image_types` sets localizers aside and names what is computed.
`candidates` forms the volumes of a series, with `acquisitions`, which takes it apart where it holds
several (`interleaving` asks the pixels), and `stacking`, the gate of the geometry, which `gaps`,
`shifts` and `duplicates` belong to; `joining` puts a scan together that was split into several
series, its `parts`.

`selection` takes one of the volumes. Where there are several, `lung_content` looks at a few slices
of each, with `lung_planes`; `contenders` has the criteria, `examinations` the days, `preference`
the choice and `alternatives` what is said of the others. `assembly` decodes the volume into the
`geometry` of an array, less the `blanks`, and compares `neighbours`.
"""
