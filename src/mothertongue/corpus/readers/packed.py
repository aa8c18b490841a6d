"""The books in a file: the file itself, or the members of a zip archive that are books by their name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import read_blocks
from mothertongue.corpus.readers.zips import UnsafeMemberError, open_zip, read_member, zip_members

_ZIP = b"PK\x03\x04"


def whole_books(path: Path, reading: Reading, suffixes: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    """(name for ids, bytes) of each book in `path`. Those above `max_book_megabytes` and unsafe members are dropped."""
    with path.open("rb") as file:
        zipped = file.read(4) == _ZIP
    most = reading.config.max_book_megabytes << 20
    if zipped:
        yield from _members(path, reading, suffixes, most)
        reading.advance(path.stat().st_size)
        return
    parts, size = list[bytes](), 0
    for block in read_blocks(path, advance=reading.advance):
        size += len(block)
        if size > most:
            reading.drop("book-too-large", path.name, "")
            return
        parts.append(block)
    yield path.name, b"".join(parts)


def _members(path: Path, reading: Reading, suffixes: tuple[str, ...], most: int) -> Iterator[tuple[str, bytes]]:
    with open_zip(path) as archive:
        for info in zip_members(archive, drop=lambda reason, name: reading.drop(reason, path.name, name)):
            if not info.filename.lower().endswith(suffixes):
                continue  # pictures and covers
            where = f"{path.name}/{info.filename}"
            try:
                yield where, read_member(archive, info, max_bytes=most)
            except UnsafeMemberError as error:
                reading.drop(error.reason, where, "")
