"""A copy of a dump in zstd beside the cache of downloads, made while the dump is read first: bz2 is slow to unpack.

Each span of a multistream dump has a file of its own, so that copies are made and read by all processes. A copy
belongs to the place, size and time of its dump; what is cut by a kill has another name and is never read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import zstandard

from mothertongue.corpus.config import CorpusConfig, cache_folder
from mothertongue.corpus.readers.files import packing_of, read_blocks
from mothertongue.corpus.readers.multistream import Span

LEVEL = 3


def dump_blocks(
    source: Path | Span, config: CorpusConfig, *, advance: Callable[[int], None] = lambda n: None
) -> Iterator[bytes]:
    """The unpacked bytes of a dump or a part of one; with cache = "zstd" from its copy, which is made if need be."""
    place = copy_of(source, config)
    if place is None:
        yield from read_blocks(source, advance=advance)
    elif place.is_file():
        yield from read_blocks(place, ours=True)
        advance(_ends(source)[1] - _ends(source)[0])
    else:
        yield from _copying(read_blocks(source, advance=advance), place)


def copy_of(source: Path | Span, config: CorpusConfig) -> Path | None:
    """Where the copy is or will be; None if none is wanted, or the source is not packed with bz2."""
    if config.cache != "zstd":
        return None
    path = source.path if isinstance(source, Span) else source
    with path.open("rb") as file:
        if packing_of(file.read(8)) != "bz2":
            return None
    state = path.stat()
    told = f"{path.resolve()}\0{state.st_size}\0{state.st_mtime_ns}"
    key = hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    start, end = _ends(source)
    return cache_folder(config) / "unpacked" / f"{path.name}-{key}" / f"{start:013d}-{end:013d}.zst"


def _ends(source: Path | Span) -> tuple[int, int]:
    return (source.start, source.end) if isinstance(source, Span) else (0, source.stat().st_size)


def _copying(blocks: Iterator[bytes], place: Path) -> Iterator[bytes]:
    """The blocks, written down on their way; the copy gets its name when all have been read."""
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        with zstandard.open(unfinished, "wb", cctx=zstandard.ZstdCompressor(level=LEVEL)) as copy:
            for block in blocks:
                copy.write(block)
                yield block
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
