"""Classify convolution kernels as soft or sharp by their vendors' names."""

import re
from typing import Literal

Sharpness = Literal["soft", "sharp", "unknown"]

# Siemens: the number grows with the sharpness; kernels from 50 on are for lung and bone (Somatom
# operating instructions, body kernels).
SIEMENS = re.compile(r"[A-Z]{1,2}(\d\d)[A-Z]?")
# Toshiba and Canon: FC01 to FC29 are for body and head, kernels from FC30 on for lung and bone.
TOSHIBA = re.compile(r"FC(\d\d).*")
SOFT = {"STANDARD", "SOFT", "CHEST", "DETAIL", "STND", "STD", "STD+", "A", "B", "C", "BODY"}
SHARP = {"LUNG", "BONE", "BONEPLUS", "EDGE", "ULTRA", "D", "E", "L", "YA", "YB", "YC", "YD"}


def sharpness(kernel: str) -> Sharpness:
    """Classify a ConvolutionKernel (0018,1210).

    Parameters
    ----------
    kernel : str
        Value of the tag. Only the first of several values counts (Siemens adds the strength of an
        iterative method).

    Returns
    -------
    {"soft", "sharp", "unknown"}
        ``sharp`` for the kernels that vendors offer for lung and bone.

    Examples
    --------
    >>> sharpness("B30f"), sharpness("BONEPLUS"), sharpness("FC51"), sharpness("")
    ('soft', 'sharp', 'sharp', 'unknown')
    """
    name = kernel.upper().split("\\")[0].strip()
    if name in SOFT:
        return "soft"
    if name in SHARP:
        return "sharp"
    siemens, toshiba = SIEMENS.fullmatch(name), TOSHIBA.fullmatch(name)
    if siemens:
        return "sharp" if int(siemens[1]) >= 50 else "soft"
    if toshiba:
        return "soft" if int(toshiba[1]) < 30 else "sharp"
    return "unknown"
