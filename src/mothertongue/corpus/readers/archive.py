"""Archives: tar, packed or not, as a stream, and zip. Each member is read as the file it is, under its own name.

Nothing is unpacked by name: names that leave the folder, links, devices and sparse members are counted and left out, a
member that grows like a bomb is given up, and so is an archive that does so with all that lies in it together. An
archive in an archive is read once, no deeper.
"""

from __future__ import annotations

import io
import math
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import BinaryIO, Literal, cast
from zipfile import ZipFile, ZipInfo

from mothertongue.corpus.document import Document
from mothertongue.corpus.outage import OutageError, refuse_outage
from mothertongue.corpus.readers import Reading, Room, read_one
from mothertongue.corpus.readers.copies import copied
from mothertongue.corpus.readers.files import Readable, head_of, read_blocks, size_of
from mothertongue.corpus.readers.zips import UnsafeMemberError, member_blocks, open_zip, zip_members
from mothertongue.errors import SourceError

_MAX_DEPTH = 2
_MAX_HEADER_BYTES = 1 << 20
_MAX_RATIO, _RATIO_FROM_BYTES = 1000, 1 << 28  # of all members to their archive
_HEADERS_BYTES = 76  # of a member of a zip, besides its name, twice
_KEPT_BYTES = 1 << 22  # of a stream that is looked at before it is read
_LONG_HEADERS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, b"X")


def read_archive(path: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of all members, in their order; their ids begin with the archive's name and their own."""
    if reading.room is None:
        size = size_of(path)  # if nobody knows it, what packs the stream has its own limit
        reading = replace(reading, room=Room(max(_RATIO_FROM_BYTES, _MAX_RATIO * size) if size else math.inf))
    if reading.depth >= _MAX_DEPTH:
        reading.drop("archive-too-deep", path.name, "")
    elif head_of(path, 4).startswith(b"PK"):
        yield from _read_zip(path, reading)
    else:
        yield from _read_tar(path, reading)


def _read_zip(path: Readable, reading: Reading) -> Iterator[Document]:
    with copied(path, reading) as copy:
        if copy is None:
            return
        with open_zip(copy, name=str(path)) as archive:

            def drop(reason: str, name: str) -> None:
                reading.drop(reason, f"{path.name}/{name}", "")

            for info in zip_members(archive, drop=drop):
                member = _ZipMember(archive, info, reading.room)
                yield from _read_member(member, info.filename, path, replace(reading, advance=lambda n: None))
                reading.advance(info.compress_size + 2 * len(info.filename) + _HEADERS_BYTES)


def _read_tar(path: Readable, reading: Reading) -> Iterator[Document]:
    stream = BlockFile(read_blocks(path, advance=reading.advance))
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as archive:
            for info in archive:
                archive.members = []  # type: ignore[attr-defined]  # it would remember every member
                if reason := _unsafe(info):
                    reading.drop(reason, f"{path.name}/{info.name[:200]}", "")
                elif info.isreg() and (file := archive.extractfile(info)):
                    member = _StreamMember(PurePosixPath(info.name).name, cast(BinaryIO, file), reading.room)
                    yield from _read_member(member, info.name, path, replace(reading, advance=lambda n: None))
    except (tarfile.TarError, EOFError, ValueError, OSError, RecursionError) as error:
        refuse_outage(path, error)
        raise stream.error or SourceError(
            f"{path} cannot be read as a tar archive to its end: {error}. Download or copy it again; then run the same "
            "command."
        ) from error


def _unsafe(info: tarfile.TarInfo) -> str | None:
    path = PurePosixPath(info.name)
    if info.isdir():
        return None
    if info.issym() or info.islnk():
        return "link-in-archive"
    if not info.isreg():
        return "not-a-file"
    if info.issparse():
        return "sparse-file"
    return "unsafe-path" if path.is_absolute() or ".." in path.parts or "\\" in info.name else None


def _read_member(member: Readable, name: str, archive: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of one member; what is wrong with it is counted, and the next one is read."""
    folder = str(PurePosixPath(archive.name) / PurePosixPath(name).parent)

    def drop(reason: str, id: str, text: str) -> None:
        reading.drop(reason, f"{folder}/{id}", text)

    inner = replace(reading, drop=drop, depth=reading.depth + 1)
    if PurePosixPath(name).name.startswith("."):
        return
    try:
        for document in read_one(member, inner):
            yield replace(document, id=f"{folder}/{document.id}")
    except OutageError:
        raise
    except UnsafeMemberError as error:
        drop(error.reason, member.name, "")
    except SourceError as error:
        drop("damaged-file", member.name, str(error))


class BlockFile(io.RawIOBase):
    """A stream of blocks as a file that can be read, and only that."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, memoryview(b"")
        self.error: SourceError | None = None  # that broke it off

    def readable(self) -> bool:
        """It can be read."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill `buffer` as far as the next block goes."""
        while not self._rest:
            try:
                block = next(self._blocks, None)
            except SourceError as error:
                self.error = error
                raise
            if block is None:
                return 0
            self._rest = memoryview(block)
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _within(room: Room | None, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The same blocks; UnsafeMemberError when there is no more room for them."""
    for block in blocks:
        if room and not room.take(len(block)):
            raise UnsafeMemberError("archive-bomb")
        yield block


@dataclass(frozen=True)
class _ZipMember:
    """A member of a zip archive: opened as often as need be."""

    archive: ZipFile
    info: ZipInfo
    room: Room | None

    @property
    def name(self) -> str:
        return PurePosixPath(self.info.filename).name

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(BlockFile(_within(self.room, member_blocks(self.archive, self.info)))))

    def __str__(self) -> str:
        return self.info.filename


@dataclass
class _StreamMember:
    """A member of a stream: what was looked at is kept, so that it can be opened again until it is read for good."""

    name: str
    file: BinaryIO
    room: Room | None
    kept: bytearray = field(default_factory=bytearray)
    lost: bool = False

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        if self.lost:
            raise OSError("a stream can be read only once")
        return cast(BinaryIO, io.BufferedReader(BlockFile(_within(self.room, self._replay()))))

    def _replay(self) -> Iterator[bytes]:
        at = 0
        while True:
            if at < len(self.kept):
                block = bytes(self.kept[at : at + io.DEFAULT_BUFFER_SIZE])
            else:
                block = self.file.read(1 << 16)
                self.lost = self.lost or len(self.kept) + len(block) > _KEPT_BYTES
                if not self.lost:
                    self.kept += block
            if not block:
                return
            at += len(block)
            yield block

    def __str__(self) -> str:
        return self.name


class _Header(tarfile.TarInfo):
    """A header that does not read names of gigabytes."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _LONG_HEADERS and self.size > _MAX_HEADER_BYTES:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]
