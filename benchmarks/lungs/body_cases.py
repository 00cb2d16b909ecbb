"""Phantom cases of other bodies: from head to knees, without lungs, small, with one lung."""

from dataclasses import replace

from lungprep_demo.phantom.shapes import Ellipsoid
from lungs import disease, effects
from lungs.anatomy import LEFT_DOME, Region
from lungs.case import Case
from lungs.chests import lying, with_parts
from lungs.rendering import Box
from lungs.thorax import Thorax
from lungs.wholebody import abdomen, head, whole_body

RIGHT, LEFT = Region.RIGHT, Region.LEFT
ABDOMEN: Box = ((-190.0, -136.0, -560.0), (190.0, 150.0, -180.0))
HEAD: Box = ((-110.0, -136.0, 212.0), (110.0, 150.0, 420.0))
#: Size of an adult's: both lungs of the first hold 0.08 l, of the last 0.5 l.
NEWBORN, INFANT, TODDLER = 0.24, 0.32, 0.44


#: Of what is left of a right lung after surgery.
_HIGH_DOME = Ellipsoid((-66.3, -8.2, -170.4), (118.0, 111.7, 262.0))


def _ileus() -> Thorax:
    return abdomen(wide=1.45)


def _scaled(thorax: Thorax, scale: float) -> Thorax:
    return replace(thorax, scale=scale)


def _small(scale: float, **options: object) -> Case:
    return Case(
        lambda: lying(scale=scale, **options),
        least=0.9,
        flags=("unusual_lung_volume",),
        most_over=None,
    )


BODIES = {
    "whole-body": Case(
        whole_body,
        spacing_mm=(2.0, 1.5, 1.5),
        box=((-210.0, -136.0, -760.0), (210.0, 150.0, 420.0)),
    ),
    "abdomen": Case(abdomen, (2.0, 1.0, 1.0), ABDOMEN, error="NoLungsFound"),
    "abdomen-ileus": Case(_ileus, (2.0, 1.0, 1.0), ABDOMEN, error="NoLungsFound"),
    "abdomen-bases": Case(
        abdomen,
        spacing_mm=(2.0, 1.0, 1.0),
        box=((-190.0, -136.0, -560.0), (190.0, 150.0, -50.0)),
        flags=("incomplete_coverage",),
    ),
    "head": Case(
        head,
        box=HEAD,
        error="NoLungsFound",
    ),
}
SMALL = {
    "newborn": _small(NEWBORN),
    "newborn-0.5": replace(_small(NEWBORN), spacing_mm=(0.5, 0.5, 0.5)),
    "infant": _small(INFANT),
    "infant-5mm": replace(_small(INFANT), effects=(effects.scanned((5.0, 1.0, 1.0), 15),)),
    "toddler": _small(TODDLER),
    "toddler-noise": replace(_small(TODDLER), effects=(effects.noise(50),)),
    "infant-one-lung": _small(INFANT, absent=(LEFT,), shift_mm=32.0),
    "child-one-lung": _small(0.55, absent=(RIGHT,), shift_mm=-28.0),
    "infant-base": replace(
        _small(INFANT), thorax=lambda: _scaled(with_parts(disease.lower_lobe(LEFT, 40.0)), INFANT)
    ),
    "after-surgery": Case(
        lambda: lying(absent=(LEFT,), shift_mm=12.0, domes=(_HIGH_DOME, LEFT_DOME)),
        least=0.95,
        flags=("lopsided_lungs", "unusual_lung_volume"),
    ),
    **{
        f"{name}-{age}": Case(
            lambda make=make, scale=scale: _scaled(make(), scale),  # type: ignore[misc]
            box=box,
            error="NoLungsFound",
        )
        for age, scale in (("newborn", NEWBORN), ("toddler", TODDLER), ("child", 0.6))
        for name, make, box in (
            ("abdomen", abdomen, ABDOMEN),
            ("abdomen-ileus", _ileus, ABDOMEN),
            ("head", head, HEAD),
        )
    },
    "head-infant": Case(lambda: _scaled(head(), 0.62), box=HEAD, error="NoLungsFound"),
}
