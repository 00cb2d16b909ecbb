import cv2
import numpy as np

from lungprep.publish.preview.canvas import ALARM, GREYS, INK, beside, encode, paper, text


def decode(picture):
    return cv2.imdecode(np.frombuffer(encode(picture), np.uint8), cv2.IMREAD_COLOR)


def test_another_reader_sees_the_greys_and_the_tints():
    rows = np.arange(3 * GREYS, dtype=np.uint8).reshape(3, GREYS)
    plain, blue, orange = decode(rows).astype(int)
    assert np.array_equal(plain[:, 0], np.rint(np.linspace(0, 255, GREYS)))
    assert np.ptp(plain, axis=1).max() == 0
    assert (np.diff(blue.sum(axis=1)) > 0).all()
    assert (blue[:-1, 0] > blue[:-1, 2]).all()
    assert (orange[:-1, 2] > orange[:-1, 0]).all()


def test_text_stays_among_its_own_shades():
    words = text("Wg: 1 \N{LATIN SMALL LETTER E WITH ACUTE}", ALARM)
    assert words.min() == ALARM
    assert ALARM + 6 < words.max() < ALARM + 8
    assert decode(words)[0, 0].tolist() == [0, 214, 255]
    assert decode(words).min() < 40


def test_pictures_stand_side_by_side_on_their_paper():
    row = beside([paper((2, 3), ALARM), paper((4, 1), ALARM)], 2, 12)
    assert row.shape == (4, 12)
    assert np.argwhere(row == ALARM).tolist() == [
        *([y, x] for y in range(4) for x in ((2, 3, 4, 7) if y < 2 else (7,)))
    ]
    assert (row[row != ALARM] == INK).all()
