"""Who is told apart by what, and what helps."""

from dataclasses import replace

import pytest

from lungprep.errors import SeveralPatients
from lungprep.image.series.persons import check_one_person

PREFIX = "s3://bucket/site/"


@pytest.fixture
def images(read):
    """Two images, each with an identity and a key of its own."""
    image = read(count=1)[0]

    def make(*identities, keys=()):
        keys = keys or [f"{k}.dcm" for k in range(len(identities))]
        return [
            replace(image, key=key, identity=identity)
            for key, identity in zip(keys, identities, strict=True)
        ]

    return make


ONE = {"PatientID": "1", "PatientName": "Muster^Eva", "PatientSex": "F", "PatientAge": "061Y"}


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"PatientID": " 1"},
        {"PatientID": "1", "PatientName": "Beispiel^Eva", "PatientSex": "M"},
        {"PatientID": "Anonymous", "PatientName": "MUSTER EVA^^"},
        {"PatientID": "de-identified", "PatientSex": "O"},
        {"PatientID": "XXXX", "PatientName": "removed", "PatientAge": "063Y"},
        {"PatientName": "Müster^Eva".encode().decode("latin-1")},
        {"PatientName": "Muster^Eva^Maria"},
        {"PatientAge": "sixty"},
    ],
)
def test_what_may_be_one_person_is(images, other):
    check_one_person(images(ONE, other), PREFIX)
    check_one_person(images(other, ONE), PREFIX)


@pytest.mark.parametrize(
    ("ages", "dates", "apart"),
    [
        (("050Y", "060Y"), ("20100101", "20200101"), False),
        (("050Y", "053Y"), ("20000101", "20000101"), False),
        (("050Y", "053Y"), ("20000302", "20000302"), True),
        (("050Y", "055Y"), ("", ""), True),
        (("050Y", "052Y"), ("", "20000302"), False),
    ],
)
def test_ages_are_compared_by_the_dates(images, ages, dates, apart):
    people = [{"PatientAge": a, "StudyDate": d} for a, d in zip(ages, dates, strict=True)]
    if not apart:
        check_one_person(images(*people), PREFIX)
        return
    with pytest.raises(SeveralPatients, match="by PatientAge"):
        check_one_person(images(*people), PREFIX)


@pytest.mark.parametrize(
    ("evidence", "one", "other"),
    [
        ("PatientID", ONE, {**ONE, "PatientID": "2"}),
        ("PatientID", {"PatientID": "ANON1"}, {"PatientID": "ANON2"}),
        ("PatientName", ONE, {"PatientName": "Muster^Ida"}),
        ("PatientSex", ONE, {"PatientID": "unknown", "PatientSex": "M"}),
        ("PatientAge", ONE, {"PatientAge": "032W"}),
        ("PatientBirthDate", {"PatientBirthDate": "1952"}, {"PatientBirthDate": "19530101"}),
        (
            "PatientAge",
            {"PatientAge": "061Y", "StudyDate": "20030718"},
            {"PatientAge": "061Y", "StudyDate": "20130718"},
        ),
    ],
)
def test_people_are_counted_and_not_named(images, evidence, one, other):
    with pytest.raises(SeveralPatients) as caught:
        check_one_person(images(one, other, one), PREFIX)
    found = f"3 CT images of 2 people (by {evidence}) lie under one prefix"
    assert caught.value.found == found


@pytest.mark.parametrize(
    ("keys", "remedy"),
    [
        (("a/1.dcm", "b/1.dcm"), "give s3://bucket/site/ as source, whose 2 folders hold one"),
        (("x/a/1", "x/b/ct/1"), "give s3://bucket/site/x/ as source, whose 2 folders hold one"),
        (("x/a/1", "x/b/1", "y/c/1"), "list the 3 folders that hold one person each, such as "),
        (("a/1.dcm", "2.dcm"), "keep one person's images under a prefix"),
        (("a/1.dcm", "a/2.dcm"), "keep one person's images under a prefix"),
    ],
)
def test_the_remedy_names_the_level_of_the_patients(images, keys, remedy):
    people = [{"PatientID": f"P{k}"} for k in range(len(keys))]
    with pytest.raises(SeveralPatients) as caught:
        check_one_person(images(*people, keys=keys), PREFIX)
    assert caught.value.remedy.startswith(remedy)
    assert "name one series" not in caught.value.remedy, "they have one series in common"


def test_some_images_tell_no_number(images):
    people = images(ONE, {"PatientID": "2"}, keys=("a/1", "b/1"))
    with pytest.raises(SeveralPatients) as caught:
        check_one_person(people, PREFIX, sampled=True)
    assert caught.value.found.startswith("CT images of at least 2 people")
    assert "whose folders hold one person each" in caught.value.remedy


def test_a_named_series_of_two_people_has_a_remedy_of_its_own(images):
    with pytest.raises(SeveralPatients, match="export each person's images as a separate series"):
        check_one_person(images(ONE, {"PatientID": "2"}), PREFIX, named=True)
