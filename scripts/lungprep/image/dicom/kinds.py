"""Tell CT images from the other kinds of DICOM objects that lie beside them."""

from pydicom.dataset import Dataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

ENHANCED = {EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage}
CT_CLASSES = {CTImageStorage, *ENHANCED}
# Secondary Capture Image Storage and its four multi-frame classes (PS3.6 A): screenshots, even if
# they show CT.
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
# Defined terms of Modality (PS3.3 C.7.3.1.1.1) that occur beside chest CT.
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
    """Tell the kind of an object by its SOP class, or by its modality if that is not a CT class.

    Parameters
    ----------
    dataset : Dataset
        Header with `file_meta`, SOPClassUID and Modality; each of them may be absent.

    Returns
    -------
    str
        `CT` for a CT image; ``secondary capture``; a known Modality; `OTHER`; or an empty text if
        the header has neither SOP class nor modality, as in a truncated file.
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
