import cv2
import numpy as np
import pytest

from lungprep.preview import preview
from lungprep.segmentation.findings import Findings
from lungprep.segmentation.lungs import Lungs
from lungprep.volume import Grid, Volume

RIGHT, LEFT = (255, 170, 50), (30, 140, 255)


def patient(spacing=(2.0, 2.0, 2.0), flags=()):
    """A bright block at the front, head and right of grey; two box lungs."""
    shape = tuple(round(200 / s) for s in spacing)
    z, y, x = np.meshgrid(*[(np.arange(n) + 0.5) / n for n in shape], indexing="ij")
    hu = np.full(shape, -1000, np.int16)
    labels = np.zeros(shape, np.uint8)
    middle = (z > 0.1) & (z < 0.9) & (y > 0.3) & (y < 0.7)
    labels[middle & (x > 0.1) & (x < 0.45)] = 1
    labels[middle & (x > 0.55) & (x < 0.9)] = 2
    grid = Grid(shape, spacing, (0.0, 0.0, 0.0))
    findings = Findings(2000.0, 1500.0, -860.0, -860.0, -860.0, 20.0, ())
    return Volume(hu, grid), Lungs(labels, grid, findings, flags)


def decode(png):
    return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)


def panels(picture, top=0):
    return [picture[top : top + 372, i * 400 : (i + 1) * 400] for i in range(3)]


def extent(panel, colour):
    """Rows and columns that an outline takes up: (height, width, middle row, middle column)."""
    near = np.abs(panel.astype(int) - colour).max(axis=2) < 12
    rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
    return np.ptp(rows), np.ptp(columns), rows.mean(), columns.mean()


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (5.0, 1.0, 2.0), (1.0, 2.5, 2.5)])
def test_outlines_have_true_proportions_on_any_spacing(spacing):
    axial, coronal, sagittal = panels(decode(preview(*patient(spacing))))
    for panel, ratio in ((axial, 80 / 70), (coronal, 160 / 70), (sagittal, 160 / 80)):
        height, width, _, _ = extent(panel, RIGHT)
        assert height / width == pytest.approx(ratio, rel=0.06)


def test_patients_right_is_on_the_viewers_left():
    axial, coronal, sagittal = panels(decode(preview(*patient())))
    for panel in (axial, coronal):
        assert extent(panel, RIGHT)[3] < 200 < extent(panel, LEFT)[3]
    assert np.abs(sagittal.astype(int) - LEFT).max(axis=2).min() > 12


def test_head_is_up_and_front_is_up_or_left():
    volume, lungs = patient()
    top, front = volume.hu.shape[0] * 9 // 10, volume.hu.shape[1] * 3 // 10
    volume.hu[top:] = 150
    volume.hu[:, :front] = 150
    axial, coronal, sagittal = panels(decode(preview(volume, lungs)))
    assert axial[:100, 150:250].mean() > axial[-100:, 150:250].mean() + 50
    assert coronal[:30, 150:250].mean() > coronal[-30:, 150:250].mean() + 50
    assert sagittal[:30, 150:250].mean() > sagittal[-30:, 150:250].mean() + 50
    assert sagittal[150:250, 95:130].mean() > sagittal[150:250, -130:-95].mean() + 50


def test_title_and_flags_add_lines():
    plain = decode(preview(*patient()))
    assert plain.shape[1] == 1200
    titled = decode(preview(*patient(), title="P-0001"))
    assert titled.shape[0] > plain.shape[0]
    flagged = decode(preview(*patient(flags=("lopsided_lungs", "another_doubt", "third"))))
    assert flagged.shape[0] == plain.shape[0] + 2 * 34


def test_the_same_bytes_again():
    assert preview(*patient(), title="P") == preview(*patient(), title="P")
