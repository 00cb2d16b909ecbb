"""Names of files and folders that operating systems, file servers and tools create: not slices."""

import re

# In order: unzip on a Mac; Synology; QNAP; NetApp and NFS; Windows; a repaired file system;
# wastebaskets, whose slices were thrown away; version control and notebooks.
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
# Hidden names: folders of a source with such names are not patients.
_HIDDEN = re.compile(r"\.\w.*")


def is_no_patient(folder: str) -> bool:
    """Whether a folder of a source is hidden or a system folder."""
    return bool(_HIDDEN.fullmatch(folder) or _FOLDER.fullmatch(folder))


def is_left_by_a_system(file: str) -> bool:
    """Whether a file beside the patients' folders is hidden or a system file."""
    return bool(_HIDDEN.fullmatch(file) or _FILE.fullmatch(file))


def in_system_folder(key: str) -> bool:
    """Whether an object is in a system folder, at any depth."""
    return any(_FOLDER.fullmatch(folder) for folder in key.split("/")[:-1])
