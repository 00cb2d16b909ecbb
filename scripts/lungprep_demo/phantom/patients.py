"""The two synthetic patients of the demo."""

from pydicom.uid import ImplicitVRLittleEndian

from lungprep_demo.phantom.chest import Phantom, chest
from lungprep_demo.phantom.scan import Scan
from lungprep_demo.phantom.shapes import Ellipsoid


def healthy() -> tuple[Phantom, Scan]:
    """Head first supine, 146 slices of 2 mm, 384×384 pixels, signed."""
    return chest(), Scan(
        gap_mm=2.0, shape=(384, 384), spacing_mm=(0.9375, 0.9375), noise_hu=12.0, seed=1
    )


def thick() -> tuple[Phantom, Scan]:
    """Feet first prone, 56 slices of 5 mm, 512×512 pixels, unsigned 12 bits; nodule, off-centre.

    InstanceNumber decreases along the slice normal.
    """
    nodule = Ellipsoid((103.7, 38.3, 31.9), (9.3, 8.7, 9.1))
    patient = chest(scale=0.95, centre_mm=(4.3, -181.7, -352.9), nodule=nodule, lies_on="front")
    return patient, Scan(
        gap_mm=5.0,
        shape=(512, 512),
        spacing_mm=(0.703125, 0.703125),
        orientation="FFP",
        instance_order="against",
        signed=False,
        bits_stored=12,
        noise_hu=12.0,
        transfer_syntax=ImplicitVRLittleEndian,
        seed=2,
    )
