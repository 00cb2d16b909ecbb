"""Whether freed memory goes back to the system."""

import ctypes
from contextlib import suppress

# Of glibc's malloc.h.
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3

#: Bytes of what is let go one by one while something else grows: the objects of a series.
SLICES = 1 << 17
#: The most that glibc accepts. What is taken and freed again for each slice is then reused; a
#: mapping for each would cost a tenth of the CPU of a load.
VOLUMES = 1 << 25


def release_freed(smallest: int) -> None:
    """From now on, give each block of at least so many bytes a mapping that is unmapped when freed.

    Left alone, glibc keeps what is freed as soon as a block like it was freed before: a thousand
    decoded slices would still take up the memory of their objects. Where the C library has no such
    setting nothing happens.

    Parameters
    ----------
    smallest : int
        Bytes, at most `VOLUMES`.
    """
    with suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(M_MMAP_THRESHOLD, smallest)
        mallopt(M_TRIM_THRESHOLD, 2 * smallest)
