"""A training's memory: what lasts stands apart, and what is freed is kept for the next step, which needs it again."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4  # names in glibc's malloc.h
NEVER = 2**31 - 1
LARGE, ANY_NUMBER = 1 << 20, 1 << 16

MICRO_TOKENS = 768  # that a CPU takes at a time: more need more memory, and hardly less time


def sequences_at_once(length: int) -> int:
    """How many sequences of so many tokens a CPU computes together; the gradients of a batch's parts are added up."""
    return max(1, MICRO_TOKENS // length)


def set_large_blocks_apart() -> bool:
    """Let this process ask the system for each large block, until `keep_freed_memory`; returns whether glibc took it.

    Called before a training's first step, for the optimizer makes its moments in it: they last, and would lie among
    what comes and goes in every step, which then finds gaps of the wrong size only.
    """
    return _order({M_MMAP_MAX: ANY_NUMBER, M_MMAP_THRESHOLD: LARGE})


def keep_freed_memory() -> bool:
    """Let this process keep what it frees; returns whether the C library (glibc) took the order.

    By default glibc asks the system for each block above 32 MB and gives it back, and the system fills every page of
    it with zeros, each time: 8 % of a training step. The process then stays as large as it was at its largest, which a
    training reaches in its second step. Other C libraries are left as they are.
    """
    return _order({M_MMAP_MAX: 0, M_TRIM_THRESHOLD: NEVER})


def _order(settings: dict[int, int]) -> bool:
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018  others have a mallopt that means something else
        return all([library.mallopt(name, value) for name, value in settings.items()])
    except (AttributeError, OSError, TypeError):
        return False
