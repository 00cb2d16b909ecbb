"""Every error that lungprep raises on purpose.

Each one says what was found and what to do; the caller at the boundary adds who::

    LungprepError
    ├── ConfigError              a key of the config, or the cohort, can't be used: nothing starts
    ├── DemoError                the demo's server, scan or cohort (in lungprep.demo)
    ├── StoreError               the store did not do what was asked
    │   ├── StoreUnreachable     a broken answer, after all retries
    │   │   ├── BrokenListing    what came is no listing, or not all of one
    │   │   └── NoAnswer         or none at all
    │   ├── AccessRefused        credentials are missing, wrong or not enough
    │   ├── RequestRefused       the store does not do what was asked, for another reason
    │   ├── NotFound             no such bucket or folder
    │   │   └── ObjectNotFound   no such object in it
    │   ├── TransferMismatch     size or checksum differ from what was sent or promised
    │   │   └── CorruptContent   each time that it is read
    │   └── ContestedTarget      another run publishes the same patient
    ├── WorkspaceError           the run's own folder or machine did not do what was asked
    │   ├── WorkspaceBusy        another run is at work in it
    │   └── OutOfMemory          a job needs more than it got
    └── DataError                this patient can't be processed; the others can
        ├── UnusableKey          an object is named so that it can't be asked for
        ├── ArchivedObject       an object is in an archive tier and must be restored first
        ├── NoCTImages           not one CT slice among the objects
        ├── SeveralPatients      the CT images are of more than one person
        ├── NotOriginal          localizers and derived images only
        ├── SplitScan            the lungs go on in another series that can't be joined
        ├── TooFewSlices         a localizer, or the rest of a broken upload
        ├── TooShort             the slices cover less than a chest
        ├── MissingTag           a header lacks what the geometry or the HU scale needs
        ├── NotHounsfield        the header says that the values are no Hounsfield units
        ├── UnsupportedEncoding  a transfer syntax or pixel format that can't be trusted
        ├── UndecodablePixels    pixel data is absent, short or broken
        ├── SliceTooLarge        the header claims more pixels than any scanner makes
        ├── InconsistentSlices   size, spacing or orientation differ within the series
        ├── DuplicatePositions   slices of other content lie at one position
        ├── MissingSlices        a gap is a multiple of the others
        ├── UnevenGaps           the gaps differ
        ├── StraySlices          slices show something else than their neighbours
        ├── TiltedGantry         the stack is sheared
        ├── ShiftedSlices        slices lie aside of the stack
        ├── ObliqueSlices        the slices are turned too far from the patient's axes
        ├── GridTooLarge         the target grid would not fit in memory
        └── NoLungsFound         nothing in the volume looks like lungs
"""

import re

# What stands before the host of a URL: a name, or a name and a password.
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


def printable(text: str) -> str:
    """Text without what could steer a terminal: names and tag values come from outside."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class LungprepError(Exception):
    """Base of all errors that a user is meant to read.

    Parameters
    ----------
    found : str
        What was found, with the values.
    remedy : str
        What the user can do about it, as an imperative.
    """

    # Whether it may be gone at the next attempt.
    transient = False

    def __init__(self, found: str, remedy: str) -> None:
        found = _USERINFO.sub("***@", printable(found))
        super().__init__(f"{found}; {remedy}")
        self.found = found
        self.remedy = remedy


class ConfigError(LungprepError):
    """A config key or the cohort as a whole can't be used."""


class StoreError(LungprepError):
    """The source or target store did not do what was asked."""


class StoreUnreachable(StoreError):
    """No answer, or a broken one, after all retries."""

    transient = True


class BrokenListing(StoreUnreachable):
    """An answer that is no listing, or not all of one: it says nothing of what there is."""


class NoAnswer(StoreUnreachable):
    """The store said nothing: no connection, or one that ended before the first byte."""


class AccessRefused(StoreError):
    """Credentials are missing, wrong or not enough."""


class RequestRefused(StoreError):
    """The store does not do what was asked, and would not if it were asked again."""


class NotFound(StoreError):
    """No such bucket or folder."""


class ObjectNotFound(NotFound):
    """No such object in the bucket or folder."""

    # One that was listed and is gone: another listing tells what there is now.
    transient = True


class TransferMismatch(StoreError):
    """Size or checksum differ from what was sent or promised."""

    transient = True


class CorruptContent(TransferMismatch):
    """The content has another checksum than the store says, each time that it is read."""


class ContestedTarget(StoreError):
    """Another run publishes the same patient at the same time."""


class WorkspaceError(LungprepError):
    """The run's own folder or machine did not do what was asked."""


class WorkspaceBusy(WorkspaceError):
    """Another run, or a job of one, is at work in the folder."""


class OutOfMemory(WorkspaceError):
    """A job needs more memory than it got."""

    transient = True


class DataError(LungprepError):
    """One patient can't be processed; the others can."""

    # Digest of the listing that was judged, where the objects were listed.
    source = ""


class UnusableKey(DataError):
    """The key of an object has a control character, or an empty or dot segment."""


class ArchivedObject(DataError):
    """An object lies in an archive tier of S3, from which nobody reads before it is restored."""


class NoCTImages(DataError):
    """Not one CT slice among the objects of the patient."""


class SeveralPatients(DataError):
    """The CT images of the patient are of more than one person."""


class NotOriginal(DataError):
    """All CT images of the patient are localizers, derived or secondary captures."""


class SplitScan(DataError):
    """The lungs of the series go on in another one, and the two can't be joined."""


class TooFewSlices(DataError):
    """The series has fewer slices than a volume needs."""


class TooShort(DataError):
    """The slices of the series cover less than `load.min_length_mm`."""


class MissingTag(DataError):
    """A header lacks what the geometry or the HU scale needs."""


class NotHounsfield(DataError):
    """The rescaled values are no Hounsfield units, by their own header."""


class UnsupportedEncoding(DataError):
    """A transfer syntax or pixel format that can't be trusted."""


class UndecodablePixels(DataError):
    """Pixel data is absent, short or broken."""


class SliceTooLarge(DataError):
    """A header or stream claims more pixels than any scanner makes."""


class InconsistentSlices(DataError):
    """Size, spacing or orientation differ within one series."""


class DuplicatePositions(DataError):
    """Slices of other content lie at one position, and no tag tells them apart."""


class MissingSlices(DataError):
    """A gap between slices is a multiple of the others."""


class UnevenGaps(DataError):
    """The gaps between slices differ."""


class StraySlices(DataError):
    """Slices show something else than their neighbours: another place, side, scale or person."""


class TiltedGantry(DataError):
    """The slices are shifted in-plane, each by as much as the one before."""


class ShiftedSlices(DataError):
    """Some slices are shifted in-plane."""


class ObliqueSlices(DataError):
    """The slices are turned further from the patient's axes than is resliced."""


class GridTooLarge(DataError):
    """The target grid would not fit in memory."""


class NoLungsFound(DataError):
    """Nothing in the volume looks like lungs."""
