"""From stored values to Hounsfield units (`rescale`): the scale, LUTs, padding, plausibility."""
