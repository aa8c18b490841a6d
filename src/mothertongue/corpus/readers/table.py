"""CSV and TSV: one document per row, its text in the column `text_key`. The first row names the columns.

CSV has quotes as RFC 4180 has them, and the delimiter that is most frequent in its first row; TSV has tabs and no
quotes. A row with more or fewer cells than there are columns is counted and left out.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import Any

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import Readable, read_blocks
from mothertongue.corpus.readers.records import SAMPLE_CHARACTERS, columns_to_read, document_of
from mothertongue.corpus.readers.text import decode
from mothertongue.errors import ConfigError, SourceError

_DELIMITERS = ",;\t|"


def read_table(path: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of a table; SourceError naming its columns if none is the source's `text_key`."""
    most = reading.config.max_line_megabytes << 20
    csv.field_size_limit(max(csv.field_size_limit(), most))  # a quote that is never closed ends there, not in memory
    characters = decode(read_blocks(path, advance=reading.advance), encoding=reading.source.encoding, where=path)

    def too_long(sample: str) -> None:
        reading.drop("line-too-long", path.name, sample)

    lines = bounded_lines(characters, most, too_long)
    first = next(lines, "")
    rows = csv.reader(_again(first, lines), **_dialect(path, first, reading))
    try:
        header = next(rows, [])
    except csv.Error as error:
        raise SourceError(f"{path} is no table with a header: {error}. Close the quote in its first line.") from error
    if len(header) > 10_000 or not header:
        raise SourceError(f"{path} has {len(header):,} columns in its first line, so it is no table with a header.")
    columns_to_read(header, reading, where=str(path))
    for number, row in _rows(rows):
        where = f"{path.name}#{number}"
        if isinstance(row, csv.Error):
            reading.drop("invalid-csv", where, str(row))
        elif row and len(row) != len(header):
            reading.drop("wrong-columns", where, "|".join(row)[:SAMPLE_CHARACTERS])
        elif row:
            yield from document_of(dict(zip(header, row, strict=True)), where, reading)


def bounded_lines(characters: Iterator[str], most: int, too_long: Callable[[str], None]) -> Iterator[str]:
    """Lines with their ends; of one longer than `most` characters only a sample is told."""
    parts, size = list[str](), 0
    for more in characters:
        for line in more.splitlines(keepends=True) if "\n" in more else [more]:
            size += len(line)
            if size <= most:
                parts.append(line)
            elif parts:
                parts = ["".join(parts)[:SAMPLE_CHARACTERS]]
            if line.endswith("\n"):
                if size <= most:
                    yield "".join(parts)
                else:
                    too_long("".join(parts)[:SAMPLE_CHARACTERS])
                parts, size = [], 0
    if size > most:
        too_long("".join(parts)[:SAMPLE_CHARACTERS])
    elif size:
        yield "".join(parts)


def _again(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _dialect(path: Readable, first: str, reading: Reading) -> dict[str, Any]:
    from mothertongue.corpus.readers.detect import BY_NAME

    given = reading.source.delimiter
    if len(given) > 1:
        raise ConfigError(f"delimiter = {given!r} has {len(given)} characters; give one, like ; or |.")
    if reading.source.reader == "tsv" or BY_NAME["tsv"].search(path.name):
        return {"delimiter": given or "\t", "quoting": csv.QUOTE_NONE}
    return {"delimiter": given or max(_DELIMITERS, key=first[:10_000].count)}


def _rows(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str] | csv.Error]]:
    """(number, row), the header being 1; a row that cannot be parsed is its error, and the next line begins anew."""
    number = 1
    while True:
        number += 1
        try:
            yield number, next(rows)
        except csv.Error as error:
            yield number, error
        except StopIteration:
            return
