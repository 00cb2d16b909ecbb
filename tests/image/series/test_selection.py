"""Which of several series becomes the volume, and what is said of the others."""

import pytest

from lungprep.errors import (
    MissingSlices,
    NoCTImages,
    NotOriginal,
    SplitScan,
    UndecodablePixels,
)
from lungprep.image.series.policy import LoadOptions
from lungprep.image.series.selection import choose_series

OPTIONS = LoadOptions(min_slices=3)


def uid(slices):
    return slices[0].series_uid


def test_localizers_and_derived_images_are_set_aside_with_their_reason(read, tags):
    chest = read(gap_mm=25)
    scout = read(seed=1, count=3, edit=tags(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]))
    thinner = read(seed=2, edit=tags(ImageType=["DERIVED", "SECONDARY", "MPR"]))
    choice = choose_series([*scout, *thinner, *chest], OPTIONS)
    assert choice.series_uid == uid(chest)
    kinds = {series: rejection.kind for series, rejection in choice.rejected.items()}
    assert kinds == {uid(scout): "localizer", uid(thinner): "derived"}
    assert choice.volume.flags == {}


def test_localizers_within_the_series_are_counted(read, tags):
    chest = read()
    scout = read(
        orientation="coronal",
        count=2,
        edit=tags(ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"], SeriesInstanceUID=uid(chest)),
    )
    choice = choose_series([*scout, *chest], OPTIONS)
    assert len(choice.volume.slices) == len(chest)
    assert choice.volume.set_aside == {"localizer": 2}


def test_derived_images_are_taken_only_if_told(read, tags):
    derived = read(edit=tags(ImageType=["DERIVED", "PRIMARY", "AXIAL"]))
    with pytest.raises(
        NotOriginal, match=r"not original slices \(1 derived series\); .*derived to"
    ):
        choose_series(derived, OPTIONS)
    for options, series_uid in (
        (LoadOptions(min_slices=3, accept_derived=True), None),
        (OPTIONS, uid(derived)),
    ):
        choice = choose_series(derived, options, series_uid=series_uid)
        assert choice.volume.flags == {"derived_image": len(derived)}


CONTESTS = {
    "original": ({"ImageType": ["DERIVED", "PRIMARY", "AXIAL"]}, {"gap_mm": 8}, {"gap_mm": 20}),
    "axial": ({}, {"orientation": "sagittal", "gap_mm": 8}, {"gap_mm": 20}),
    "complete": ({}, {"gap_mm": 5, "count": 20}, {"gap_mm": 20}),
    "gap": ({}, {"gap_mm": 20}, {"gap_mm": 10}),
    "slices": ({}, {"count": 13}, {"count": 15}),
}


@pytest.mark.parametrize("criterion", CONTESTS)
def test_the_order_of_preference(read, tags, criterion):
    header, loser, winner = CONTESTS[criterion]
    worse = read(seed=1, edit=tags(**header), **loser)
    better = read(seed=2, **winner)
    options = LoadOptions(min_slices=3, accept_derived=True)
    for order in ([*worse, *better], [*better, *worse]):
        choice = choose_series(order, options)
        assert choice.series_uid == uid(better)
        assert choice.rejected[uid(worse)].kind == f"less preferred: {criterion}"


@pytest.mark.parametrize(("series", "wins"), [("soft", "B30f"), ("sharp", "B70f"), ("any", None)])
def test_the_kernel_that_is_asked_for(read, tags, series, wins):
    kernels = {
        name: read(seed=i, edit=tags(ConvolutionKernel=name))
        for i, name in enumerate(("B70f", "odd", "B30f"))
    }
    everything = [s for group in kernels.values() for s in group]
    choice = choose_series(everything, LoadOptions(min_slices=3, series=series))
    if wins:
        assert choice.series_uid == uid(kernels[wins])
        assert {r.kind for r in choice.rejected.values()} == {"less preferred: kernel"}
    else:
        assert choice.series_uid == min(map(uid, kernels.values()))
        assert {r.kind for r in choice.rejected.values()} == {"less preferred: order"}


def test_a_series_that_cannot_be_read_is_passed_over(read, tags):
    thin = read(seed=1, gap_mm=10, edit=tags(RescaleSlope=None))
    sound = read(seed=2, gap_mm=20)
    choice = choose_series([*thin, *sound], OPTIONS)
    assert choice.series_uid == uid(sound)
    assert choice.rejected[uid(thin)].kind == "MissingTag"


def test_a_series_that_cannot_be_decoded_is_passed_over(read, tags):
    def cut(dataset, index):
        if index:
            dataset.PixelData = dataset.PixelData[:100]

    broken, sound = read(seed=1, gap_mm=10, edit=cut), read(seed=2)
    choice = choose_series([*broken, *sound], OPTIONS)
    assert choice.series_uid == uid(sound)
    assert choice.rejected[uid(broken)].kind == "UndecodablePixels"
    with pytest.raises(UndecodablePixels):
        choose_series([*broken, *read(seed=3, edit=cut)], OPTIONS)


def test_a_part_that_two_series_continue_is_joined_to_neither(read, tags):
    """The halves of two breath-holds: which belong together, nothing tells."""
    same = {"StudyInstanceUID": "1.2", "FrameOfReferenceUID": "1.3"}
    halves = [
        read(seed=seed, count=8, edit=tags(**same), offset_mm=lambda k, z=z: (0, 0, z))
        for seed, z in enumerate((-80, 80, -80, 80))
    ]
    with pytest.raises(SplitScan, match="several series continue it"):
        choose_series([s for half in halves for s in half], OPTIONS)
    choice = choose_series([*halves[0], *halves[1]], OPTIONS)
    assert choice.volume.flags == {"series_joined": 2}
    assert [r.kind for r in choice.rejected.values()] == ["joined"]


def test_several_series_without_a_uid_are_told_apart(read, tags):
    series = [
        read(seed=seed, edit=tags(SeriesInstanceUID=None, SeriesNumber=seed), gap_mm=gap)
        for seed, gap in ((1, 20), (2, 10), (3, 25))
    ]
    choice = choose_series([s for group in series for s in group], OPTIONS)
    assert choice.series_uid == ""
    assert choice.volume.stack.spacing_mm[0] == pytest.approx(10)
    assert {r.kind for r in choice.rejected.values()} == {"less preferred: gap"}
    assert len(choice.rejected) == 2


def test_a_repaired_series_is_less_preferred_than_a_sound_one(read):
    torn = read(seed=1, gap_mm=10)
    del torn[10]
    sound = read(seed=2, gap_mm=20)
    options = LoadOptions(min_slices=3, on_missing_slices="repair")
    choice = choose_series([*torn, *sound], options)
    assert choice.series_uid == uid(sound)
    assert choice.rejected[uid(torn)].kind == "less preferred: complete"
    assert choose_series(torn, options).volume.flags == {"missing_slices_interpolated": 1}


def test_a_named_series_is_taken_and_no_other(read):
    thick, thin = read(seed=1, gap_mm=25), read(seed=2, gap_mm=10)
    choice = choose_series([*thick, *thin], OPTIONS, series_uid=uid(thick))
    assert choice.series_uid == uid(thick)
    assert choice.rejected == {}
    with pytest.raises(NoCTImages, match=r"no CT image of series 1\.2\.3 among"):
        choose_series(thick, OPTIONS, series_uid="1.2.3")


def test_of_unusable_series_the_largest_is_explained(read):
    torn = read(seed=1)
    del torn[6]
    with pytest.raises(MissingSlices, match=r"1 of .* \(the other 1 CT series can't form a volume"):
        choose_series([*torn, *read(seed=2, count=2)], OPTIONS)
