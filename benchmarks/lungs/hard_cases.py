"""Phantom cases of what is hard: coarse scans, gas below a raised dome, dense bases and scars."""

from dataclasses import replace

from lungprep_demo.phantom.anatomy import Part
from lungs import consolidation, effects, raised, surroundings
from lungs.anatomy import Region
from lungs.case import Case
from lungs.chests import lying, with_parts
from lungs.painted import painted
from lungs.thorax import Thorax

RIGHT, LEFT = Region.RIGHT, Region.LEFT
COARSE = (5.0, 3.0, 3.0)
RAISED: dict[str, tuple[Part, ...]] = {
    "stomach": raised.stomach(3.0),
    "thin": raised.stomach(1.5, 40.0),
    "colon": raised.colon(3.0),
    "heart": (raised.wide_heart(), *raised.stomach(3.0)),
    "heart-thin": (raised.wide_heart(), *raised.stomach(1.0, 40.0)),
    "scatter": (raised.wide_heart(), *raised.stomach(2.0, 40.0, -965.0)),
}


def _raised(kind: str) -> Thorax:
    return with_parts(after=RAISED[kind], domes=raised.DOMES, shift_mm=-6.0)


UNDER_THE_DOME = {
    "raised-stomach": Case(lambda: _raised("stomach"), least=0.97),
    "raised-stomach-0.6": Case(lambda: _raised("stomach"), (0.6, 0.75, 0.75), least=0.97),
    "raised-stomach-5mm": Case(lambda: _raised("stomach"), (5.0, 0.75, 0.75), least=0.97),
    "raised-stomach-noise": Case(lambda: _raised("stomach"), effects=(effects.noise(80),)),
    "raised-thin": Case(lambda: _raised("thin"), least=0.97),
    "raised-thin-5mm-noise": Case(
        lambda: _raised("thin"),
        effects=(effects.scanned((5.0, 1.0, 1.0), 80),),
        least=0.97,
    ),
    "raised-colon": Case(lambda: _raised("colon"), least=0.97),
    "raised-heart": Case(lambda: _raised("heart"), least=0.97),
    "raised-heart-noise": Case(lambda: _raised("heart"), effects=(effects.noise(80),), least=0.97),
    "raised-heart-coarse": Case(
        lambda: _raised("heart"), effects=(effects.scanned(COARSE, 30),), least=0.97
    ),
    "raised-heart-thin": Case(lambda: _raised("heart-thin"), least=0.97),
    "raised-heart-thin-5mm": Case(
        lambda: _raised("heart-thin"), effects=(effects.scanned((5.0, 1.0, 1.0), 80),), least=0.96
    ),
    "raised-heart-thin-coarse": Case(
        lambda: _raised("heart-thin"), effects=(effects.scanned(COARSE, 30),), least=0.96
    ),
    "raised-scatter": Case(lambda: _raised("scatter"), least=0.97),
    "raised-scatter-noise": Case(
        lambda: _raised("scatter"), effects=(effects.noise(80),), least=0.97
    ),
    "raised-scatter-coarse": Case(
        lambda: _raised("scatter"), effects=(effects.scanned(COARSE, 30),), least=0.96
    ),
}
SCANNED_COARSELY = {
    "coarse": Case(lying, effects=(effects.scanned(COARSE, 30),), least=0.97),
    "coarse-voxels": Case(lying, COARSE, effects=(effects.noise(30),), least=0.97),
    "coarse-junction": Case(
        lambda: lying(junction_mm=1.0), effects=(effects.scanned(COARSE, 30),), least=0.96
    ),
    "coarse-stomach": Case(
        lambda: with_parts(after=surroundings.subphrenic_gas(2.0)),
        effects=(effects.scanned(COARSE, 30),),
        least=0.97,
    ),
    "coarse-painted": Case(
        lying, effects=(painted(5), effects.scanned(COARSE, 30)), least=0.97, most_over=0.03
    ),
}


def _dense(*parts: Part) -> Case:
    return Case(lambda: with_parts(*parts), least=0.9, flags=("dense_disease",))


_BASES = [*consolidation.base(RIGHT, -62.0), *consolidation.base(LEFT, -58.0)]
_SCARS = [*consolidation.apical_scars(RIGHT), *consolidation.apical_scars(LEFT, 123.0)]
DENSE = {
    "base-left": _dense(*consolidation.base(LEFT, -52.0)),
    "base-right": _dense(*consolidation.base(RIGHT, -48.0)),
    "base-right-small": _dense(*consolidation.base(RIGHT, -86.0, 0.6)),
    "bases": _dense(*_BASES),
    "bases-5mm": replace(_dense(*_BASES), spacing_mm=(5.0, 0.75, 0.75)),
    "bases-noise": replace(_dense(*_BASES), effects=(effects.noise(50),)),
    "bases-coarse": replace(_dense(*_BASES), effects=(effects.scanned(COARSE, 30),)),
    "scars": Case(lambda: with_parts(*_SCARS), least=0.97),
    "scars-coarse": Case(
        lambda: with_parts(*_SCARS), effects=(effects.scanned(COARSE, 30),), least=0.97
    ),
}
