"""Short explanations of flags; flags of scans explain themselves by their names."""

# Flags that call for a look at the mask.
WORDS = {
    "dense_disease": "dense tissue in the chest: check the mask",
    "free_gas": "free gas beside a lung (pneumothorax?)",
    "gas_at_the_base": "gas below a lung, left out (stomach or bowel?)",
    "incomplete_coverage": "lungs cut by the first or last slice",
    "lopsided_lungs": "one lung more than twice the other",
    "no_airway_found": "no trachea found",
    "swapped_sides": "the right lung lies on the left",
    "touches_field_border": "lungs cut by the field of view",
    "unusual_lung_density": "unusual lung density",
    "unusual_lung_volume": "unusual lung volume",
}


def in_words(flag: str) -> str:
    """Text for readers; for an unknown flag, its name with blanks."""
    return WORDS.get(flag, flag.replace("_", " "))
