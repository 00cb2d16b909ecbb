"""Names that operating systems, file servers and tools leave beside the data: nobody's slices."""

import re

# unzip on a Mac; Synology; QNAP; NetApp and NFS; Windows; a repaired file system; wastebaskets,
# whose slices somebody threw away; version control and notebooks.
_FOLDER = re.compile(
    r"__MACOSX|@eaDir|[@#]recycle|#snapshot|@Recently-Snapshot|@sharesnap|@tmp|\.@__thumb"
    r"|[.~]snapshot|\.zfs|lost\+found|\$RECYCLE\.BIN|RECYCLER|RECYCLED|System Volume Information"
    r"|found\.\d{3}|\.Trash.*|Network Trash Folder|Temporary Items|\.TemporaryItems|\.AppleDouble"
    r"|\.AppleDB|\.AppleDesktop|\.Spotlight-V100|\.fseventsd|\.DocumentRevisions-V100|\.nfs.*"
    r"|\.git|\.svn|\.hg|\.ipynb_checkpoints|__pycache__",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"\.DS_Store|\._.*|Icon\r|Thumbs\.db.*|ehthumbs.*\.db|desktop\.ini|\.nfs.*|\.directory"
    r"|.*@SynoEAStream|.*@SynoResource|.*:Zone\.Identifier|DICOMDIR",
    re.IGNORECASE,
)
# What begins with a dot is hidden: no folder of a source that is so named is a patient.
_HIDDEN = re.compile(r"\.\w.*")


def is_no_patient(folder: str) -> bool:
    """Whether a folder of a source is hidden, or one of a system's."""
    return bool(_HIDDEN.fullmatch(folder) or _FOLDER.fullmatch(folder))


def is_left_by_a_system(file: str) -> bool:
    """Whether a file beside the patients' folders is hidden, or one of a system's."""
    return bool(_HIDDEN.fullmatch(file) or _FILE.fullmatch(file))


def in_system_folder(key: str) -> bool:
    """Whether an object lies in a folder of a system's, at any depth."""
    return any(_FOLDER.fullmatch(folder) for folder in key.split("/")[:-1])
