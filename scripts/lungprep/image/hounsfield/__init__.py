"""From stored values to Hounsfield units.

`rescale` converts one slice; `scale`, `modality_lut`, `padding` and `declared_padding` are its
parts. `plausibility` checks the values of a whole scan.
"""
