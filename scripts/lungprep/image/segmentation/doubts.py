"""When not to trust a lung mask."""

from lungprep.image.segmentation.findings import Findings

# Adults: 4.5 ± 1.3 l in inspiration, the left lung 0.8 to 0.9 of the right one.
_USUAL_ML = (1500.0, 8500.0)
_USUAL_LEFT_TO_RIGHT = (0.5, 2.0)
_USUAL_HU = (-950.0, -600.0)
# A tumour of 40 mm; a bulge of the aorta is smaller.
_LARGE_LESION_ML = 30.0
# Real lungs have gaps of a few mm and recesses of 20 and more; lungs like eggs, 14 and -18.
_USUAL_GAP_MM, _USUAL_RECESS_MM = 16.0, -22.0
# The liver holds the right dome of the diaphragm some 10 mm above the left one.
_USUAL_STEP_MM = (-35.0, 20.0)


def flags(findings: Findings) -> tuple[str, ...]:
    """Typed warnings, each a reason to look at the mask before it is trusted."""
    total = findings.right_ml + findings.left_ml
    low, high = _USUAL_LEFT_TO_RIGHT
    touches = set(findings.touches)
    gaps = (findings.right_rib_gap_mm, findings.left_rib_gap_mm)
    recesses = (findings.right_recess_mm, findings.left_recess_mm)
    dense = (findings.largest_lesion_ml or 0) >= _LARGE_LESION_ML
    dense |= (findings.collapsed_ml or 0) > 0
    dense |= any(gap is not None and gap > _USUAL_GAP_MM for gap in gaps)
    if "feet" not in touches:
        dense |= any(depth is not None and depth < _USUAL_RECESS_MM for depth in recesses)
        low_mm, high_mm = _USUAL_STEP_MM
        dense |= not low_mm <= (findings.base_step_mm or 0) <= high_mm
    doubts = {
        "unusual_lung_volume": not _USUAL_ML[0] <= total <= _USUAL_ML[1],
        "lopsided_lungs": not low * findings.right_ml
        <= findings.left_ml
        <= high * findings.right_ml,
        "touches_field_border": bool(touches - {"feet", "head"}),
        "incomplete_coverage": bool(touches & {"feet", "head"}),
        "unusual_lung_density": findings.mean_hu is not None
        and not _USUAL_HU[0] <= findings.mean_hu <= _USUAL_HU[1],
        "no_airway_found": findings.airway_ml == 0,
        "dense_disease": dense,
        "free_gas": (findings.pleural_gas_ml or 0) > 0,
        "gas_at_the_base": (findings.base_gas_ml or 0) > 0,
    }
    return tuple(name for name, doubt in doubts.items() if doubt)
