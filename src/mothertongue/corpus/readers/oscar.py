"""OSCAR, every release: 2019 (shuffled lines), 21.09 (text beside a file of metadata), 22.01 and 23.01 (JSON lines),
mOSCAR (Parquet); the last three are records, told apart in `oscar_records.py`.

A text of 21.09 has a blank line between documents, and the metadata says for each which lines it is; 2019 was
shuffled line by line, so there each line is a document. A text with a blank line near its beginning is of the first
kind. What stands in which line is taken from the text itself; metadata that does not fit is counted and left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import Readable, head_of, read_blocks
from mothertongue.corpus.readers.jsonl import parse_json, read_jsonl, split_lines
from mothertongue.corpus.readers.text import split_text

_HEAD_BYTES = 1 << 20
_TEXT = re.compile(r"(?P<before>[a-z-]{2,7}(_dedup)?)(?P<after>(_part_\d+)?)\.txt(\.(gz|bz2|xz|zst))?", re.I)
_METADATA = re.compile(r"(?P<before>[a-z-]{2,7}(_dedup)?)_meta(?P<after>(_part_\d+)?)\.jsonl(\.(gz|bz2|xz|zst))?", re.I)
_CHECKSUMS = re.compile(r"(?P<before>[a-z-]{2,7}(_dedup)?)_sha256\.txt", re.I)
_PACKINGS = ("", ".gz", ".bz2", ".xz", ".zst")


def read_oscar(path: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of one file of a release; those that its annotations rule out are dropped."""
    head = head_of(path, _HEAD_BYTES)
    if _CHECKSUMS.fullmatch(path.name) or _is_metadata(path):
        return  # they speak of other files
    if head.startswith(b"PAR1"):
        from mothertongue.corpus.readers.parquet import read_parquet

        yield from read_parquet(path, reading)
    elif head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        yield from read_jsonl(path, reading)
    else:
        yield from _read_text(path, reading, whole_documents=b"\n\n" in head.replace(b"\r", b""))


def belongs_to_oscar(path: Readable) -> bool:
    """Whether a file is one of OSCAR's texts or what comes with it, by its name and its neighbours'."""
    if _is_metadata(path):
        return True
    found = _TEXT.fullmatch(path.name) or _CHECKSUMS.fullmatch(path.name)
    if not found or not isinstance(path, Path):
        return False
    others = {file.name for file in path.parent.iterdir() if file.name.startswith(found["before"])} - {path.name}
    return any(_METADATA.fullmatch(name) or _CHECKSUMS.fullmatch(name) or _is_part(name, found) for name in others)


def _is_part(name: str, checksums: re.Match[str]) -> bool:
    return checksums.re is _CHECKSUMS and (_TEXT.fullmatch(name) is not None or ".jsonl" in name)


def _is_metadata(path: Readable) -> bool:
    """A file of metadata alone, as 21.09 has it; 23.01 calls its documents so as well, but has no text beside them."""
    found = _METADATA.fullmatch(path.name)
    if not found or not isinstance(path, Path):
        return False
    return _beside(path, f"{found['before']}{found['after']}.txt") is not None


def _beside(path: Path, name: str) -> Path | None:
    return next((file for packing in _PACKINGS if (file := path.with_name(name + packing)).is_file()), None)


@dataclass(frozen=True)
class _Block:
    """The lines of a text between two blank ones; `first` counts all lines of the file from 0."""

    first: int
    lines: list[str]
    goes_on: bool  # it was cut since it is long


def _read_text(path: Readable, reading: Reading, *, whole_documents: bool) -> Iterator[Document]:
    lines = _lines(path, reading)
    if not whole_documents:
        for number, line in lines:
            yield from _pieces(line, f"{path.name}#{number + 1}", {}, reading)
        return
    urls = _Urls(path, reading)
    for block in _blocks(lines, limit=reading.config.max_document_characters):
        url = urls.of(block)
        where = f"{path.name}#{block.first + 1}"
        yield from _pieces("\n".join(block.lines), where, {"url": url} if url else {}, reading)
    urls.end()


def _pieces(text: str, where: str, meta: dict[str, str], reading: Reading) -> Iterator[Document]:
    limit = reading.config.max_document_characters
    for number, piece in enumerate(split_text(iter([text]), separator=None, limit=limit)):
        if not piece.isspace():
            yield Document(piece, f"{where}.{number}" if number else where, reading.name, dict(meta))


def _lines(path: Readable, reading: Reading) -> Iterator[tuple[int, str]]:
    """(number from 0, line); one that is too long counts as blank."""
    blocks = read_blocks(path, advance=reading.advance)
    for number, line, whole in split_lines(blocks, max_bytes=reading.config.max_line_megabytes << 20):
        if not whole:
            reading.drop("line-too-long", f"{path.name}#{number}", line[:1000].decode("utf-8", "replace"))
        yield number - 1, line.decode("utf-8", "replace").rstrip("\r") if whole else ""


def _blocks(lines: Iterator[tuple[int, str]], *, limit: int) -> Iterator[_Block]:
    first, kept, size = 0, list[str](), 0
    for number, line in lines:
        if line and not kept:
            first = number
        if line:
            kept.append(line)
            size += len(line)
        if kept and (not line or size > limit):
            yield _Block(first, kept, goes_on=bool(line))
            kept, size = [], 0
    if kept:
        yield _Block(first, kept, goes_on=False)


class _Urls:
    """The addresses of documents, from the metadata that stands beside a text in the same order."""

    def __init__(self, path: Readable, reading: Reading) -> None:
        found = _TEXT.fullmatch(path.name)
        name = f"{found['before']}_meta{found['after']}.jsonl" if found else ""
        beside = _beside(path, name) if found and isinstance(path, Path) else None
        self.reading = reading
        self.entries = self._read(beside) if beside else iter(())
        self.entry = next(self.entries, None)
        self.url = ""

    def of(self, block: _Block) -> str:
        """The address of a block: the entry that begins at its first line, or its earlier part's."""
        while self.entry and self.entry[0] < block.first:
            self._lost()
        if self.entry and self.entry[0] == block.first:
            self.url = self.entry[1]
            self.entry = next(self.entries, None)
        url, self.url = self.url, self.url if block.goes_on else ""
        return url

    def end(self) -> None:
        """Count the entries that no document is left for."""
        while self.entry:
            self._lost()

    def _lost(self) -> None:
        assert self.entry
        self.reading.drop("metadata-without-text", self.entry[2], self.entry[1])
        self.entry = next(self.entries, None)

    def _read(self, path: Path) -> Iterator[tuple[int, str, str]]:
        """(line that the text begins in, address, where it says so)."""
        most = self.reading.config.max_line_megabytes << 20
        for number, line, whole in split_lines(read_blocks(path), max_bytes=most):
            where = f"{path.name}#{number}"
            try:
                entry: Any = parse_json(line if whole else b"null")
                yield int(entry["offset"]), str(entry["headers"].get("warc-target-uri", "")), where
            except (ValueError, OverflowError, KeyError, TypeError, AttributeError):
                if line.strip():
                    self.reading.drop("invalid-metadata", where, line[:1000].decode("utf-8", "replace"))
