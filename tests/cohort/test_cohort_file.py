"""Cohort files as spreadsheets leave them: read right, or refused by a true line."""

import io
import re
import zipfile

import pytest

from lungprep.cohort.cohort_file import read_rows
from lungprep.errors import ConfigError


@pytest.fixture
def rows(tmp_path):
    def read(content):
        path = tmp_path / "cohort.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [(row.line, row.patient, row.prefix, row.series_uid) for row in read_rows(path)]

    return read


TWO = [(2, "P1", "a/b", None), (3, "P2", "c", "1.2")]
PLAIN = "patient,prefix,series_uid\nP1,a/b,\nP2,c,1.2\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.removesuffix("\n"),
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", " , "),
        PLAIN.replace("patient,prefix", " Patient ,PREFIX "),
        PLAIN.replace("P1", '"P1" ').replace("c", ' "c"'),
        PLAIN + ",,\n , ,\n\n",
        PLAIN.replace("\n", ",,\n"),
        PLAIN.replace("P1,a/b,", "P1,a/b"),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    ],
)
def test_what_spreadsheets_write_is_read(rows, content):
    assert rows(content) == TWO


def test_other_columns_are_passed_over_and_may_be_twice(rows):
    content = 'note,prefix,note,patient,\n"a, b\nc",a/b,x,P1,\n,c,,P2\n'
    assert rows(content) == [(2, "P1", "a/b", None), (4, "P2", "c", None)]


def test_lines_are_those_of_the_file(rows):
    assert rows("sep=;\n\npatient;prefix\n;\nP1;a\n") == [(5, "P1", "a", None)]


def workbook():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("xl/workbook.xml", PLAIN)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty; start it with the line patient,prefix"),
        ("\ufeff\r\n", "is empty; start it"),
        (",,\n", "has no column patient"),
        ("patient,prefix\n", "has no row below its header; write a row for each patient"),
        ("patient,prefix\n,\n", "has no row below its header"),
        ("id,prefix\nP1,a\n", "has no column patient: line 1 reads 'id, prefix'; start it with"),
        ("\npatient\nP1\n", "has no column prefix: line 2 reads 'patient'"),
        ("P1,a\n", "has no column patient: line 1 reads 'P1, a'"),
        ("patient,prefix,prefix\nP1,a,b\n", "has 2 columns prefix; keep the right one"),
        ("patient,Patient ,prefix\nP1,P2,b\n", "has 2 columns patient; keep the right one"),
        ("patient,prefix,series_uid,series_uid\nP1,b\n", "has 2 columns series_uid"),
        ("patient,prefix\nP1\nP2,b\n", "line 2, has no prefix; give each row a patient and a"),
        ("patient,prefix\nP1,a\n,b\n", "line 3, has no patient; give each row"),
        ("patient,prefix\nP1,a,b\n", "line 2, has 3 cells under 2 columns; quote a cell that"),
        ('patient,prefix\n"P1,a\nP2,b\n', "line 2, has a quote that is not closed; close"),
        ('patient,prefix\nP1,a\nP2,"b\n', "line 3, has a quote that is not closed"),
        ('patient,prefix\n"P1,a\n"P2,b\n', "line 2, has text after a closing quote"),
        ('patient,prefix\nP0,x\n"P1,a\nP2",b\n', "line 3, has a line break in its patient"),
        ('patient,prefix\nP0,"x\ny"\n', "line 2, has a line break in its prefix"),
        ('patient,prefix\nP1,"' + 30_000 * "a\nP2,b" + '"', "line 2, has a quote that is not clos"),
        ("patient,prefix\nP1,a\nP2,b\0\n", "has a NUL in line 3; remove it, or save it as CSV"),
        (PLAIN.encode("utf-16-le"), "has a NUL in line 1"),
        (b"patient,prefix\nP1,a\nP\xe9,b\n", "is not UTF-8: byte 0xe9 in line 3; save it as CSV"),
        (b"\xff\xfep", "is not UTF-16 in line 1; save it as CSV in UTF-8"),
        (workbook(), "is an Excel workbook or a zip archive, whatever its name; save it as CSV"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "is an old Excel workbook"),
    ],
)  # fmt: skip
def test_what_can_not_be_told_is_refused_by_a_true_line(rows, content, words):
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        rows(content)
    assert str(caught.value).startswith("patients file /")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"patients file .*nowhere.csv can't be read \(No such"):
        read_rows(tmp_path / "nowhere.csv")
    with pytest.raises(ConfigError, match=r"patients file .* can't be read \(Is a directory"):
        read_rows(tmp_path)
