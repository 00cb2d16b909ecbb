"""Make the allocator return freed memory to the system."""

import ctypes
from contextlib import suppress

# From glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3

#: Threshold while the objects of a series are freed one by one and the volume grows, bytes.
SLICES = 1 << 17
#: Threshold while slices are decoded, bytes: the largest that glibc accepts. Blocks that are
#: allocated and freed for each slice are then reused; a mapping for each would cost a tenth of the
#: CPU of a load.
VOLUMES = 1 << 25


def release_freed(smallest: int) -> None:
    """Give each new large block its own mapping, which is unmapped when the block is freed.

    By default, glibc keeps freed memory once a block of that size was freed before: a thousand
    decoded slices would still occupy the memory of their objects. If the C library lacks this
    setting, the function does nothing.

    Parameters
    ----------
    smallest : int
        Size from which a block counts as large, bytes; at most `VOLUMES`.
    """
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, smallest)
        mallopt(M_TRIM_THRESHOLD, 2 * smallest)
