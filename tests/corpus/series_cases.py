"""Which slices of which series become the volume."""

from corpus import real
from corpus.case import Case
from corpus.defects import (
    DERIVED,
    LOCALIZER,
    as_class,
    as_instances,
    as_series,
    assign,
    brighter,
    counting,
    drop,
    localizer,
    shuffled,
    turned,
    uid_of,
    without,
)
from corpus.files import Files, Series, pack
from corpus.oracles import as_measured, as_stacked

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


def beside(*other: Series) -> Files:
    """The scan, and further series in folders whose names come before its own."""
    files = pack(real.series())
    for number, series in enumerate(other):
        files |= pack(series, folder=f"a{number}")
    return files


def finer(kernel: str, **tags) -> Series:
    """Another reconstruction: each 4th slice, 5 mm apart."""
    return assign(as_series(real.series(every=4), kernel), ConvolutionKernel=kernel, **tags)


def with_kernels(*kernels: str) -> Files:
    """Reconstructions of the same slices that differ in the kernel; SOFT is 5 HU brighter."""
    files: Files = {}
    for kernel in kernels:
        series = as_series(real.series(), kernel)
        series = brighter(series, 5) if kernel == "SOFT" else series
        files |= pack(assign(series, ConvolutionKernel=kernel), kernel)
    return files


def is_series(name: str):
    """Check that the series of this name was taken, as it is."""

    def check(files, volume, scan):
        assert scan.series_instance_uid == uid_of(name)
        taken = {n: c for n, c in files.items() if uid_of(name).encode() in c}
        as_stacked(taken, volume, scan)

    return check


CASES = [
    Case("the real scan, thinned", lambda: pack(real.series()), check=as_measured),
    Case(
        "files and InstanceNumber in reverse",
        lambda: pack(assign(real.series(), InstanceNumber=counting(1))[::-1]),
        check=as_measured,
    ),
    Case(
        "files and InstanceNumber shuffled",
        lambda: pack(shuffled(real.series())),
        check=as_measured,
    ),
    Case(
        "no InstanceNumber, no SliceLocation",
        lambda: pack(drop(real.series(), "InstanceNumber", "SliceLocation")),
        check=as_measured,
    ),
    Case(
        "SliceLocation 0 and SliceThickness 10 times too thick",
        lambda: pack(assign(real.series(), SliceLocation="0", SliceThickness="100")),
        check=as_measured,
    ),
    Case(
        "a different AcquisitionNumber in every slice",
        lambda: pack(assign(real.series(), AcquisitionNumber=counting(1))),
        check=as_measured,
    ),
    Case(
        "the segmentation and contours beside the CT",
        lambda: beside() | real.others(),
        check=as_measured,
    ),
    Case(
        "12 secondary captures with Modality CT beside the CT",
        lambda: beside(as_class(as_series(real.series(stop=96), "sc"), SECONDARY_CAPTURE)),
        check=as_measured,
    ),
    Case(
        "40 MR images beside the CT",
        lambda: beside(as_class(as_series(real.series(every=6), "mr"), MR_IMAGE, Modality="MR")),
        check=as_measured,
    ),
    Case(
        "a localizer in the series",
        lambda: beside(as_instances([localizer(real.series(stop=1))], "scout")),
        check=as_measured,
    ),
    Case(
        "a localizer as a separate series",
        lambda: beside(as_series([localizer(real.series(stop=1))], "scout")),
        check=as_measured,
    ),
    Case(
        "localizers only",
        lambda: pack(assign(real.series(), ImageType=LOCALIZER)),
        refused=(
            "NotOriginal",
            "the CT images are not original slices (1 localizer series); upload the original "
            "series",
        ),
    ),
    Case(
        "a derived series with more slices beside the CT",
        lambda: beside(assign(as_series(real.series(every=4), "mip"), ImageType=DERIVED)),
        check=as_measured,
    ),
    Case(
        "derived images only",
        lambda: pack(assign(real.series(), ImageType=DERIVED)),
        refused=(
            "NotOriginal",
            "the CT images are not original slices (1 derived series); upload the original series, "
            "or set load.accept_derived to true",
        ),
    ),
    Case(
        "derived images only, accepted",
        lambda: pack(assign(real.series(), ImageType=DERIVED)),
        {"accept_derived": True},
        ("derived_image",),
        check=as_measured,
    ),
    Case(
        "a second reconstruction with half the gap",
        lambda: beside(finer("BONE")),
        check=is_series("BONE"),
    ),
    Case(
        "a second reconstruction with half the gap, but a slice missing",
        lambda: beside(without(finer("BONE"), 20)),
        check=as_measured,
    ),
    Case(
        "the same, repaired: the complete series is preferred",
        lambda: beside(without(finer("BONE"), 20)),
        {"on_missing_slices": "repair"},
        check=as_measured,
    ),
    Case(
        "a second reconstruction with half the gap, but half the chest",
        lambda: beside(finer("BONE")[:30]),
        check=as_measured,
    ),
    Case(
        "a coronal series with more slices and a smaller gap beside the CT",
        lambda: beside(as_series(brighter(turned("coronal")), "coronal")),
        check=as_measured,
    ),
    Case(
        "a derived series, named in the cohort file",
        lambda: beside(assign(as_series(real.series(), "mip"), ImageType=DERIVED)),
        {"series_uid": uid_of("mip")},
        ("derived_image",),
        check=as_measured,
    ),
    Case(
        "three kernels, the soft one preferred",
        lambda: with_kernels("LUNG", "SOFT", "BONE"),
        {"series": "soft"},
        check=is_series("SOFT"),
    ),
    Case(
        "two kernels, the sharp one preferred",
        lambda: with_kernels("LUNG", "SOFT"),
        {"series": "sharp"},
        check=is_series("LUNG"),
    ),
    Case(
        "a kernel preferred, but the other series has half the gap",
        lambda: with_kernels("SOFT") | pack(finer("LUNG"), "finer"),
        {"series": "soft"},
        check=is_series("LUNG"),
    ),
    Case(
        "a named series, though another one is finer",
        lambda: beside(finer("BONE"), as_series(real.series(), "named")),
        {"series_uid": uid_of("named")},
        check=as_measured,
    ),
    Case(
        "a named series that is absent",
        lambda: pack(real.series()),
        {"series_uid": "1.2.3"},
        refused=(
            "NoCTImages",
            "no CT image of series 1.2.3 among the objects; check the prefix and the cohort file",
        ),
    ),
]
