"""What is around a chest: tables, arms, breasts; and what opens it: a tracheostomy."""

from lungprep_demo.phantom.anatomy import AIR, BONE, FAT, MUSCLE, Part
from lungprep_demo.phantom.shapes import Capsule, Ellipsoid, Plate, Solid
from lungs.anatomy import BODY, Region
from lungs.solids import Half, Outside, Stack, both


def curved_table(front: bool = False) -> tuple[Part, ...]:
    """A trough of foam in a carbon shell of 2 mm, as most scanners have."""
    sign = -1.0 if front else 1.0
    outer, inner = _cylinder(sign * -138.0, 262.0), _cylinder(sign * -140.0, 258.0)
    below = Half((0, -sign, 0), -60.0)
    shell = both(outer, Outside(inner), below, Outside(BODY))
    return (Part(shell, -150.0),)


def _cylinder(y: float, radius: float) -> Stack:
    return Stack(((-1000.0, 0.0, y, radius, radius), (1000.0, 0.0, y, radius, radius)))


def flat_table(
    y_mm: float = 123.0, skin_mm: float = 1.0, thick_mm: float = 26.0
) -> tuple[Part, ...]:
    """A sandwich plate beyond both sides of the field: the outside air is cut in two."""
    stop = y_mm + thick_mm
    return (
        _not_body(Plate(y_mm, stop), 100.0),
        _not_body(Plate(y_mm + skin_mm, stop - skin_mm), -930.0),
    )


def mattress() -> tuple[Part, ...]:
    """Foam as dense as lung, in which the patient lies, on a plate."""
    return (_not_body(Plate(70.0, 128.0), -880.0), *flat_table(128.0, 2.0, 30.0))


def _not_body(solid: Solid, hu: float) -> Part:
    return Part(both(solid, Outside(BODY)), hu)


def arms() -> tuple[Part, ...]:
    """Upper arms beside the chest, touching it."""
    parts: list[Part] = []
    for x in (-207.0, 207.0):
        start, stop = (x, 12.0, 90.0), (1.04 * x, 22.0, -400.0)
        for radius, hu in ((45.0, FAT), (39.0, MUSCLE), (13.0, BONE)):
            parts.append(_not_body(Capsule(start, stop, radius), hu))
    return tuple(parts)


def breasts() -> tuple[Part, ...]:
    """Two breasts; below each a pocket of air that tissue encloses."""
    parts: list[Part] = []
    for x in (-78.0, 78.0):
        parts.append(_not_body(Ellipsoid((x, -100.0, -28.0), (62.0, 58.0, 60.0)), FAT))
        parts.append(Part(Ellipsoid((x, -119.0, -62.0), (34.0, 5.0, 17.0)), AIR))
    return tuple(parts)


def tracheostomy() -> tuple[Part, ...]:
    """The trachea opens to the outside at the neck."""
    return (Part(Capsule((0.3, 20.0, 170.0), (0.3, -90.0, 196.0), 5.5), AIR, Region.AIRWAY),)


def subphrenic_gas(thin_mm: float) -> tuple[Part, ...]:
    """Stomach full of gas below the left dome, behind `thin_mm` of diaphragm and wall."""
    radii = (88.2 - thin_mm, 111.3 - thin_mm, 82.4 - thin_mm)
    below = Ellipsoid((68.2, -6.1, -178.3), radii)
    room = both(below, Half((0.0, 1.0, 0.0), 30.0), Half((-1.0, 0.0, 0.0), -14.0))
    body = BODY.grown(-40.0)
    return (Part(both(room, body), AIR, Region.GAS),)


def colon_gas() -> tuple[Part, ...]:
    """A loop between liver and diaphragm on the right (Chilaiditi), 2 mm below the dome."""
    below = Ellipsoid((-66.3, -8.2, -170.4), (90.1, 109.7, 82.3))
    tube = Capsule((-98.0, -48.0, -112.0), (-40.0, -62.0, -106.0), 21.0)
    return (Part(both(below, tube, BODY.grown(-26.0)), AIR, Region.GAS),)
