"""Plain text: a document is a file, a line, or what stands between blank lines. Long ones are cut at the nearest
paragraph.

A byte order mark decides the encoding, else the source's `encoding`. Bytes that are not valid in it become U+FFFD; a
document with more than a few of them is dropped later as `damaged-encoding`, so one bad file does not stop the rest.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import Readable, read_blocks
from mothertongue.errors import ConfigError, SourceError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_UNITS = {"line": re.compile("\n"), "blank-line": re.compile("\n[ \t]*\n\\s*"), "file": None}
_OVERLAP = 256  # characters looked at again, since a blank line may stand across two blocks


def read_text(path: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of a text file, at most `max_document_characters` each; their ids are file#number."""
    characters = decode(read_blocks(path, advance=reading.advance), encoding=reading.source.encoding, where=path)
    pieces = split_text(characters, separator=_UNITS[reading.source.unit], limit=reading.config.max_document_characters)
    for number, piece in enumerate(pieces, start=1):
        if not piece.isspace():
            yield Document(piece, f"{path.name}#{number}", reading.name)


def decode(blocks: Iterator[bytes], *, encoding: str, where: object = "The text") -> Iterator[str]:
    """Characters of a byte stream, every kind of line break as `\\n`. SourceError that names `where` if it has none."""
    decoder: io.IncrementalNewlineDecoder | None = None
    for block in blocks:
        if decoder is None:
            encoding = next((name for mark, name in _MARKS.items() if block.startswith(mark)), encoding)
            decoder = io.IncrementalNewlineDecoder(_decoder(encoding), translate=True)
        try:
            yield decoder.decode(block)
        except UnicodeError as error:
            raise SourceError(f"{where} is not {encoding}: {error}. Give its source another `encoding`.") from error
    if decoder is not None:
        yield decoder.decode(b"", final=True)


def _decoder(encoding: str) -> codecs.IncrementalDecoder:
    try:
        b"a".decode(encoding, "replace")  # which refuses what is no encoding of text, like base64
        return codecs.getincrementaldecoder(encoding)("replace")
    except (LookupError, UnicodeError) as error:
        raise ConfigError(
            f"encoding = {encoding!r} is not known as one of text. Use a name like utf-8, cp1250, cp1251 or iso-8859-2."
        ) from error


def split_text(characters: Iterator[str], *, separator: re.Pattern[str] | None, limit: int) -> Iterator[str]:
    """Pieces between separators, none longer than `limit`: a longer one is cut after its last paragraph, line or
    word that fits.
    """
    buffer, looked = "", 0
    for more in characters:
        buffer, start, look = buffer + more, 0, max(0, looked - _OVERLAP)
        while separator and (found := separator.search(buffer, look)) and found.end() < len(buffer):
            yield from _cut_all(buffer[start : found.start()], limit)
            start = look = found.end()
        buffer = buffer[start:]
        while len(buffer) > limit + _OVERLAP:
            end = _cut(buffer, limit)
            yield buffer[:end]
            buffer = buffer[end:]
        looked = len(buffer)
    for piece in separator.split(buffer) if separator else [buffer]:
        yield from _cut_all(piece, limit)


def _cut_all(text: str, limit: int) -> Iterator[str]:
    while len(text) > limit:
        end = _cut(text, limit)
        yield text[:end]
        text = text[end:]
    if text:
        yield text


def _cut(text: str, limit: int) -> int:
    """Where to cut: after the last paragraph, line or word that ends in the second half of the first `limit`
    characters.
    """
    for mark in ("\n\n", "\n", " "):
        end = text.rfind(mark, limit // 2, limit)
        if end > 0:
            return end + len(mark)
    return limit
