"""Convolution kernels, soft or sharp, by the names that the vendors give them."""

import re
from typing import Literal

Sharpness = Literal["soft", "sharp", "unknown"]

# Siemens: the number grows with the sharpness; 50 and more are for lung and bone (Somatom
# operating instructions, body kernels).
SIEMENS = re.compile(r"[A-Z]{1,2}(\d\d)[A-Z]?")
# Toshiba and Canon: FC01 to FC29 for body and head, from FC30 on for lung and bone.
TOSHIBA = re.compile(r"FC(\d\d).*")
SOFT = {"STANDARD", "SOFT", "CHEST", "DETAIL", "STND", "STD", "STD+", "A", "B", "C", "BODY"}
SHARP = {"LUNG", "BONE", "BONEPLUS", "EDGE", "ULTRA", "D", "E", "L", "YA", "YB", "YC", "YD"}


def sharpness(kernel: str) -> Sharpness:
    """Class a ConvolutionKernel (0018,1210).

    Parameters
    ----------
    kernel : str
        The tag's value; of several values (Siemens adds the strength of an iterative method) the
        first counts.

    Returns
    -------
    {"soft", "sharp", "unknown"}
        Sharp are the kernels that the vendors offer for lung and bone.
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
