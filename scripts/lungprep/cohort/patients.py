"""The patients of a run, and the locations of their slices."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lungprep.cohort.cohort_file import read_rows
from lungprep.errors import ConfigError, LungprepError
from lungprep.stores import Address, Store
from lungprep.stores.address import parse_address
from lungprep.stores.system_files import is_no_patient

# Ids become file names, keys and wildcards; only characters that are safe in all of them pass.
ACCEPTED_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
# Snakemake takes 20 repetitions at the end of a name for an endless recursion of a rule, and stops.
PERIODIC = re.compile(r"(.+)\1{19}$")
PERIODIC_RULE = "rename it: an id must not end in 20 repetitions, such as of one digit"
ID_RULE = (
    "rename it: an id has 1 to 128 of the characters A-Z a-z 0-9 . _ - and starts with a letter "
    "or digit"
)
VOLUME, LUNGS, SIDECAR = "{patient}.npy", "{patient}.lungs.npy", "{patient}.json"
FAILED = "{patient}.failed.json"
PREVIEW = "qc/{patient}.png"


@dataclass(frozen=True)
class Patient:
    """Patient: accepted id, location of the slices, and the requested series."""

    id: str
    prefix: Address
    series_uid: str | None = None


@dataclass(frozen=True)
class Cohort:
    """All patients of a run.

    Attributes
    ----------
    patients : dict of str to Patient
        Patients by id, in the order of the source.
    refused : dict of str to str
        Reasons by name, for names that can't be ids.
    beside : str
        Text about anything in the source beside the patients' folders; may be empty.
    """

    patients: dict[str, Patient]
    refused: dict[str, str] = field(default_factory=dict)
    beside: str = ""

    @property
    def size(self) -> int:
        """Number of patients, including refused ones."""
        return len(self.patients) + len(self.refused)


def from_listing(source: Store) -> Cohort:
    """Make a cohort from the folders directly below the source, except hidden and system folders.

    Raises
    ------
    ConfigError
        If no folder is a patient, or files of two patients would have the same name.
    StoreError
        If the source can't be listed.
    """
    level = source.level()
    names, beside = [name for name in level.folders if not is_no_patient(name)], level.beside()
    if not names:
        raise ConfigError(
            f"no patient under source {source.address}{beside and f', but {beside}'}",
            "give the prefix that holds the patients' folders",
        )
    cohort = _cohort(Patient(name, source.address.join(name)) for name in names)
    if beside:
        beside = (
            f"beside the patients' folders in {source.address}: {beside}; none of it is read: "
            "slices of a patient belong in a folder"
        )
    return replace(cohort, beside=beside)


def from_csv(path: str | Path, source: Address) -> Cohort:
    """Read the cohort file.

    Parameters
    ----------
    path : str or Path
        CSV with a header line, columns ``patient,prefix`` and optionally ``series_uid``; see
        `lungprep.cohort.cohort_file.read_rows`.
    source : Address
        Base of relative prefixes.

    Raises
    ------
    ConfigError
        If the file can't be read, a column is missing, a patient occurs twice, a prefix is
        invalid, two rows would read the same slices, or files of two patients would have the same
        name.
    """
    rows = read_rows(path)
    lines: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        lines[row.patient].append(row.line)
    twice = next((name for name in lines if len(lines[name]) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"patients file {path} names patient {twice!r} {len(lines[twice])} times, in lines "
            f"{' and '.join(str(line) for line in lines[twice][:2])}",
            "keep one row",
        )
    patients = [
        Patient(row.patient, _prefix(row.patient, row.prefix, source), row.series_uid)
        for row in rows
    ]
    _check_apart(path, patients, [row.line for row in rows])
    return _cohort(patients)


def _check_apart(path: str | Path, patients: list[Patient], lines: list[int]) -> None:
    """Refuse two rows that would read the same slices: one location is or contains the other.

    Rows that request different series may share a location.
    """
    places = [patient.prefix.place for patient in patients]
    # Stack of the locations that contain the current one, outermost first; row by series of each.
    around: list[tuple[tuple[str, str], dict[str | None, int]]] = []
    for row in sorted(range(len(places)), key=lambda row: places[row]):
        bucket, prefix = places[row]
        while around and not (around[-1][0][0] == bucket and prefix.startswith(around[-1][0][1])):
            around.pop()
        for _, rows in around:
            other = _rival(patients[row].series_uid, rows)
            if other is not None:
                one, two = sorted((row, other), key=lambda row: lines[row])
                raise ConfigError(
                    f"patients {patients[one].id!r} and {patients[two].id!r} (lines {lines[one]} "
                    f"and {lines[two]} of patients file {path}) would read the same slices, in "
                    f"{patients[row].prefix}",
                    "keep one row, or give each row its own series_uid",
                )
        if not around or around[-1][0] != places[row]:
            around.append((places[row], {}))
        around[-1][1][patients[row].series_uid] = row


def _rival(series_uid: str | None, rows: dict[str | None, int]) -> int | None:
    """Row of a location that may use the series that another row requests."""
    if series_uid is None:
        return next(iter(rows.values()), None)
    return rows.get(series_uid, rows.get(None))


def check_prefixes(cohort: Cohort, target: Address) -> None:
    """Refuse a patient whose slices are inside the target, or the reverse.

    Raises
    ------
    ConfigError
        If there is such a patient; the text names the first one.
    """
    for patient in cohort.patients.values():
        if target.holds(patient.prefix) or patient.prefix.holds(target):
            raise ConfigError(
                f"prefix {patient.prefix} of patient {patient.id} and target {target} overlap",
                "choose two separate places",
            )


def _prefix(patient: str, text: str | None, source: Address) -> Address:
    key = f"prefix of patient {patient!r}"
    if text and ("://" in text or text.startswith(("/", "~"))):
        return parse_address(key, text)
    segments = (text or "").removesuffix("/").split("/")
    if {"", ".", ".."} & set(segments):
        raise ConfigError(f"{key} is {text!r}", "give the folder below the source, or an address")
    return source.join("/".join(segments))


def _cohort(patients: Iterable[Patient]) -> Cohort:
    accepted: dict[str, Patient] = {}
    refused: dict[str, str] = {}
    for patient in patients:
        if not ACCEPTED_ID.fullmatch(patient.id):
            refused[patient.id] = str(LungprepError("not usable as a patient id", ID_RULE))
        elif PERIODIC.search(patient.id):
            refused[patient.id] = str(LungprepError("not usable as a patient id", PERIODIC_RULE))
        else:
            accepted[patient.id] = patient
    owners: dict[str, str] = {}
    for patient_id in accepted:
        for pattern in (VOLUME, LUNGS, SIDECAR, FAILED):
            name = pattern.format(patient=patient_id)
            if name in owners:
                raise ConfigError(
                    f"patients {owners[name]} and {patient_id} would both write {name}",
                    "rename one of them",
                )
            owners[name] = patient_id
    return Cohort(accepted, refused)
