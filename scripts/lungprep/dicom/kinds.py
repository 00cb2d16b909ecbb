"""What a DICOM object is: a CT image, or one of the kinds that lie beside CT images."""

from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

ENHANCED = {EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage}
CT_CLASSES = {CTImageStorage, *ENHANCED}
# Secondary Capture Image Storage and its four multi-frame kinds (PS3.6 A): screenshots, even of CT.
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Defined terms of Modality (PS3.3 C.7.3.1.1.1) that prefixes of chest CT hold.
MODALITIES = frozenset(
    (
        *("CR", "DX", "ECG", "FID", "KO", "MG", "MR", "NM", "OT", "PR", "PT", "REG", "RF"),
        *("RTDOSE", "RTIMAGE", "RTPLAN", "RTRECORD", "RTSTRUCT", "RWV", "SC", "SEG", "SR"),
        *("US", "XA", "XC"),
    )
)
CT = "CT"
NOT_DICOM = "not DICOM"
OTHER = "other DICOM"


def kind_of(dataset: Dataset) -> str:
    """Tell by its SOP class what an object is, and by its modality where that is no CT class.

    Parameters
    ----------
    dataset : Dataset
        With `file_meta`, SOPClassUID and Modality, each of which may be absent.

    Returns
    -------
    str
        `CT` for a CT image; ``secondary capture``; a known Modality; `OTHER`; or nothing, where the
        object says nothing of the kind, as a file that breaks off early.
    """
    announced = dataset.file_meta.get("MediaStorageSOPClassUID", "")
    sop_class = str(dataset.get("SOPClassUID") or announced)
    modality = str(dataset.get("Modality") or "")
    if sop_class in CT_CLASSES or (not sop_class and modality == CT):
        return CT
    if f"{sop_class}.".startswith(f"{SECONDARY_CAPTURE}."):
        return "secondary capture"
    if modality in MODALITIES:
        return modality
    return OTHER if sop_class or modality else ""
