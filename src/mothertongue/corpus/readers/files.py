"""Bytes of a file in blocks of bounded size, whatever it is packed with: plain, .gz, .bz2, .xz, .zst, also several
streams in a row.

What packs is told by the first bytes, not by the name. A cut or damaged archive is one clear error that says how far
it got. A file is a path, or anything else that has a name and opens: a member of an archive, a file on a server.
"""

from __future__ import annotations

import bz2
import lzma
import math
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from mothertongue.corpus.outage import OutageError, refuse_outage
from mothertongue.errors import SourceError

READ_BYTES = 1 << 16
BLOCK_BYTES = 1 << 20  # an unpacked block is never larger, so an archive bomb costs time but no memory
_ZSTD_PART_BYTES = 1 << 8  # zstd cannot be stopped half-way: 256 bytes in mean at most 8 MB out
_ZSTD_WINDOW_BYTES = 1 << 27
_MAX_RATIO = 1000  # text packs 3-30 times smaller; what grows more, for long, is made to fill disks
_RATIO_FROM_BYTES = 1 << 28

_MAGIC: dict[bytes, str] = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst"}


class Readable(Protocol):
    """What readers read: a Path, a member of an archive, a file on a server. It may be opened more than once."""

    @property
    def name(self) -> str:
        """Its last name: what documents' ids begin with."""

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        """Its bytes from the beginning; perhaps not seekable."""


def size_of(path: Readable) -> int:
    """How many bytes it has on disk or on its server; 0 if nobody knows."""
    return path.stat().st_size if isinstance(path, Path) else int(getattr(path, "size", 0))


def version_of(path: Readable) -> str:
    """What a server says that stands for the content of what is no file here."""
    return str(getattr(path, "version", ""))


def packing_of(head: bytes) -> str:
    """How a file that begins with `head` is packed; "" if it is not."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")


def read_blocks(
    path: Readable, *, advance: Callable[[int], None] = lambda n: None, ours: bool = False
) -> Iterator[bytes]:
    """The unpacked bytes of `path`, in order. SourceError if it cannot be read to its end, or grows like a bomb, and
    OutageError if that says nothing of the file; what is `ours` may grow as it likes: one letter packs like a bomb.
    """
    try:
        with path.open("rb") as file:
            source = _Counted(path, file, advance)
            first = source.read()
            packing = packing_of(first)
            ratio = math.inf if ours else _MAX_RATIO
            yield from _unpack(source, first, packing, ratio) if packing else chain([first] if first else [], source)
    except OSError as error:
        refuse_outage(path, error)
        raise SourceError(
            f"{path} cannot be read: {error.strerror or error}. Check that it is there and may be read."
        ) from error


def head_of(path: Readable, size: int) -> bytes:
    """The first `size` unpacked bytes, or fewer if the file is shorter or damaged."""
    head = b""
    try:
        for block in read_blocks(path):
            head += block
            if len(head) >= size:
                break
    except SourceError as error:
        if not head or isinstance(error, OutageError):
            raise
    return head[:size]


class _Counted:
    """A file in blocks that remembers how far it was read."""

    def __init__(self, path: Readable, file: BinaryIO, advance: Callable[[int], None]) -> None:
        self.path, self.file, self.advance, self.at = path, file, advance, 0

    def read(self) -> bytes:
        block = self.file.read(READ_BYTES)
        self.at += len(block)
        self.advance(len(block))
        return block

    def __iter__(self) -> Iterator[bytes]:
        while block := self.read():
            yield block


def _unpack(source: _Counted, first: bytes, packing: str, ratio: float) -> Iterator[bytes]:
    unpacked, stream = 0, None
    try:
        for data in chain([first], source):
            while data:
                if stream is None:
                    data = data.lstrip(b"\0") if packing in ("gz", "xz") else data  # padding between streams
                    if not data:
                        break
                    stream = _STREAMS[packing]()
                for block in stream.feed(data):
                    unpacked += len(block)
                    if unpacked > max(_RATIO_FROM_BYTES, ratio * source.at):
                        raise _broken(source, unpacked, f"grows more than {_MAX_RATIO:,} times, like an archive bomb")
                    yield block
                data, stream = (stream.rest, None) if stream.ended else (b"", stream)
    except (OSError, EOFError, lzma.LZMAError, zlib.error, ValueError, _zstd_error()) as error:
        refuse_outage(source.path, error)
        raise _broken(source, unpacked, f"is damaged ({error})") from error
    if stream is not None:
        raise _broken(source, unpacked, "ends before its archive does")


def _broken(source: _Counted, unpacked: int, what: str) -> SourceError:
    size = size_of(source.path)
    of = f" of {size:,}" if size else ""
    return SourceError(
        f"{source.path} {what}: {unpacked:,} bytes of text were read up to byte {source.at:,}{of}. "
        "Download or copy the file again and compare its checksum; then run the same command."
    )


class _Stream:
    """One packed stream: `feed` bytes, get blocks; then `ended` and the `rest` that belongs to the next stream."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    @property
    def ended(self) -> bool:
        return bool(self.engine.eof)

    @property
    def rest(self) -> bytes:
        return bytes(self.engine.unused_data)

    def feed(self, data: bytes) -> Iterator[bytes]:
        block = self.engine.decompress(data, BLOCK_BYTES)
        while True:
            if block:
                yield block
            if self.engine.eof or self.engine.needs_input:
                return
            block = self.engine.decompress(b"", BLOCK_BYTES)


class _Gzip(_Stream):
    def __init__(self) -> None:
        super().__init__(zlib.decompressobj(31))

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self.engine.eof:
            block = self.engine.decompress(data, BLOCK_BYTES)
            data = self.engine.unconsumed_tail
            if block:
                yield block


class _Zstd(_Stream):
    def __init__(self) -> None:
        import zstandard

        super().__init__(zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj())
        self._unread = b""

    @property
    def rest(self) -> bytes:
        return super().rest + self._unread

    def feed(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), _ZSTD_PART_BYTES):
            if block := self.engine.decompress(data[at : at + _ZSTD_PART_BYTES]):
                yield block
            if self.engine.eof:
                self._unread = data[at + _ZSTD_PART_BYTES :]
                return


_STREAMS: dict[str, Callable[[], _Stream]] = {
    "gz": _Gzip,
    "bz2": lambda: _Stream(bz2.BZ2Decompressor()),
    "xz": lambda: _Stream(lzma.LZMADecompressor(memlimit=1 << 28)),
    "zst": _Zstd,
}


def _zstd_error() -> type[Exception]:
    import zstandard

    error: type[Exception] = zstandard.ZstdError
    return error
