import numpy as np

from lungprep.image.segmentation.blocks import Blocks
from lungprep.image.segmentation.field import cut_lung, lung_field

SPACING = (2.0, 2.0, 2.0)


def scene(**parts):
    """Blocks of tissue with boxes of air: name=(start, stop, hu)."""
    hu = np.full((60, 60, 120), 40, np.int16)
    for start, stop, value in parts.values():
        hu[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = value
    return Blocks(hu, (1, 1, 1), SPACING, hu.shape)


def pieces(blocks):
    return lung_field(blocks, blocks.hu < -400, gas_hu=-960.0, fragment_mm=10.0, smallest_ml=100.0)


def test_lungs_are_numbered_by_size_and_gas_is_told_apart():
    blocks = scene(
        small=((5, 5, 70), (35, 35, 110), -860),
        large=((5, 5, 5), (45, 45, 45), -860),
        bowel=((50, 5, 5), (58, 25, 45), -1000),
    )
    field, other = pieces(blocks)
    assert field[20, 20, 20] == 2
    assert field[20, 20, 90] == 3
    assert field[54, 10, 20] == 0
    assert other.sum() == 8 * 20 * 40
    assert other[54, 10, 20]


def test_fragments_belong_to_a_lung_only_when_near():
    blocks = scene(
        lung=((5, 5, 5), (45, 45, 45), -860),
        near=((10, 10, 48), (15, 15, 53), -800),
        far=((10, 10, 60), (15, 15, 65), -800),
        speck=((30, 10, 48), (31, 11, 49), -800),
    )
    field, other = pieces(blocks)
    assert field[12, 12, 50] == 1
    assert field[12, 12, 62] == 0
    assert other[12, 12, 62]
    assert not other[30, 10, 48]


def test_no_air_no_field():
    field, other = pieces(scene())
    assert not field.any()
    assert not other.any()


def test_cut_lung_is_lung_and_never_room_air():
    for beyond_hu, expected in ((-860, True), (-1000, False)):
        blocks = scene(
            lung=((5, 5, 5), (45, 45, 45), -860), beyond=((5, 5, 45), (45, 45, 60), beyond_hu)
        )
        air = blocks.hu < -400
        enclosed = np.arange(120) < 45
        field, _ = lung_field(
            blocks, air & enclosed, gas_hu=-960.0, fragment_mm=10.0, smallest_ml=100.0
        )
        cut = cut_lung(blocks, field, air & ~enclosed, gas_hu=-960.0)
        assert cut.any() == expected
