"""From the CT slices of a patient to one volume.

`policy` holds the options: what is accepted, repaired and refused. `persons` checks that all images
are of one person (`identities` compares them). `image_types` sets localizers aside and recognises
computed images. `candidates` forms the volumes of a series: `acquisitions` splits a series that
holds several (`interleaving` checks the pixels), and `stacking` checks the geometry, with `gaps`,
`shifts` and `duplicates`. `joining` joins a scan that was split into several series, its `parts`.

`selection` chooses one of the volumes. If there are several, `lung_content` examines a few slices
of each, with `lung_planes`; `contenders` has the criteria, `examinations` groups the volumes by
day, `preference` chooses, and `alternatives` flags the other choices. `assembly` decodes the volume
into an array with the right `geometry`, drops the `blanks`, and compares `neighbours`.
"""
