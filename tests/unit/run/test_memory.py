"""Freed memory stays with the process where glibc allocates, and nothing happens elsewhere."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

from mothertongue.run.memory import keep_freed_memory, set_large_blocks_apart

TWICE = """
import resource, sys
from mothertongue.run.memory import keep_freed_memory, set_large_blocks_apart
if sys.argv[1] != "given back" and not set_large_blocks_apart():
    sys.exit(5)
if sys.argv[1] == "kept" and not keep_freed_memory():
    sys.exit(5)
for turn in range(6):
    if turn == 2:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = bytearray(48 << 20)
    del block
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(way: str) -> int:
    done = subprocess.run([sys.executable, "-c", TWICE, way], capture_output=True, text=True, check=False)
    if done.returncode == 5:
        pytest.skip("this C library is not glibc")
    return int(done.stdout)


def test_a_block_that_was_freed_is_not_asked_for_again() -> None:
    assert page_faults("kept") < 1000 < min(page_faults("given back"), page_faults("apart"))


class _Strange:
    def __getattr__(self, name: str) -> object:
        raise AttributeError(name)


@pytest.mark.parametrize("error", [OSError, TypeError, None])
def test_other_systems_are_left_as_they_are(error: type[Exception] | None, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: object) -> object:
        if error:
            raise error("no C library")
        return _Strange()

    monkeypatch.setattr(ctypes, "CDLL", load)
    assert not keep_freed_memory() and not set_large_blocks_apart()
