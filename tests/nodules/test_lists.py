"""Nodule lists: what is read, how rows find their array, and what is refused."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lungprep.errors import ConfigError
from lungprep.image.volume import Grid
from lungprep.nodules.conversion import convert
from lungprep.nodules.coordinates import Placement
from lungprep.nodules.lists import INSIDE, VOXEL, read_nodules

LUNA = "seriesuid,coordX,coordY,coordZ,diameter_mm\n"
BY_PATIENT = "patient,coordX,coordY,coordZ,diameter_mm\n"
P1 = Grid((40, 30, 20), (2.0, 1.0, 0.5), (-10.0, -20.0, -300.0))
P2 = Grid((9, 9, 9), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
PLACEMENTS = {
    "P1": Placement("P1", "1.1", P1.shape, P1.affine),
    "P2": Placement("P2", "1.2", P2.shape, P2.affine),
}


@pytest.fixture
def write(tmp_path):
    """Writes a list and gives its path."""

    def to_file(content):
        path = tmp_path / "nodules.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return to_file


def converted(path, placements=PLACEMENTS):
    """Rows as mappings, and what is reported."""
    found = convert(read_nodules(path), placements)
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    return rows, found.outside, found.unplaced


def test_luna16_rows_are_matched_by_series(write):
    rows, outside, unplaced = converted(write(LUNA + "1.1,-5,-13.5,-280,3\n1.2,1,2,3,4\n"))
    assert rows[0] == {
        "patient": "P1",
        "seriesuid": "1.1",
        "voxelZ": "10.000000",
        "voxelY": "6.500000",
        "voxelX": "10.000000",
        "diameterZ_voxels": "1.500000",
        "diameterY_voxels": "3.000000",
        "diameterX_voxels": "6.000000",
        "inside": "yes",
        "coordX": "-5",
        "coordY": "-13.5",
        "coordZ": "-280",
        "diameter_mm": "3",
    }
    assert [rows[1][name] for name in ("patient", *VOXEL[:3])] == [
        *("P2", "3.000000", "2.000000", "1.000000")
    ]
    assert (outside, unplaced) == ([], [])


def test_patient_rows_get_their_series(write):
    rows, _, _ = converted(write(BY_PATIENT + "P2,1,2,3,4\n"))
    assert rows[0]["seriesuid"] == "1.2"
    assert list(rows[0])[:2] == ["patient", "seriesuid"]


@pytest.mark.parametrize("start", ["\ufeff", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_other_columns_are_kept_in_any_order(write, start, end):
    lines = ["class, coordZ,note,coordX,patient,coordY", '1,3,"a, ""b""\nüß",1, P2 ,2', "", ""]
    rows, _, _ = converted(write(start + end.join(lines)))
    assert list(rows[0]) == [
        *("patient", "seriesuid", *VOXEL, INSIDE, "class", "coordZ", "note", "coordX", "coordY")
    ]
    assert rows[0]["note"] == 'a, "b"\nüß'
    assert rows[0]["patient"] == "P2"
    assert [rows[0][name] for name in VOXEL] == ["3.000000", "2.000000", "1.000000", "", "", ""]


@pytest.mark.parametrize("diameter", ["", " ", "-1"])
def test_an_unknown_diameter_stays_unknown(write, diameter):
    rows, _, _ = converted(write(LUNA + f"1.2,1,2,3,{diameter}\n1.2,1,2,3,0\n"))
    assert [rows[0][name] for name in VOXEL[3:]] == ["", "", ""]
    assert rows[0]["diameter_mm"] == diameter.strip()
    assert [rows[1][name] for name in VOXEL[3:]] == ["0.000000"] * 3


def test_rows_outside_are_converted_and_reported(write):
    rows, outside, unplaced = converted(write(LUNA + "1.2,8.4,2,3,4\n\n1.2,8.5,2,3,4\n"))
    assert [row[INSIDE] for row in rows] == ["yes", "no"]
    assert rows[1]["voxelX"] == "8.500000"
    assert outside == ["line 4 (P2)"]
    assert unplaced == []


def test_zero_has_no_sign(write):
    rows, _, _ = converted(write(LUNA + "1.2,-1e-9,0,-0,4\n"))
    assert [rows[0][name] for name in VOXEL[:3]] == ["0.000000"] * 3


def test_rows_of_nobody_are_kept_without_a_voxel(write):
    rows, outside, unplaced = converted(write(LUNA + "1.9,1,2,3,4\n1.2,1,2,3,4\n"))
    assert rows[0] == {
        **dict.fromkeys(["patient", *VOXEL, INSIDE], ""),
        **{"seriesuid": "1.9", "coordX": "1", "coordY": "2", "coordZ": "3", "diameter_mm": "4"},
    }
    assert rows[1][INSIDE] == "yes"
    assert outside == []
    assert unplaced == ["line 2: series '1.9' is not published"]


@pytest.mark.parametrize("patient", ["P9", "../P1", "p1", "P1\x1b[2J"])
def test_a_patient_who_is_not_published_is_reported(write, patient):
    rows, _, unplaced = converted(write(BY_PATIENT + f"{patient},1,2,3,4\n"))
    assert rows[0]["patient"] == patient
    assert rows[0]["voxelZ"] == ""
    assert unplaced == [f"line 2: patient {patient!r} is not published"]


def test_a_row_with_both_names_is_checked(write):
    header = "seriesuid,patient,coordX,coordY,coordZ\n"
    rows, _, unplaced = converted(write(header + "1.2,P2,1,2,3\n1.1,P2,1,2,3\n,P2,1,2,3\n"))
    assert [row[INSIDE] for row in rows] == ["yes", "", "yes"]
    assert [row["seriesuid"] for row in rows] == ["1.2", "1.1", "1.2"]
    assert unplaced == ["line 3: P2 was made of series '1.2', not of '1.1'"]


def test_a_series_of_two_patients_is_not_guessed(write):
    twins = {**PLACEMENTS, "P3": Placement("P3", "1.2", P1.shape, P1.affine)}
    _, _, unplaced = converted(write(LUNA + "1.2,1,2,3,4\n"), twins)
    assert unplaced == ["line 2: series '1.2' is published as P2 and as P3; add a column patient"]


def test_a_list_without_rows_gives_its_header(write):
    found = convert(read_nodules(write(LUNA)), PLACEMENTS)
    assert found.columns[:2] == ["patient", "seriesuid"]
    assert found.rows == found.outside == found.unplaced == []


row = st.tuples(st.sampled_from(["P1", "P2"]), *[st.floats(-400, 100)] * 3, st.floats(0, 50))


@given(st.lists(row, min_size=1, max_size=8))
def test_each_row_is_what_it_is_alone(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("lists") / "nodules.csv"
    path.write_text(BY_PATIENT + "".join(",".join(map(str, fields)) + "\n" for fields in rows))
    together, outside, _ = converted(path)
    assert len(outside) == sum(fields[INSIDE] == "no" for fields in together)
    for (patient, x, y, z, diameter), fields in zip(rows, together, strict=True):
        grid = {"P1": P1, "P2": P2}[patient]
        offset = np.subtract((z, y, x), grid.origin_mm[::-1]) / grid.spacing_mm
        expected = [*offset, *(diameter / np.array(grid.spacing_mm))]
        assert [float(fields[name]) for name in VOXEL] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("content", "found", "remedy"),
    [
        ("", "has no column seriesuid or patient", "start it with the line seriesuid,coordX,"),
        ("series,coordX,coordY,coordZ\n", "no column seriesuid or patient", "start it with"),
        ("patient;coordX;coordY;coordZ\n", "no column seriesuid or patient", "start it with"),
        ("patient,coordX,coordY\nP1,1,2\n", "has no column coordZ", "start it with the line"),
        ("patient,patient,coordX,coordY,coordZ\n", "has column 'patient' twice", "rename it"),
        ("patient,inside,coordX,coordY,coordZ\n", "has column 'inside' twice", "rename it"),
        (LUNA + "1.1,1,2,3\n", "line 2 of FILE has 4 fields where the header has 5", "correct it"),
        (LUNA + "\n1.1,1,2,3,4,5\n", "line 3 of FILE has 6 fields where the", "correct it"),
        (LUNA + "1.1,1,2,3,4\n ,1,2,3,4\n", "line 3 of FILE has no seriesuid", "fill it in"),
        (BY_PATIENT + ",1,2,3,4\n", "line 2 of FILE has no patient", "fill it in"),
        (LUNA + "1.1,1,two,3,4\n", "line 2 of FILE has coordY 'two'", "write a number in mm, such"),
        (LUNA + "1.1,1,2,,4\n", "line 2 of FILE has coordZ ''", "write a number in mm, such"),
        (LUNA + "1.1,nan,2,3,4\n", "line 2 of FILE has coordX 'nan'", "write a number in mm"),
        (LUNA + "1.1,1,2,1e999,4\n", "line 2 of FILE has coordZ '1e999'", "write a number in mm"),
        (LUNA + "1.1,1,2,3,big\n", "line 2 of FILE has diameter_mm 'big'", "write a number in mm"),
        (LUNA + '1.1,"1\n', "FILE can't be read (unexpected end of data)", "give a CSV file"),
        (b"\xff\xfe" + LUNA.encode("utf-16-le"), "FILE can't be read ('utf-8' codec", "give a CSV"),
    ],
)
def test_a_bad_list_is_one_line(write, content, found, remedy):
    path = write(content)
    with pytest.raises(ConfigError, match=re.escape(found.replace("FILE", str(path)))) as raised:
        read_nodules(path)
    assert str(path) in raised.value.found
    assert raised.value.remedy.startswith(remedy)
    assert "\n" not in str(raised.value)


def test_a_list_that_is_absent_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"can't be read \(.*No such file.*\); give a CSV file"):
        read_nodules(tmp_path / "nothing.csv")
