"""A chapter in XHTML, as EPUB holds it -> blocks. What the reader of a book skips is left out: notes and their marks,
contents, page numbers, imprint, captions, the site's information.

Classes are those of Chitanka's converter and of the makers of most EPUBs (`poem`, `stanza`, `footnotes`); types are
those of EPUB 3 (`epub:type`) and DPUB-ARIA (`role`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mothertongue.corpus.readers.book import Block
from mothertongue.corpus.readers.bookxml import DROP, Element, walk

_INLINE, _BLOCK = Element(), Element("block")
_BLOCKS = """p div body section article main header footer blockquote ul ol li dl dt dd fieldset caption address details
    summary aside hgroup center"""
_SILENT = """head script style nav svg math img image object audio video iframe form button legend figcaption template
    noscript rt rp"""
_ELEMENTS: dict[str, Element] = {
    **dict.fromkeys(_BLOCKS.split(), _BLOCK),
    **dict.fromkeys(_SILENT.split(), DROP),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), Element("heading")),
    "br": Element("newline"),
    "hr": Element("break"),
    "pre": Element("pre"),
    "table": Element("table"),
    "tr": Element("row"),
    "td": Element("cell"),
    "th": Element("cell"),
    "sup": Element("sup"),
    "sub": Element("sub"),
}
_SKIPPED_CLASSES = """infobox footnotes footnote endnotes endnote notes note-ref noteref verse-num image image-title
    pagenum pageno page-number pg-boilerplate colophon copyright imprint"""
_SKIPPED_TYPES = """footnote footnotes endnote endnotes rearnote rearnotes note noteref annoref toc landmarks page-list
    pagebreak copyright-page colophon imprint index loi lot cover"""
_CLASSES, _TYPES = frozenset(_SKIPPED_CLASSES.split()), frozenset(_SKIPPED_TYPES.split())
_BY_CLASS: dict[str, Element] = {
    **dict.fromkeys(("poem", "stanza", "poetry", "strophe", "verse", "lg"), Element("block", verse=True)),
    **dict.fromkeys(("epigraph", "dedication", "cite", "author", "placeyear"), Element("block", verse=False)),
    "subheader": Element("paragraph"),
    "empty-line": Element("break"),
    "separator": Element("break"),
}
_NOTE_MARK = re.compile(r"[\s\[({]*(?:\d{1,4}|[*†‡§¶]{1,5}|[ivxlc]{1,6}|↑|↩︎?)[\s\])}.]*")
_TYPE = "{http://www.idpf.org/2007/ops}type"


def chapter_blocks(root: Any) -> Iterator[Block]:
    """The blocks of a parsed chapter."""
    return walk(root, _look_up)


def _look_up(node: Any) -> Element:
    tag = str(node.tag).rpartition("}")[2].lower()
    element = _ELEMENTS.get(tag, _INLINE)
    if node.attrib:
        if _skipped(node):
            return DROP
        if tag == "a" and _is_note_mark(node):
            return DROP
        if element.kind == "block" or tag.startswith("h"):
            element = next((_BY_CLASS[name] for name in node.get("class", "").split() if name in _BY_CLASS), element)
    return element


def _skipped(node: Any) -> bool:
    classes, types = node.get("class"), node.get(_TYPE) or node.get("role", "").replace("doc-", "")
    return bool(
        (classes and not _CLASSES.isdisjoint(classes.lower().split()))
        or (types and not _TYPES.isdisjoint(types.split()))
        or "hidden" in node.attrib
    )


def _is_note_mark(node: Any) -> bool:
    """A link inside the book whose text is nothing but a number or an asterisk."""
    if "#" not in node.get("href", ""):
        return False
    text = ""
    for part in node.itertext():
        text += part
        if len(text) > 20:
            return False
    return _NOTE_MARK.fullmatch(text) is not None
