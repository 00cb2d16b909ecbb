"""What is accepted as a volume, what is repaired and what is refused."""

from dataclasses import dataclass, replace
from typing import Literal

Treatment = Literal["error", "repair"]


@dataclass(frozen=True)
class LoadOptions:
    """Section ``load`` of the config; rules/schemas/config.schema.yaml explains each key.

    Attributes
    ----------
    series : {"any", "soft", "sharp"}
        Convolution kernel to prefer among series that are equal otherwise.
    min_slices : int
        Series with fewer are no volume.
    min_length_mm : float
        Series that reach less far along their slices are no chest.
    accept_derived : bool
        Also take images whose ImageType says DERIVED.
    assume_hu : bool
        Take stored values as HU where the rescale tags are absent.
    on_missing_slices, on_uneven_gaps, on_gantry_tilt, on_shifted_slices : {"error", "repair"}
        What to do with each defect of the geometry.
    on_stray_slices : {"error", "flag"}
        What to do with slices whose pixels show that they do not belong.
    max_missing_slices : int
        Most slices in a row that a repair may interpolate.
    max_oblique_deg : float
        Most that slices may be turned from the patient's axes, degrees.
    """

    series: Literal["any", "soft", "sharp"] = "any"
    min_slices: int = 10
    min_length_mm: float = 50.0
    accept_derived: bool = False
    assume_hu: bool = False
    on_missing_slices: Treatment = "error"
    max_missing_slices: int = 1
    on_uneven_gaps: Treatment = "error"
    on_gantry_tilt: Treatment = "error"
    on_shifted_slices: Treatment = "error"
    on_stray_slices: Literal["error", "flag"] = "error"
    max_oblique_deg: float = 30.0

    def without_repairs(self) -> "LoadOptions":
        """The same with every defect an error."""
        return replace(
            self,
            on_missing_slices="error",
            on_uneven_gaps="error",
            on_gantry_tilt="error",
            on_shifted_slices="error",
        )
