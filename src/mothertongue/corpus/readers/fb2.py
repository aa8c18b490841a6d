"""FB2 (FictionBook), one XML file per book; also zipped. Text is the annotation and the first body: notes, comments and
information stand in bodies of their own.

Format: http://www.fictionbook.org, and docs/formats/chitanka.md for what Chitanka's converter makes of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.book import (
    AUTHOR,
    LANGUAGE,
    LICENCE,
    ORIGINAL_LANGUAGE,
    TITLE,
    TRANSLATOR,
    Book,
    book_documents,
)
from mothertongue.corpus.readers.bookxml import DROP, Element, UnsafeXmlError, parse_xml, readable_bytes, walk
from mothertongue.corpus.readers.packed import whole_books

_INLINE, _BLOCK = Element(), Element("block")
_ELEMENTS: dict[str, Element] = {
    **dict.fromkeys(("p", "annotation", "section", "body", "cite", "v"), _BLOCK),
    **dict.fromkeys(("binary", "stylesheet", "image", "description"), DROP),
    "title": Element("heading"),
    "epigraph": Element("block", verse=False),
    "subtitle": Element("paragraph"),
    "text-author": Element("paragraph"),
    "date": Element("paragraph"),
    "poem": Element("block", verse=True),
    "stanza": Element("break"),
    "empty-line": Element("break"),
    "table": Element("table"),
    "tr": Element("row"),
    "td": Element("cell"),
    "th": Element("cell"),
    "code": Element("code"),
    "sup": Element("sup"),
    "sub": Element("sub"),
}
_VERSE_NUMBER = re.compile(rb"\n \[\d{1,4}\](?=\s*</v>)")  # Chitanka's converter writes it behind the verse
_UNKNOWN = ("?", "(no data for", "(неизвестен автор)", "(няма заглавие)")
_META = {
    TITLE: "book-title",
    AUTHOR: "author",
    TRANSLATOR: "translator",
    LANGUAGE: "lang",
    ORIGINAL_LANGUAGE: "src-lang",
}
_NAMES = ("first-name", "middle-name", "last-name")


def read_fb2(path: Path, reading: Reading) -> Iterator[Document]:
    """The documents of an FB2 file, or of the zip archive with such files."""
    for where, data in whole_books(path, reading, (".fb2", ".xml")):
        try:
            book = parse_fb2(data)
        except UnsafeXmlError as error:
            reading.drop(error.reason, where, data[:300].decode("utf-8", "replace"))
            continue
        yield from book_documents(book, where, reading)


def parse_fb2(data: bytes) -> Book:
    """The book in an FB2 document. UnsafeXmlError if it is no XML, no FB2, or declares entities."""
    root = parse_xml(_VERSE_NUMBER.sub(b"", readable_bytes(data)))
    if _tag(root) != "FictionBook":
        raise UnsafeXmlError("not-fb2")
    parts = [root.find("{*}description/{*}title-info/{*}annotation")]
    parts += [body for body in root.iterfind("{*}body") if not body.get("name")]
    return Book(chain.from_iterable(walk(part, _look_up) for part in parts if part is not None), _meta(root))


def _tag(node: Any) -> str:
    return str(node.tag).rpartition("}")[2]


def _look_up(node: Any) -> Element:
    tag = _tag(node)
    if tag == "a":
        return DROP if node.get("type") == "note" else _INLINE
    if tag in ("p", "v") and _tag(node.getparent()) == "title":
        return Element("newline")
    return _ELEMENTS.get(tag, _INLINE)


def _meta(root: Any) -> dict[str, str]:
    info = root.find("{*}description/{*}title-info")
    if info is None:
        return {}
    found = {key: ", ".join(filter(None, map(_name, info.iterfind("{*}" + tag)))) for key, tag in _META.items()}
    licences = root.iterfind("{*}description/{*}custom-info")
    found[LICENCE] = ", ".join(_words(info) for info in licences if "licen" in info.get("info-type", "").lower())
    return {key: value for key, value in found.items() if value and not value.startswith(_UNKNOWN)}


def _name(node: Any) -> str:
    names = [_words(part) for name in _NAMES for part in node.iterfind("{*}" + name)]
    return " ".join(filter(None, names)) or _words(node)


def _words(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())[:500]
