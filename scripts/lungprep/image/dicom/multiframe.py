"""Split enhanced multi-frame CT into single frames (PS3.3 A.38, A.70).

Many elements that are at the top level of a single-frame image are in functional groups here (PS3.3
C.7.6.16). A group in SharedFunctionalGroupsSequence applies to all frames; a group in an item of
PerFrameFunctionalGroupsSequence applies to one frame.
"""

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from lungprep.errors import UndecodablePixels

# Functional group, keyword in the group, keyword in a single-frame image.
GROUPS = (
    ("PlanePositionSequence", "ImagePositionPatient", "ImagePositionPatient"),
    ("PlaneOrientationSequence", "ImageOrientationPatient", "ImageOrientationPatient"),
    ("PixelMeasuresSequence", "PixelSpacing", "PixelSpacing"),
    ("PixelMeasuresSequence", "SliceThickness", "SliceThickness"),
    ("PixelValueTransformationSequence", "RescaleSlope", "RescaleSlope"),
    ("PixelValueTransformationSequence", "RescaleIntercept", "RescaleIntercept"),
    ("PixelValueTransformationSequence", "RescaleType", "RescaleType"),
    ("CTImageFrameTypeSequence", "FrameType", "ImageType"),
    ("CTReconstructionSequence", "ConvolutionKernel", "ConvolutionKernel"),
    ("CTXRayDetailsSequence", "KVP", "KVP"),
    ("FrameContentSequence", "FrameAcquisitionNumber", "AcquisitionNumber"),
    ("FrameContentSequence", "TemporalPositionIndex", "TemporalPositionIndex"),
    (
        "CardiacSynchronizationSequence",
        "NominalPercentageOfCardiacPhase",
        "NominalPercentageOfCardiacPhase",
    ),
    (
        "RespiratorySynchronizationSequence",
        "NominalPercentageOfRespiratoryPhase",
        "NominalPercentageOfRespiratoryPhase",
    ),
    ("FrameContentSequence", "FrameAcquisitionDateTime", "AcquisitionTime"),
    ("FrameContentSequence", "FrameReferenceDateTime", "ContentTime"),
)
GROUP_OF = {keyword: group for group, _, keyword in GROUPS}
SHARED = "SharedFunctionalGroupsSequence"
PER_FRAME = "PerFrameFunctionalGroupsSequence"
# These are valid at the top level too, where they describe the object as a whole.
OF_OBJECT = {"ImageType", "AcquisitionNumber", "AcquisitionTime", "ContentTime"}
# No scanner makes an object of more frames.
MOST_FRAMES = 20_000


def flattened(key: str, dataset: Dataset) -> list[Dataset]:
    """Turn an enhanced object into one dataset per frame, in the order of the frames.

    Parameters
    ----------
    key : str
        Name in the store, for messages.
    dataset : Dataset
        An enhanced CT object.

    Returns
    -------
    list of Dataset
        One dataset per frame. It holds the object's elements without the functional groups, and
        the frame's values under the keywords of single-frame images. If a group is absent, its
        values are absent too. InstanceNumber is the number of the frame, from 1. All frames share
        the object's pixel data, which is not copied.

    Raises
    ------
    UndecodablePixels
        If NumberOfFrames and the functional groups contradict each other.
    """
    shared = next(iter(dataset.get(SHARED) or []), Dataset())
    items = list(dataset.get(PER_FRAME) or [])
    count = int(dataset.get("NumberOfFrames") or 1)
    if len(items) != count and (items or count > 1):
        raise UndecodablePixels(
            f"{key} announces {count} frames and describes {len(items)}", "upload it again"
        )
    dropped = {Tag(keyword) for keyword in {SHARED, PER_FRAME, *GROUP_OF} - OF_OBJECT}
    common = {tag: element for tag, element in dataset.items() if tag not in dropped}
    frames = []
    for number, item in enumerate(items or [Dataset()], start=1):
        frame = Dataset(dict(common))
        frame.file_meta = dataset.file_meta
        _set(frame, "InstanceNumber", number)
        _fill(frame, item, shared)
        frames.append(frame)
    return frames


def _fill(frame: Dataset, *sources: Dataset) -> None:
    """Set the values of a frame from its functional groups; the first source with a group wins."""
    for sequence, name, keyword in GROUPS:
        groups = next((source[sequence].value for source in sources if sequence in source), None)
        if groups and name in groups[0]:
            value = groups[0][name].value
            _set(frame, keyword, _time(str(value)) if keyword.endswith("Time") else value)


def _set(frame: Dataset, keyword: str, value: object) -> None:
    """Set a value in a new element, because the frames share the elements of the object."""
    tag = Tag(keyword)
    frame[tag] = DataElement(tag, dictionary_VR(tag), value, already_converted=True)


def _time(value: str) -> str:
    """Return the time of day in a DT value (PS3.5 6.2), without the offset from UTC."""
    return value[8:].partition("+")[0].partition("-")[0]
