"""The phantom cases by name."""

from collections.abc import Callable

from lungprep.image.volume import Triple
from lungprep_demo.phantom.anatomy import Part
from lungs import disease, effects, surroundings
from lungs.anatomy import Region
from lungs.body_cases import BODIES, SMALL
from lungs.case import Case
from lungs.chests import lying, with_parts
from lungs.hard_cases import DENSE, SCANNED_COARSELY, UNDER_THE_DOME
from lungs.painted import painted
from lungs.rendering import CHEST, Box
from lungs.thorax import LONG_JUNCTIONS, Thorax

RIGHT, LEFT = Region.RIGHT, Region.LEFT
SIZES = (5.0, 30.0, 8.0, 22.0, 6.0, 26.0, 10.0, 18.0, 14.0, 12.0)


def _nodules(kind: str, depth: float, hu: float = 40.0) -> Thorax:
    solids = disease.on_surface(Thorax(), kind, SIZES, depth)
    return lying().with_lesions(hu, *solids)


def _tumour(kind: str, diameter: float, depth: float = 0.3) -> Thorax:
    solids = disease.on_surface(Thorax(), kind, (diameter, diameter), depth, int(diameter))
    return lying().with_lesions(35.0, *solids)


def _box(low: Triple | None = None, high: Triple | None = None) -> Box:
    return low or CHEST[0], high or CHEST[1]


def _around(*parts: Part) -> Callable[[], Thorax]:
    return lambda: Thorax(before=parts)


WIDE = _box((-262.0, -136.0, -186.0), (262.0, 164.0, 166.0))
BUST = _box((-186.0, -170.0, -186.0), (186.0, 164.0, 166.0))
NECK = _box(None, (186.0, 164.0, 226.0))

BASIC = {
    "plain": Case(lambda: Thorax(trees=False)),
    "vessels": Case(lying),
    "noise-20": Case(lying, effects=(effects.noise(20),)),
    "noise-80": Case(lying, effects=(effects.noise(80),)),
    "kernel-soft": Case(lying, effects=(effects.soft(1.0),)),
    "kernel-sharp": Case(lying, effects=(effects.noise(10), effects.sharp())),
    "field-circle": Case(lying, effects=(effects.circle(172.0),)),
    "field-narrow": Case(
        lying, effects=(effects.circle(118.0),), least=0.97, flags=("touches_field_border",)
    ),
    "field-half": Case(
        lying,
        box=_box((-90.0, -136.0, -186.0)),
        least=0.97,
        flags=("touches_field_border",),
    ),
    "metal-spine": Case(lying, effects=(effects.streaks(5, 80, (-60, 20), 400),)),
    "metal-pacer": Case(lying, effects=(effects.streaks(90, -92, (40, 90), 600),)),
    "cut-top": Case(lying, box=_box(None, (186.0, 164.0, 60.0)), flags=("incomplete_coverage",)),
    "cut-bottom": Case(lying, box=_box((-186.0, -136.0, -60.0)), flags=("incomplete_coverage",)),
    "slices-0.6": Case(lying, spacing_mm=(0.6, 0.75, 0.75)),
    "slices-2.5": Case(lying, spacing_mm=(2.5, 0.75, 0.75)),
    "slices-5": Case(lying, spacing_mm=(5.0, 0.75, 0.75)),
    "slices-10": Case(lying, spacing_mm=(10.0, 0.75, 0.75), least=0.97),
    "child": Case(lambda: lying(scale=0.6)),
    "large": Case(lambda: lying(scale=1.2)),
    "prone": Case(_around(*surroundings.curved_table(front=True))),
    "table-flat": Case(_around(*surroundings.flat_table())),
    "table-touching": Case(_around(*surroundings.flat_table(116.0, 2.0))),
    "mattress": Case(_around(*surroundings.mattress())),
    "arms-down": Case(_around(*surroundings.arms(), *surroundings.flat_table()), box=WIDE),
    "breasts": Case(_around(*surroundings.breasts(), *surroundings.flat_table()), box=BUST),
    "tracheostomy": Case(lambda: with_parts(after=surroundings.tracheostomy()), box=NECK),
    "stomach-1mm": Case(lambda: with_parts(after=surroundings.subphrenic_gas(1.0))),
    "stomach-2mm": Case(lambda: with_parts(after=surroundings.subphrenic_gas(2.0))),
    "stomach-1mm-5mm": Case(
        lambda: with_parts(after=surroundings.subphrenic_gas(1.0)), spacing_mm=(5.0, 0.75, 0.75)
    ),
    "colon": Case(lambda: with_parts(after=surroundings.colon_gas())),
    "junction-1": Case(lambda: lying(junction_mm=1.0)),
    "junction-2": Case(lambda: lying(junction_mm=2.0)),
    "junction-3": Case(lambda: lying(junction_mm=3.0)),
    "junction-1-5mm": Case(lambda: lying(junction_mm=1.0), spacing_mm=(5.0, 0.75, 0.75)),
    "junction-long-1": Case(lambda: lying(junction_mm=1.0, junctions=LONG_JUNCTIONS), least=0.96),
    "junction-long-3": Case(lambda: lying(junction_mm=3.0, junctions=LONG_JUNCTIONS)),
    "junction-1-noise": Case(lambda: lying(junction_mm=1.0), effects=(effects.noise(50),)),
}

