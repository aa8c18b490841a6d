"""A dump in many bz2 streams, cut between them: each stream holds whole pages, and the index says where they begin.

`cswiki-20261101-pages-articles-multistream.xml.bz2` needs `cswiki-20261101-pages-articles-multistream-index.txt.bz2`
beside it, lines of `offset:page number:title`. An index that does not fit is not used: the dump is then read from its
beginning, with the same documents.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO, Literal, cast

from mothertongue.corpus.readers.export import Export, characters, pages_of
from mothertongue.corpus.readers.files import read_blocks
from mothertongue.errors import SourceError
from mothertongue.run.progress import say

SPAN_BYTES = 1 << 20
_NAME = re.compile(r"(?P<before>.*-multistream)(?P<part>\d*)\.xml(?P<pages>(-p\d+p\d+)?\.bz2)")
_MAGIC = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
_MAX_LINE_BYTES = 1 << 12
_MAX_HEAD_CHARACTERS = 4 << 20


@dataclass(frozen=True)
class Span:
    """Neighbouring streams of a dump, by their bytes in its file; the head is what stands before the first page."""

    path: Path
    start: int
    end: int
    head_end: int

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def is_last(self) -> bool:
        return self.end == self.path.stat().st_size

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        """The bytes of the span."""
        return cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, _Window(self.path, self.start, self.end))))

    def head(self) -> Head:
        """The streams before the first page, which every span needs: encoding, siteinfo."""
        return Head(self.path, 0, self.head_end, self.head_end)

    def __str__(self) -> str:
        return f"{self.path} (bytes {self.start:,} to {self.end:,})"


class Head(Span):
    """The beginning of a dump: no pages, so it is short."""

    def read(self) -> str:
        """Its text; ValueError if it is long."""
        parts, size = list[str](), 0
        for part in characters(read_blocks(self)):
            parts.append(part)
            size += len(part)
            if size > _MAX_HEAD_CHARACTERS:
                raise ValueError("there is too much before its first page")
        return "".join(parts)


class _Window(io.RawIOBase):
    """A part of a file, as if it were one."""

    def __init__(self, path: Path, start: int, end: int) -> None:
        self._file, self._start, self._size, self._at = path.open("rb", buffering=0), start, end - start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._size)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self._file.seek(self._start + self._at)
        data = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        self._file.close()
        super().close()


def index_of(path: Path) -> Path | None:
    """The index of a dump, if it lies beside it."""
    named = _NAME.fullmatch(path.name)
    index = path.with_name(f"{named['before']}-index{named['part']}.txt{named['pages']}") if named else None
    return index if index and index.is_file() else None


def spans_of(path: Path, *, span_bytes: int = SPAN_BYTES) -> list[Span]:
    """The dump in spans of at least `span_bytes`, in order; empty if it has no index, or one that does not fit."""
    index = index_of(path)
    if index is None:
        return []
    try:
        starts = list(_starts(index, path.stat().st_size, span_bytes))
        _compare(starts, path)
        _look_at(Head(path, 0, starts[0], starts[0]))
    except (SourceError, ValueError, OSError) as error:
        say(f"  {index.name} does not fit {path.name} ({error}): the dump is read from its beginning, by one process.")
        return []
    ends = [*starts[1:], path.stat().st_size]
    return [Span(path, start, end, starts[0]) for start, end in zip(starts, ends, strict=True)]


def _starts(index: Path, size: int, span_bytes: int) -> Iterator[int]:
    """Where spans begin: offsets of the index that are far enough from one another."""
    from mothertongue.corpus.readers.jsonl import split_lines  # which imports much that a dump does not need

    last = before = -span_bytes
    for number, line, whole in split_lines(read_blocks(index), max_bytes=_MAX_LINE_BYTES):
        digits = line[:20].partition(b":")[0]
        if not whole or not digits.isdigit():
            raise ValueError(f"line {number} is not offset:number:title")
        offset = int(digits)
        if offset < before or not 0 < offset < size:
            raise ValueError(f"line {number}: offset {offset} is not behind {max(before, 0)} and before {size}")
        before = offset
        if offset - last >= span_bytes:
            yield offset
            last = offset


def _look_at(head: Head) -> None:
    """ValueError if there are pages before the first that the index knows."""
    export = Export(max_bytes=_MAX_HEAD_CHARACTERS)
    if list(pages_of([head.read().encode()], export, where=head, last=False)):
        raise ValueError("there are pages before the first one that it lists")


def _compare(starts: list[int], path: Path) -> None:
    """ValueError unless a stream begins at every start, and at the beginning of the file."""
    if not starts or any(after <= before for before, after in pairwise(starts)):
        raise ValueError("it lists no pages")
    with path.open("rb") as file:
        for start in [0, *starts]:
            file.seek(start)
            if not _MAGIC.match(file.read(10)):
                raise ValueError(f"no stream begins at byte {start:,}")
