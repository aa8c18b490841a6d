"""Wikipedia's own dictionary: which title an article has in another language, from two SQL dumps of one wiki.

`...-langlinks.sql.gz` says of an article's number how it is called elsewhere, `...-page.sql.gz` of the same date which
title has that number; both are among every wiki's dumps. mysqldump writes rows as `(1,'en','Sky'),(2,...)` after INSERT
INTO; no SQL library reads that without a server, so one expression takes row after row out of the stream, in bounded
memory: a row that never ends is thrown away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mothertongue.corpus.readers.files import read_blocks
from mothertongue.errors import SourceError
from mothertongue.transfer.dictionary import MOST_CHARACTERS, MOST_ENTRIES, Entries, Skip

_VALUE = rb"(?:'(?:[^'\\]|\\.)*+'|[\w.+-]++)"
_ROW = re.compile(rb"\((" + _VALUE + rb"(?:," + _VALUE + rb")*+)\)[,;]", re.DOTALL)
_VALUES = re.compile(_VALUE, re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_QUALIFIER = re.compile(r"\s*\([^)]*\)$")
MOST_ROW = 1 << 16


def read_langlinks(file: Path, language: str, skip: Skip) -> Entries:
    """The title in `language` and the wiki's own, article by article; SourceError if the other dump is not beside."""
    pages = file.with_name(file.name.replace("langlinks", "page"))
    if "langlinks" not in file.name or not pages.is_file():
        raise SourceError(
            f"{file} is one of two dumps that are needed: NAME-langlinks.sql.gz and, beside it, NAME-page.sql.gz of "
            "the same wiki and date. Download the other one into the same folder."
        )
    foreign: dict[int, str] = {}
    wanted = language.encode()
    for number, code, title in sql_rows(file, 3, skip):
        if code == wanted and title and len(title) <= 4 * MOST_CHARACTERS and len(foreign) < MOST_ENTRIES:
            foreign[int(number)] = _title(title)
    for number, namespace, title in sql_rows(pages, 3, skip):
        if namespace == b"0" and (found := foreign.pop(int(number), None)):
            yield found, _title(title)


def sql_rows(file: Path, columns: int, skip: Skip) -> Iterator[list[bytes]]:
    """The first `columns` values of each row that a dump inserts, unescaped; the first is a number."""
    rest = b""
    for block in read_blocks(file):
        text, at = rest + block, 0
        for row in _ROW.finditer(text):
            at = row.end()
            values = [_plain(value[0]) for _, value in zip(range(columns), _VALUES.finditer(row[1]), strict=False)]
            if len(values) == columns and values[0].isdigit() and len(values[0]) < 19:
                yield values
            else:
                skip("damaged-row")
        rest = text[at:]
        if len(rest) > MOST_ROW:
            skip("row-too-long")
            rest = b""


def _plain(value: bytes) -> bytes:
    return _ESCAPED.sub(rb"\1", value[1:-1]) if value.startswith(b"'") else value


def _title(raw: bytes) -> str:
    """A title without what tells it from others of the same name.

    >>> _title("Merkur_(planeta)".encode())
    'Merkur'
    """
    return _QUALIFIER.sub("", raw.decode("utf-8", "replace").replace("_", " "))
