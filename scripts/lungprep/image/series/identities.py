"""Compare the identifying tags of images.

The values identify people: none of them may reach a message.
"""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

# Texts that tools write in place of a PatientID or a name that they remove.
PLACEHOLDERS = re.compile(
    r"(ANON(YM(OUS|OUSLY|I[SZ]ED?|IZ)?)?|UN(KNOWN|NAMED|IDENTIFIED)|NO ?(NAME|ID)|NONE|NULL|NAN?"
    r"|N A|NIL|NOT (AVAILABLE|APPLICABLE|KNOWN)|DE ?ID(ENTIFIED)?|REMOVED|DELETED|REDACTED|HIDDEN"
    r"|CONFIDENTIAL|DUMMY|DEFAULT|EMPTY|BLANK|PATIENT|(PATIENT )?(NAME|ID)|0+|X{2,})?"
)
# A date with such an end may stand for a whole year, or for an unknown day.
DUMMY_DAYS = ("0101", "0000")
DUMMY_YEARS = ("1900", "0001", "0000", "1800")
# Tolerance when ages are compared with the time between two studies, years: ages are whole years,
# and de-identification often moves the date of birth.
AGE_SLACK = 1.5
# Tolerance if the time between two studies is unknown, years.
AGE_SLACK_UNDATED = 3.0
YEARS = {"Y": 1.0, "M": 1 / 12, "W": 7 / 365.25, "D": 1 / 365.25}
DAYS_A_YEAR = 365.25


@dataclass(frozen=True)
class Person:
    """The person in an image; absent values and placeholders are empty.

    Attributes
    ----------
    id : str
        PatientID, without case and blanks.
    name : frozenset of str
        Parts of PatientName, without case, order and accents.
    sex : str
        M or F.
    birth : str
        PatientBirthDate, eight digits; only the year if the day is a dummy.
    age : float or None
        PatientAge, years.
    study : date or None
        StudyDate, or another date of the examination.
    """

    id: str
    name: frozenset[str]
    sex: str
    birth: str
    age: float | None
    study: date | None


TAGS = (
    *("PatientID", "PatientName", "PatientSex", "PatientBirthDate", "PatientAge"),
    *("StudyDate", "AcquisitionDate", "SeriesDate"),
)


def person_of(values: tuple[str, ...]) -> Person:
    """Read the values of `TAGS`."""
    identifier, name, sex, birth, age, *dates = values
    return Person(
        id=_identifier(identifier),
        name=_name(name),
        sex=sex.upper()[:1] if sex.upper()[:1] in ("M", "F") else "",
        birth=_birth(birth),
        age=_age(age),
        study=next((day for day in map(calendar_day, dates) if day), None),
    )


def _identifier(text: str) -> str:
    folded = " ".join(_words(text))
    return "" if PLACEHOLDERS.fullmatch(folded) else re.sub(r"\s", "", text).casefold()


def _name(text: str) -> frozenset[str]:
    # The first component group is in Latin letters (PS3.5 6.2.1).
    words = _words(next((group for group in text.split("=") if group.strip(" ^")), ""))
    return frozenset(() if PLACEHOLDERS.fullmatch(" ".join(words)) else words)


def _words(text: str) -> list[str]:
    """Return the words of a text in capital letters, without accents."""
    # All text was read as Latin-1, but may be UTF-8.
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c)).upper()
    return re.sub(r"[\W_]+", " ", plain).split()


def _birth(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    if len(digits) < 4 or digits[:4] in DUMMY_YEARS:
        return ""
    return digits[:4] if len(digits) != 8 or digits.endswith(DUMMY_DAYS) else digits


def _age(text: str) -> float | None:
    found = re.fullmatch(r"(\d{1,3})([YMWD])?", text.upper())
    return float(found[1]) * YEARS[found[2] or "Y"] if found and int(found[1]) else None


def calendar_day(text: str) -> date | None:
    """Read a date (PS3.5 6.2, DA); None if it is absent, invalid or in a dummy year."""
    digits = re.sub(r"\D", "", text)
    if len(digits) != 8 or digits[:4] in DUMMY_YEARS:
        return None
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def contradiction(one: Person, other: Person) -> str:
    """Return the tag that proves two persons different; empty if they may be one person."""
    if one.id and other.id:
        return "PatientID" if one.id != other.id else ""
    if one.name and other.name and not (one.name <= other.name or other.name <= one.name):
        return "PatientName"
    if one.sex and other.sex and one.sex != other.sex:
        return "PatientSex"
    digits = min(len(one.birth), len(other.birth))
    if one.birth[:digits] != other.birth[:digits]:
        return "PatientBirthDate"
    return "PatientAge" if _ages_differ(one, other) else ""


def _ages_differ(one: Person, other: Person) -> bool:
    if one.age is None or other.age is None:
        return False
    grown = other.age - one.age
    if one.study is None or other.study is None or _is_dummy(one.study, other.study):
        return abs(grown) > AGE_SLACK_UNDATED
    return abs(grown - (other.study - one.study).days / DAYS_A_YEAR) > AGE_SLACK


def _is_dummy(one: date, other: date) -> bool:
    """Whether two studies share a dummy date such as 20000101, which tools write for all."""
    return one == other and f"{one:%m%d}" in DUMMY_DAYS