NODULES = {
    f"nodules-{kind}-{place}{suffix}": Case(
        lambda kind=kind, depth=depth, hu=hu: _nodules(kind, depth, hu)
    )
    for hu, suffix in ((40.0, ""), (-600.0, "-ggo"))
    for place, depth in (("centred", 0.0), ("inside", 1.0))
    for kind in ("costal", "mediastinal", "diaphragmatic")
    if not (suffix and kind != "costal")
}
TUMOURS = {
    f"tumour-{kind}-{size}": Case(
        lambda kind=kind, size=size: _tumour(kind, float(size)),
        least=0.985 if size <= 30 else 0.96,
    )
    for kind, sizes in (("costal", (10, 20, 30, 40, 60)), ("mediastinal", (30, 50)))
    for size in sizes
}
DISEASE = {
    "effusion-crescent": Case(
        lambda: with_parts(*(disease.crescent(s, 22.0) for s in (RIGHT, LEFT))), least=0.96
    ),
    "effusion-basal": Case(
        lambda: with_parts(disease.basal_fluid(LEFT, -72.0)), least=0.96, flags=("dense_disease",)
    ),
    # Nothing shows where such a lobe ends beside the aorta.
    "consolidation": Case(lambda: with_parts(disease.lower_lobe(LEFT, 40.0)), least=0.9),
    "consolidation-part": Case(lambda: with_parts(disease.lower_lobe(LEFT, -350.0)), least=0.96),
    "pneumonectomy": Case(
        lambda: lying(absent=(LEFT,), shift_mm=32.0), least=0.97, flags=("lopsided_lungs",)
    ),
    "one-lung-right-absent": Case(
        lambda: lying(absent=(RIGHT,), shift_mm=-28.0), least=0.97, flags=("lopsided_lungs",)
    ),
    "shift": Case(lambda: lying(shift_mm=25.0, junction_mm=3.0)),
    "pneumothorax-rim": Case(lambda: with_parts(*disease.pneumothorax(LEFT, 18.0)), least=0.96),
    "pneumothorax-collapse": Case(lambda: with_parts(*disease.collapse(RIGHT)), least=None),
    "emphysema": Case(
        lambda: with_parts(
            *(h for s in (RIGHT, LEFT) for h in disease.holes(s, 90, (4, 11), -970.0)),
            lung_hu=-925.0,
        )
    ),
    "bullae": Case(
        lambda: with_parts(
            *(h for s in (RIGHT, LEFT) for h in disease.holes(s, 5, (18, 34), -1000.0)),
            lung_hu=-900.0,
        )
    ),
}
PAINTED = {f"painted-{seed}": Case(lying, effects=(painted(seed),)) for seed in (1, 2, 3)}
PAINTED["painted-5mm"] = Case(lying, (5.0, 0.75, 0.75), effects=(painted(4),))
CASES: dict[str, Case] = {
    **BASIC,
    **SCANNED_COARSELY,
    **UNDER_THE_DOME,
    **NODULES,
    **TUMOURS,
    **PAINTED,
    **DISEASE,
    **DENSE,
    **BODIES,
    **SMALL,
}
