"""SFB, the mark-up of the Bulgarian library Chitanka, and the library's TXT export; both also zipped.

A line of SFB is a marker, a tab and a paragraph. Notes, information blocks and images are left out; titles, epigraphs,
dedications, cites, letters and poems are text. The TXT export lost its markers but not its inline marks, so it is the
same reader with one marker for all; where it ends and the site's notices begin is told from what these say.
Format: docs/formats/chitanka.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.book import (
    AUTHOR,
    BREAK,
    LICENCE,
    ORIGINAL_LANGUAGE,
    TITLE,
    TRANSLATOR,
    Block,
    Book,
    book_documents,
    is_divider,
)
from mothertongue.corpus.readers.packed import whole_books
from mothertongue.corpus.readers.sfbmarks import plain
from mothertongue.corpus.readers.sfbtxt import looks_like_txt, markers_again
from mothertongue.corpus.readers.text import decode, split_text

_BLOCK = re.compile(r"([ACDEFILMNPRST])([>$])")
_MARKER = re.compile(r"([|#!]|>{1,5}|@{1,2})[ ]+(.*)")  # typed with spaces instead of a tab
_HEADINGS = ("|", ">", ">>", ">>>", ">>>>", ">>>>>")
_NOT_VERSE = frozenset("ACDEINRT")  # in these a line is a paragraph again, even inside a poem
_CELL_STYLE = re.compile(r"[!<.>_^=-]{1,3}(?=\s|$)")
_VARIABLE = re.compile(r"\s*\$(\w+)\s*=\s*(.+)")
_VARIABLES = {"translator": TRANSLATOR, "orig_lang": ORIGINAL_LANGUAGE, "license": LICENCE}
_TRANSLATED = re.compile(r"\s*Превод(?:ач)?(?: от ([\w ]{3,40}))?\s*:\s*(.{2,200})")
_MAX_NOTE_LINES = 100
_MAX_DEPTH = 20


def read_sfb(path: Path, reading: Reading) -> Iterator[Document]:
    """The documents of an SFB or Chitanka TXT file, or of the zip archive with them."""
    for where, data in whole_books(path, reading, (".sfb", ".txt")):
        text = "".join(decode(iter([data]), encoding=reading.source.encoding, where=where))
        if where.lower().endswith(".sfb") or looks_like_sfb(text):
            yield from book_documents(parse_sfb(text), where, reading)
        elif looks_like_txt(text):
            yield from book_documents(parse_sfb(markers_again(text)), where, reading)
        else:  # somebody else's text in a zip
            pieces = split_text(iter([text]), separator=None, limit=reading.config.max_document_characters)
            for number, piece in enumerate(pieces, start=1):
                yield Document(piece, f"{where}#{number}", reading.name)


def looks_like_sfb(text: str) -> bool:
    """True if the beginning holds SFB's markers before a tab."""
    return re.search(r"^(?:[|#@>]{1,5}\t|[ADEPC]>\s*$)", text[:20_000], re.M) is not None


def parse_sfb(text: str) -> Book:
    """The book in an SFB text: its first title and its information block tell what it is."""
    meta: dict[str, str] = {}
    blocks = list(_blocks(plain(text).split("\n"), meta))
    return Book(blocks, meta)


def _blocks(lines: list[str], meta: dict[str, str]) -> Iterator[Block]:
    opened, heading, at = list[str](), list[str](), 0
    while at < len(lines):
        line = lines[at].rstrip()
        marker, text = _marker(line)
        at += 1
        if heading and marker != heading[0]:
            yield _heading(heading, meta)
            heading = []
        if marker in _HEADINGS:
            heading = heading or [marker]
            heading.append(text)
        elif found := _BLOCK.fullmatch(marker):
            _open_or_close(opened, found)
            if found[1] not in "FM":  # a drawing or a style ends no stanza
                yield BREAK
        elif "I" in opened:
            _learn(text, meta)
        elif text.lstrip().startswith("[*"):
            at = _end_of_note(lines, at - 1)
        else:
            yield _block(marker, text, opened)
    if heading:
        yield _heading(heading, meta)


def _marker(line: str) -> tuple[str, str]:
    marker, tab, text = line.partition("\t")
    if tab or not line or _BLOCK.fullmatch(line) or line in _HEADINGS:
        return marker, text
    found = _MARKER.fullmatch(line)
    return (found[1], found[2]) if found else ("", line)


def _open_or_close(opened: list[str], found: re.Match[str]) -> None:
    if found[2] == ">":
        opened.append(found[1])
        del opened[:-_MAX_DEPTH]
    elif found[1] in opened:  # a block that was never closed ends with the one around it
        while opened.pop() != found[1]:
            pass


def _block(marker: str, text: str, opened: list[str]) -> Block:
    if marker == "F" or "F" in opened:
        return Block("line", text.expandtabs(8))
    inside = next((letter for letter in reversed(opened) if letter == "P" or letter in _NOT_VERSE), "")
    words = " ".join(text.split())
    if is_divider(words):
        return BREAK
    if inside == "T" and marker != "#":
        return Block("line", table_row(words))
    return Block("line" if inside == "P" and (not marker or marker.isdigit()) else "paragraph", words)


def _heading(heading: list[str], meta: dict[str, str]) -> Block:
    marker, *lines = heading
    lines = [words for line in lines if (words := " ".join(line.split()))]
    if marker == "|" and TITLE not in meta and lines:
        meta[TITLE] = " ".join(lines[1:] or lines)
        if len(lines) > 1:
            meta[AUTHOR] = lines[0]
    return Block("heading", "\n".join(lines)) if lines else BREAK


def _learn(text: str, meta: dict[str, str]) -> None:
    if (found := _VARIABLE.match(text)) and found[1] in _VARIABLES:
        meta[_VARIABLES[found[1]]] = found[2].strip()
    elif found := _TRANSLATED.match(text):
        meta.setdefault(TRANSLATOR, found[2].strip())
        if found[1]:
            meta.setdefault(ORIGINAL_LANGUAGE, found[1].strip())


def _end_of_note(lines: list[str], start: int) -> int:
    """The line after a note, whose brackets may hold several lines and blocks; one that never ends is one line."""
    depth = 0
    for at in range(start, min(start + _MAX_NOTE_LINES, len(lines))):
        if at > start and lines[at].startswith(">"):
            break
        depth += lines[at].count("[") - lines[at].count("]")
        if depth <= 0:
            return at + 1
    return start + 1


def table_row(text: str) -> str:
    """The cells of a row `|< one |! two`, as `one | two`."""
    first, *others = text.split("|")
    cells = [first, *(_CELL_STYLE.sub("", cell, count=1) if cell[:1].strip() else cell for cell in others)]
    return " | ".join(cell.strip() for cell in cells if cell.strip())
