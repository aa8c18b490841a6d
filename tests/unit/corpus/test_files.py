"""Packed files are read in bounded blocks; a cut or damaged one is one clear error."""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from mothertongue.corpus.outage import OutageError
from mothertongue.corpus.readers.copies import copy_at_most
from mothertongue.corpus.readers.files import BLOCK_BYTES, read_blocks
from mothertongue.errors import SourceError

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": lambda data: bz2.compress(data, 1),
    "xz": lambda data: lzma.compress(data, preset=0),
    "zst": zstandard.ZstdCompressor(write_checksum=True).compress,
    "txt": bytes,
}
PACKED = [name for name in PACK if name != "txt"]
DATA = "".join(f"{number} řádek\n" for number in range(30_000)).encode()


@pytest.mark.parametrize("kind", PACK)
def test_every_packing_gives_back_the_bytes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"  # the name says nothing
    path.write_bytes(PACK[kind](DATA))
    assert b"".join(read_blocks(path)) == DATA


@pytest.mark.parametrize("kind", PACKED)
def test_several_streams_in_a_row_are_one_file(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(PACK[kind](DATA) + PACK[kind](b"") + PACK[kind](b"end"))
    assert b"".join(read_blocks(path)) == DATA + b"end"


@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("share", [0.3, 0.98])
def test_a_cut_archive_names_file_place_and_cure(tmp_path: Path, kind: str, share: float) -> None:
    path, packed = tmp_path / f"cut.{kind}", PACK[kind](DATA)
    path.write_bytes(packed[: int(len(packed) * share)])
    with pytest.raises(SourceError, match=rf"cut.{kind} .*bytes of text were read up to byte .*Download"):
        list(read_blocks(path))


@pytest.mark.parametrize("kind", PACKED)
def test_a_damaged_archive_is_a_clear_error(tmp_path: Path, kind: str) -> None:
    path, packed = tmp_path / f"bad.{kind}", bytearray(PACK[kind](DATA))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\x55" * 40
    path.write_bytes(packed)
    with pytest.raises(SourceError, match="bad"):
        list(read_blocks(path))


@pytest.mark.parametrize("kind", PACKED)
def test_rubbish_after_a_stream_is_an_error(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"tail.{kind}"
    path.write_bytes(PACK[kind](DATA) + b"this is not packed")
    with pytest.raises(SourceError, match="Download"):
        list(read_blocks(path))


@pytest.mark.parametrize("kind", PACKED)
def test_an_archive_bomb_is_unpacked_in_small_blocks(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"bomb.{kind}"
    path.write_bytes(PACK[kind](bytes(40_000_000)))
    tracemalloc.start()
    sizes = [len(block) for block in read_blocks(path)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sum(sizes) == 40_000_000
    assert peak < (20_000_000 if kind == "zst" else 6_000_000)
    assert max(sizes) <= (9_000_000 if kind == "zst" else BLOCK_BYTES)


def test_bytes_from_disk_are_reported(tmp_path: Path) -> None:
    path, seen = tmp_path / "file", list[int]()
    path.write_bytes(PACK["xz"](DATA))
    list(read_blocks(path, advance=seen.append))
    assert sum(seen) == path.stat().st_size


def test_a_missing_file_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.gz cannot be read"):
        list(read_blocks(tmp_path / "gone.gz"))


class Failing:
    """A file of a disk that fails while it is read."""

    name = "a.txt"

    def __init__(self, begins: bytes, error: OSError) -> None:
        self.blocks: list[bytes | OSError] = [begins, error]

    def open(self, mode: str, /) -> Any:
        return self

    def __enter__(self) -> Failing:
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, size: int) -> bytes:
        block = self.blocks.pop(0)
        if isinstance(block, OSError):
            raise block
        return block


@pytest.mark.parametrize("begins", [b"text ", gzip.compress(DATA)[:99]], ids=["plain", "packed"])
def test_a_failing_disk_is_no_damaged_file(begins: bytes) -> None:
    with pytest.raises(OutageError, match=r"Input/output error.*same command again"):
        list(read_blocks(Failing(begins, OSError(errno.EIO, os.strerror(errno.EIO)))))
    with pytest.raises(SourceError) as caught:
        list(read_blocks(Failing(begins, OSError("the library's own words for bad bytes"))))
    assert not isinstance(caught.value, OutageError)


def test_a_copy_for_which_there_is_no_room_is_no_fault_of_its_source() -> None:
    with Path("/dev/full").open("wb") as full, pytest.raises(OutageError, match="set TMPDIR"):
        copy_at_most(io.BytesIO(b"text"), full, 9)
    with pytest.raises(OSError, match=r"^cut$"):  # nor is a failing source the disk's
        copy_at_most(Failing(b"text", OSError("cut")), io.BytesIO(), 9)  # type: ignore[arg-type]


def test_an_empty_file_has_no_blocks(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert list(read_blocks(tmp_path / "empty")) == []
