"""The phantom cases by name."""

from collections.abc import Callable
from dataclasses import replace

from lungprep.image.volume import Triple
from lungprep_demo.phantom.anatomy import Part
from lungs import disease, effects, surroundings
from lungs.anatomy import Region
from lungs.case import Case
from lungs.painted import painted
from lungs.rendering import CHEST, Box
from lungs.thorax import LONG_JUNCTIONS, Thorax
from lungs.wholebody import abdomen, head, whole_body

RIGHT, LEFT = Region.RIGHT, Region.LEFT
SIZES = (5.0, 30.0, 8.0, 22.0, 6.0, 26.0, 10.0, 18.0, 14.0, 12.0)


def _lying(**options: object) -> Thorax:
    return replace(Thorax(before=surroundings.curved_table()), **options)  # type: ignore[arg-type]


def _nodules(kind: str, depth: float, hu: float = 40.0) -> Thorax:
    solids = disease.on_surface(Thorax(), kind, SIZES, depth)
    return _lying().with_lesions(hu, *solids)


def _tumour(kind: str, diameter: float, depth: float = 0.3) -> Thorax:
    solids = disease.on_surface(Thorax(), kind, (diameter, diameter), depth, int(diameter))
    return _lying().with_lesions(35.0, *solids)


def _with(*in_lungs: Part, after: tuple[Part, ...] = (), **options: object) -> Thorax:
    return _lying(**options).plus(*in_lungs, after=after)


def _box(low: Triple | None = None, high: Triple | None = None) -> Box:
    return low or CHEST[0], high or CHEST[1]


def _around(*parts: Part) -> Callable[[], Thorax]:
    return lambda: Thorax(before=parts)


WIDE = _box((-262.0, -136.0, -186.0), (262.0, 164.0, 166.0))
BUST = _box((-186.0, -170.0, -186.0), (186.0, 164.0, 166.0))
NECK = _box(None, (186.0, 164.0, 226.0))

