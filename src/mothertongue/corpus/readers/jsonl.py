"""JSON lines: one object a line, its text under one key. Plain or packed; a bad line is counted and the next one
is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import Readable, read_blocks
from mothertongue.corpus.readers.records import document_of

_SAMPLE_BYTES = 1000
_LONG_LINE_BYTES = 1 << 20
_MAX_PARTS = 1 << 21  # of a long line: a value takes some hundred bytes of memory, however short it is


def read_jsonl(path: Readable, reading: Reading) -> Iterator[Document]:
    """One document per line whose object has a string under `text_key`; its id is file#line."""
    blocks = read_blocks(path, advance=reading.advance)
    for number, line, whole in split_lines(blocks, max_bytes=reading.config.max_line_megabytes << 20):
        where = f"{path.name}#{number}"
        if not whole:
            reading.drop("line-too-long", where, line[:_SAMPLE_BYTES].decode("utf-8", "replace"))
        elif line.strip():
            yield from _document(line, where, reading)


def split_lines(blocks: Iterator[bytes], *, max_bytes: int) -> Iterator[tuple[int, bytes, bool]]:
    """(line number from 1, line, whole?) of a stream; of a line above `max_bytes` only the beginning is kept, with
    whole False.
    """
    number, parts, size = 1, list[bytes](), 0
    for block in blocks:
        *ends, rest = block.split(b"\n")
        for end in ends:
            size += len(end)
            yield number, b"".join([*parts, end] if size <= max_bytes else parts), size <= max_bytes
            number, parts, size = number + 1, [], 0
        size += len(rest)
        if size <= max_bytes:
            parts.append(rest)
        else:
            parts = [b"".join(parts)[:_SAMPLE_BYTES]]
    if size:
        yield number, b"".join(parts), size <= max_bytes


def parse_json(line: bytes) -> object:
    """The value that a line holds. ValueError if it is no JSON, or only there to fill memory with its parts."""
    if len(line) > _LONG_LINE_BYTES and sum(map(line.count, (b",", b"[", b"{"))) > _MAX_PARTS:
        raise ValueError(f"more than {_MAX_PARTS:,} values")
    try:
        return json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _document(line: bytes, where: str, reading: Reading) -> Iterator[Document]:
    try:
        record = parse_json(line)
    except UnicodeDecodeError:
        reading.drop("invalid-utf8", where, line[:_SAMPLE_BYTES].decode("utf-8", "replace"))
    except ValueError:
        reading.drop("invalid-json", where, line[:_SAMPLE_BYTES].decode("utf-8", "replace"))
    else:
        yield from document_of(record, where, reading)
