"""Options that decide what is accepted as a volume, repaired and refused."""

from dataclasses import dataclass, replace
from typing import Literal

Treatment = Literal["error", "repair"]


@dataclass(frozen=True)
class LoadOptions:
    """Section ``load`` of the config; scripts/lungprep/config/schema.yaml explains each key.

    Attributes
    ----------
    series : {"any", "soft", "sharp"}
        Preferred convolution kernel among otherwise equal series.
    min_slices : int
        Least number of slices; series with fewer slices are rejected.
    min_length_mm : float
        Least extent along the slice axis; shorter series are rejected.
    accept_derived : bool
        Also accept images whose ImageType says DERIVED.
    assume_hu : bool
        Take stored values as HU if the rescale tags are absent.
    on_missing_slices, on_uneven_gaps, on_gantry_tilt, on_shifted_slices : {"error", "repair"}
        Treatment of each defect of the geometry.
    on_stray_slices : {"error", "flag"}
        Treatment of slices whose pixels show that they do not belong.
    max_missing_slices : int
        Largest number of consecutive slices that a repair may interpolate.
    max_oblique_deg : float
        Largest angle between slices and the patient's axes, degrees.
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
        """Return the same options with every defect an error."""
        return replace(
            self,
            on_missing_slices="error",
            on_uneven_gaps="error",
            on_gantry_tilt="error",
            on_shifted_slices="error",
        )
