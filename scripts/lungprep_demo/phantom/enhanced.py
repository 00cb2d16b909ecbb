"""Write a scanned phantom as one enhanced multi-frame CT object (PS3.3 A.38)."""

from copy import deepcopy

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedCTImageStorage

from lungprep_demo.phantom.chest import Phantom
from lungprep_demo.phantom.dicom import PHI, encode, images
from lungprep_demo.phantom.scan import Scan

NAME = "enhanced.dcm"
# Functional groups (PS3.3 C.7.6.16): by keyword in the group, the keyword of a single-frame image.
SHARED = {
    "PixelMeasuresSequence": {"PixelSpacing": "PixelSpacing", "SliceThickness": "SliceThickness"},
    "PlaneOrientationSequence": {"ImageOrientationPatient": "ImageOrientationPatient"},
    "CTImageFrameTypeSequence": {"FrameType": "ImageType"},
    "CTReconstructionSequence": {"ConvolutionKernel": "ConvolutionKernel"},
    "CTXRayDetailsSequence": {"KVP": "KVP"},
}
PER_FRAME = {
    "PlanePositionSequence": {"ImagePositionPatient": "ImagePositionPatient"},
    "PixelValueTransformationSequence": {
        "RescaleSlope": "RescaleSlope",
        "RescaleIntercept": "RescaleIntercept",
        "RescaleType": "RescaleType",
    },
    "FrameContentSequence": {"InStackPositionNumber": "InstanceNumber"},
}
# InstanceNumber stays, because the multi-frame object has one too.
MOVED = {
    keyword
    for groups in (SHARED, PER_FRAME)
    for group in groups.values()
    for keyword in group.values()
} - {"InstanceNumber"}


def enhanced(phantom: Phantom, scan: Scan | None = None) -> tuple[str, bytes]:
    """Scan a phantom into one object, with the same voxels, geometry and PHI as `slices`.

    Parameters
    ----------
    phantom : Phantom
        Patient to scan.
    scan : Scan, optional
        Geometry and encoding; `signed` and `padding` must be the same for all slices. Slope,
        intercept and position are in each frame's functional groups, the rest in the shared ones.
        `edit` is called once, with index 0.

    Returns
    -------
    name : str
        File name.
    content : bytes
        DICOM file with preamble; its frames are in the order of InstanceNumber.
    """
    scan = Scan() if scan is None else scan
    frames = sorted(images(phantom, scan), key=lambda frame: int(frame.InstanceNumber))
    dataset = deepcopy(frames[0])
    for keyword in MOVED:
        delattr(dataset, keyword)
    dataset.SOPClassUID = EnhancedCTImageStorage
    dataset.ImageType = [*frames[0].ImageType[:2], "VOLUME", "NONE"]
    dataset.InstanceNumber = 1
    dataset.AcquisitionDateTime = f"{PHI['AcquisitionDate']}{PHI['StudyTime']}"
    dataset.NumberOfFrames = len(frames)
    dataset.SharedFunctionalGroupsSequence = Sequence([_groups(frames[0], SHARED)])
    dataset.PerFrameFunctionalGroupsSequence = Sequence([_groups(f, PER_FRAME) for f in frames])
    dataset.PixelData = b"".join(frame.PixelData for frame in frames)
    return NAME, encode(dataset, scan, 0)


def _groups(frame: Dataset, groups: dict[str, dict[str, str]]) -> Dataset:
    item = Dataset()
    for sequence, keywords in groups.items():
        values = Dataset()
        for keyword, single in keywords.items():
            setattr(values, keyword, frame[single].value)
        setattr(item, sequence, Sequence([values]))
    return item
