"""Recognise archives and compressed files by their first bytes.

A prefix may hold them instead of DICOM files.
"""

KINDS = {
    b"\x1f\x8b": "gzip",
    b"\x1f\x9d": ".Z",
    b"BZh": "bzip2",
    b"\xfd7zXZ\0": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"LZIP": "lzip",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"PK\x07\x08": "zip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "rar",
    b"MSCF": "cab",
}
TAR = slice(257, 262)
ISO_9660 = slice(0x8001, 0x8006)
FILES = " files"
SUFFIXES = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".lz", ".Z", ".zip", ".7z", ".rar")


def archive_kind(content: bytes) -> str:
    """Name the kind of an archive, such as ``gzip files``; empty for any other content."""
    kind = next((name for start, name in KINDS.items() if content.startswith(start)), "")
    if content[TAR] == b"ustar":
        kind = "tar"
    elif content[ISO_9660] == b"CD001":
        kind = "ISO 9660"
    return f"{kind}{FILES}" if kind else ""


def is_archive_kind(kind: str) -> bool:
    """Whether `archive_kind` names this kind of object."""
    return kind.endswith(FILES)


def without_suffix(key: str) -> str:
    """Remove the suffix of an archive from a key: ``1.dcm.gz`` becomes ``1.dcm``."""
    return next((key.removesuffix(end) for end in SUFFIXES if key.endswith(end)), key)
