"""From a slice to its stored values.

`stored` decodes a slice; `encapsulation` finds its encoded frame, `codestream`, `jpeg2000` and
`jpeg_lossless` check the stream, `decoders` and `rle` decode it, and `cells` reads the values.
"""
