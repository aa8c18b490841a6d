"""Freed memory kept for the next step: the same large tensors are made and freed in every step of a training."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # names in glibc's malloc.h
NEVER = 2**31 - 1


def keep_freed_memory() -> bool:
    """Let this process keep what it frees; returns whether the C library (glibc) took the order.

    By default glibc asks the system for each block above 32 MB and gives it back, and the system fills every page of
    it with zeros, each time: 8 % of a training step. The process then stays as large as it was at its largest, which a
    training reaches in its first step. To be called once, before a training; other C libraries are left as they are.
    """
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  others have a mallopt that means something else
        return bool(library.mallopt(M_MMAP_MAX, 0) and library.mallopt(M_TRIM_THRESHOLD, NEVER))
    except (AttributeError, OSError, TypeError):
        return False
