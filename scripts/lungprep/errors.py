"""All errors that lungprep raises on purpose.

Each states what was found and what to do; the caller at the boundary adds the patient::

    LungprepError
    ├── ConfigError              a config key or the cohort can't be used: nothing starts
    ├── DemoError                the demo's server, scan or cohort (in lungprep_demo)
    ├── StoreError               a request to a store failed
    │   ├── StoreUnreachable     a broken answer, after all retries
    │   │   ├── BrokenListing    the answer is not a complete listing
    │   │   └── NoAnswer         no answer at all
    │   ├── AccessRefused        credentials are missing, wrong or insufficient
    │   ├── RequestRefused       the store refuses the request for another reason
    │   ├── NotFound             the bucket or folder does not exist
    │   │   └── ObjectNotFound   the object does not exist
    │   ├── TransferMismatch     size or checksum differ from those sent or listed
    │   │   └── CorruptContent   the checksum is wrong on every read
    │   └── ContestedTarget      another run publishes the same patient
    ├── WorkspaceError           the run's own folder or machine failed
    │   ├── WorkspaceBusy        another run uses the folder
    │   └── OutOfMemory          a job needs more memory than it got
    │   └── OutOfMemory          a job needs more than it got
    └── DataError                this patient can't be processed; the others can
        ├── UnusableKey          the name of an object can't be requested
        ├── ArchivedObject       an object is in an archive tier and must be restored first
        ├── NoCTImages           the objects include no CT slice
        ├── SeveralPatients      the CT images belong to more than one person
        ├── NotOriginal          localizers and derived images only
        ├── SplitScan            the lungs continue in another series that can't be joined
        ├── TooFewSlices         a localizer, or the rest of a broken upload
        ├── TooShort             the slices cover less than a chest
        ├── MissingTag           a header lacks what the geometry or the HU scale needs
        ├── NotHounsfield        by the header, the values are not Hounsfield units
        ├── UnsupportedEncoding  a transfer syntax or pixel format that can't be trusted
        ├── UndecodablePixels    pixel data is absent, short or broken
        ├── SliceTooLarge        the header claims more pixels than any scanner makes
        ├── InconsistentSlices   size, spacing or orientation differ within the series
        ├── DuplicatePositions   slices with different content have the same position
        ├── MissingSlices        a gap is a multiple of the others
        ├── UnevenGaps           the gaps differ
        ├── StraySlices          slices do not match their neighbours
        ├── TiltedGantry         the stack is sheared
        ├── ShiftedSlices        slices are shifted within their plane
        ├── ObliqueSlices        the slices are turned too far from the patient's axes
        ├── GridTooLarge         the target grid would not fit in memory
        └── NoLungsFound         nothing in the volume looks like lungs
"""

import re

# User information before the host of a URL: a name, or a name and a password.
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")


def printable(text: str) -> str:
    """Text without characters that could control a terminal: names and tags come from outside."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


class LungprepError(Exception):
    """Base of all errors that are written for users.

    Parameters
    ----------
    found : str
        Problem, with the values.
    remedy : str
        Advice for the user, as an imperative.
    """

    # Whether another attempt may succeed.
    transient = False

    def __init__(self, found: str, remedy: str) -> None:
        found = _USERINFO.sub("***@", printable(found))
        super().__init__(f"{found}; {remedy}")
        self.found = found
        self.remedy = remedy


class ConfigError(LungprepError):
    """A config key or the cohort as a whole can't be used."""


class StoreError(LungprepError):
    """A request to the source or target store failed."""


class StoreUnreachable(StoreError):
    """No answer, or a broken one, after all retries."""

    transient = True


class BrokenListing(StoreUnreachable):
    """The answer is not a complete listing, so it does not show which objects exist."""


class NoAnswer(StoreUnreachable):
    """No answer: the connection failed, or ended before the first byte."""


class AccessRefused(StoreError):
    """Credentials are missing, wrong or insufficient."""


class RequestRefused(StoreError):
    """The store refuses the request, and would refuse it again."""


class NotFound(StoreError):
    """The bucket or folder does not exist."""


class ObjectNotFound(NotFound):
    """The object does not exist in the bucket or folder."""

    # A listed object was removed: a new listing shows the current objects.
    transient = True


class TransferMismatch(StoreError):
    """Size or checksum differ from those sent or listed."""

    transient = True


class CorruptContent(TransferMismatch):
    """The content's checksum differs from the store's on every read."""


class ContestedTarget(StoreError):
    """Another run publishes the same patient at the same time."""


class WorkspaceError(LungprepError):
    """The run's own folder or machine failed."""


class WorkspaceBusy(WorkspaceError):
    """Another run, or a job of one, uses the folder."""


class OutOfMemory(WorkspaceError):
    """A job needs more memory than it got."""

    transient = True


class DataError(LungprepError):
    """One patient can't be processed; the others can."""

    # Digest of the listing that was judged, if the objects were listed.
    source = ""


class UnusableKey(DataError):
    """The key of an object has a control character, or an empty or dot segment."""


class ArchivedObject(DataError):
    """An object is in an archive tier of S3 and must be restored before it can be read."""


class NoCTImages(DataError):
    """The patient's objects include no CT slice."""


class SeveralPatients(DataError):
    """The patient's CT images belong to more than one person."""


class NotOriginal(DataError):
    """All CT images of the patient are localizers, derived or secondary captures."""


class SplitScan(DataError):
    """The lungs continue in another series, and the two can't be joined."""


class TooFewSlices(DataError):
    """The series has fewer slices than a volume needs."""


class TooShort(DataError):
    """The slices of the series cover less than `load.min_length_mm`."""


class MissingTag(DataError):
    """A header lacks what the geometry or the HU scale needs."""


class NotHounsfield(DataError):
    """By their own header, the rescaled values are not Hounsfield units."""


class UnsupportedEncoding(DataError):
    """The transfer syntax or pixel format can't be trusted."""


class UndecodablePixels(DataError):
    """Pixel data is absent, short or broken."""


class SliceTooLarge(DataError):
    """A header or stream claims more pixels than any scanner makes."""


class InconsistentSlices(DataError):
    """Size, spacing or orientation differ within one series."""


class DuplicatePositions(DataError):
    """Slices with different content have the same position, and no tag distinguishes them."""


class MissingSlices(DataError):
    """A gap between slices is a multiple of the others."""


class UnevenGaps(DataError):
    """The gaps between slices differ."""


class StraySlices(DataError):
    """Slices show another position, side, scale or person than their neighbours."""


class TiltedGantry(DataError):
    """The slices are shifted in-plane, each by the same amount relative to the one before."""


class ShiftedSlices(DataError):
    """Some slices are shifted in-plane."""


class ObliqueSlices(DataError):
    """The slices are rotated further from the patient's axes than lungprep reslices."""


class GridTooLarge(DataError):
    """The target grid would not fit in memory."""


class NoLungsFound(DataError):
    """Nothing in the volume looks like lungs."""