BASIC = {
    "plain": Case(lambda: Thorax(trees=False)),
    "vessels": Case(_lying),
    "noise-20": Case(_lying, effects=(effects.noise(20),)),
    "noise-80": Case(_lying, effects=(effects.noise(80),)),
    "kernel-soft": Case(_lying, effects=(effects.soft(1.0),)),
    "kernel-sharp": Case(_lying, effects=(effects.noise(10), effects.sharp())),
    "field-circle": Case(_lying, effects=(effects.circle(172.0),)),
    "field-narrow": Case(
        _lying, effects=(effects.circle(118.0),), least=0.97, flags=("touches_field_border",)
    ),
    "field-half": Case(
        _lying,
        box=_box((-90.0, -136.0, -186.0)),
        least=0.97,
        flags=("touches_field_border",),
    ),
    "metal-spine": Case(_lying, effects=(effects.streaks(5, 80, (-60, 20), 400),)),
    "metal-pacer": Case(_lying, effects=(effects.streaks(90, -92, (40, 90), 600),)),
    "cut-top": Case(_lying, box=_box(None, (186.0, 164.0, 60.0)), flags=("incomplete_coverage",)),
    "cut-bottom": Case(_lying, box=_box((-186.0, -136.0, -60.0)), flags=("incomplete_coverage",)),
    "slices-0.6": Case(_lying, spacing_mm=(0.6, 0.75, 0.75)),
    "slices-2.5": Case(_lying, spacing_mm=(2.5, 0.75, 0.75)),
    "slices-5": Case(_lying, spacing_mm=(5.0, 0.75, 0.75)),
    "slices-10": Case(_lying, spacing_mm=(10.0, 0.75, 0.75), least=0.97),
    "child": Case(lambda: _lying(scale=0.6)),
    "large": Case(lambda: _lying(scale=1.2)),
    "prone": Case(_around(*surroundings.curved_table(front=True))),
    "table-flat": Case(_around(*surroundings.flat_table())),
    "table-touching": Case(_around(*surroundings.flat_table(116.0, 2.0))),
    "mattress": Case(_around(*surroundings.mattress())),
    "arms-down": Case(_around(*surroundings.arms(), *surroundings.flat_table()), box=WIDE),
    "breasts": Case(_around(*surroundings.breasts(), *surroundings.flat_table()), box=BUST),
    "tracheostomy": Case(lambda: _with(after=surroundings.tracheostomy()), box=NECK),
    "stomach-1mm": Case(lambda: _with(after=surroundings.subphrenic_gas(1.0))),
    "stomach-2mm": Case(lambda: _with(after=surroundings.subphrenic_gas(2.0))),
    "stomach-1mm-5mm": Case(
        lambda: _with(after=surroundings.subphrenic_gas(1.0)), spacing_mm=(5.0, 0.75, 0.75)
    ),
    "colon": Case(lambda: _with(after=surroundings.colon_gas())),
    "junction-1": Case(lambda: _lying(junction_mm=1.0)),
    "junction-2": Case(lambda: _lying(junction_mm=2.0)),
    "junction-3": Case(lambda: _lying(junction_mm=3.0)),
    "junction-1-5mm": Case(lambda: _lying(junction_mm=1.0), spacing_mm=(5.0, 0.75, 0.75)),
    "junction-long-1": Case(lambda: _lying(junction_mm=1.0, junctions=LONG_JUNCTIONS), least=0.96),
    "junction-long-3": Case(lambda: _lying(junction_mm=3.0, junctions=LONG_JUNCTIONS)),
    "junction-1-noise": Case(lambda: _lying(junction_mm=1.0), effects=(effects.noise(50),)),
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
        lambda: _with(*(disease.crescent(s, 22.0) for s in (RIGHT, LEFT))), least=0.96
    ),
    "effusion-basal": Case(
        lambda: _with(disease.basal_fluid(LEFT, -72.0)), least=0.96, flags=("dense_disease",)
    ),
    "consolidation": Case(lambda: _with(disease.lower_lobe(LEFT, 40.0)), least=None),
    "consolidation-part": Case(lambda: _with(disease.lower_lobe(LEFT, -350.0)), least=0.96),
    "pneumonectomy": Case(
        lambda: _lying(absent=(LEFT,), shift_mm=32.0), least=0.97, flags=("lopsided_lungs",)
    ),
    "one-lung-right-absent": Case(
        lambda: _lying(absent=(RIGHT,), shift_mm=-28.0), least=0.97, flags=("lopsided_lungs",)
    ),
    "shift": Case(lambda: _lying(shift_mm=25.0, junction_mm=3.0)),
    "pneumothorax-rim": Case(lambda: _with(*disease.pneumothorax(LEFT, 18.0)), least=0.96),
    "pneumothorax-collapse": Case(lambda: _with(*disease.collapse(RIGHT)), least=None),
    "emphysema": Case(
        lambda: _with(
            *(h for s in (RIGHT, LEFT) for h in disease.holes(s, 90, (4, 11), -970.0)),
            lung_hu=-925.0,
        )
    ),
    "bullae": Case(
        lambda: _with(
            *(h for s in (RIGHT, LEFT) for h in disease.holes(s, 5, (18, 34), -1000.0)),
            lung_hu=-900.0,
        )
    ),
}
PAINTED = {f"painted-{seed}": Case(_lying, effects=(painted(seed),)) for seed in (1, 2, 3)}
PAINTED["painted-5mm"] = Case(_lying, (5.0, 0.75, 0.75), effects=(painted(4),))
BODIES = {
    "whole-body": Case(
        whole_body,
        spacing_mm=(2.0, 1.5, 1.5),
        box=((-210.0, -136.0, -760.0), (210.0, 150.0, 420.0)),
    ),
    "abdomen": Case(
        abdomen,
        spacing_mm=(2.0, 1.0, 1.0),
        box=((-190.0, -136.0, -560.0), (190.0, 150.0, -180.0)),
        error="NoLungsFound",
    ),
    "abdomen-ileus": Case(
        lambda: abdomen(wide=1.45),
        spacing_mm=(2.0, 1.0, 1.0),
        box=((-190.0, -136.0, -560.0), (190.0, 150.0, -180.0)),
        error="NoLungsFound",
    ),
    "abdomen-bases": Case(
        abdomen,
        spacing_mm=(2.0, 1.0, 1.0),
        box=((-190.0, -136.0, -560.0), (190.0, 150.0, -50.0)),
        flags=("incomplete_coverage",),
    ),
    "head": Case(
        head,
        box=((-110.0, -136.0, 212.0), (110.0, 150.0, 420.0)),
        error="NoLungsFound",
    ),
}
CASES: dict[str, Case] = {**BASIC, **NODULES, **TUMOURS, **PAINTED, **DISEASE, **BODIES}
