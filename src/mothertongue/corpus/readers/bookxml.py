"""XML of e-books (FB2, the XHTML of EPUB) -> blocks, by a table that says what each element is.

lxml parses, leniently and in bounded memory: no entity is expanded, nothing is fetched, depth and length of text are
limited by libxml2. A file that declares entities of its own is refused. The walk over the tree does not recurse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.entities import html5
from typing import Any

from mothertongue.corpus.extras import need
from mothertongue.corpus.readers.book import BREAK, Block, is_divider, lowered, raised, unstressed

# private characters that stand for structure until a block ends
_PRE, _NEWLINE, _CELL = "\ue000", "\ue001", "\ue002"
_STRUCTURE = str.maketrans("", "", _PRE + _NEWLINE + _CELL)
_NEWLINES = re.compile(f" ?{_NEWLINE}[ {_NEWLINE}]*")
_NAMED = re.compile(rb"&([A-Za-z][A-Za-z0-9]{1,31});")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_XML_NAMES = {b"amp", b"lt", b"gt", b"quot", b"apos"}
_MAX_TAGS = 1 << 21  # an element takes some 130 bytes of memory, four in a file; a thick book has 100,000
_BINARY = re.compile(rb"<binary\b.*?(?:</binary\s*>|\Z)", re.S)


class UnsafeXmlError(Exception):
    """This file must not, or cannot, be read as XML; `reason` is a name for the ledger."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_xml(data: bytes) -> Any:
    """The root element of a document. Images of FB2 are cut out before; named entities of HTML are understood."""
    etree = need("lxml.etree", extra="ebooks", to="read FB2 and EPUB")
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    data = _NAMED.sub(_numbered, _BINARY.sub(b"", readable_bytes(data)))
    if data.count(b"<") > _MAX_TAGS:
        raise UnsafeXmlError("too-many-tags")
    try:
        root = etree.fromstring(data.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise UnsafeXmlError("broken-xml") from error
    if root is None:
        raise UnsafeXmlError("broken-xml")
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise UnsafeXmlError("entities-in-xml")
    return root


def readable_bytes(data: bytes) -> bytes:
    """The document in an encoding that keeps ASCII as it is: UTF-16 becomes UTF-8."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")):
        return data
    encoding = "utf-16" if data[0] > 0xF0 else "utf-16-le" if data[0] else "utf-16-be"
    return _DECLARATION.sub("", data.decode(encoding, "replace"), count=1).encode("utf-8", "replace")


def _numbered(found: re.Match[bytes]) -> bytes:
    text = html5.get(found[1].decode() + ";") if found[1] not in _XML_NAMES else None
    return "".join(f"&#{ord(char)};" for char in text).encode() if text else found[0]


@dataclass(frozen=True, slots=True)
class Element:
    """What an element is.

    `inline` (its text belongs to the block around it), `block` (a paragraph, in verse a line), `paragraph` (one even in
    verse), `heading`, `table`, `row`, `cell`, `pre` (line by line, blanks kept), `code` (the same if it is all of its
    block), `sup`, `sub`, `newline`, `break`, `drop`.
    """

    kind: str = "inline"
    verse: bool | None = None  # from here on lines are verse, or no longer; None: as around it


DROP = Element("drop")
_FLUSHING = {"block", "paragraph", "heading", "table", "row", "pre", "break"}
_INLINE_IN_ROW = {"block", "paragraph", "heading", "newline", "break"}
_SMALL: dict[str, Callable[[str], str]] = {"sup": raised, "sub": lowered}


def walk(root: Any, look_up: Callable[[Any], Element]) -> Iterator[Block]:
    """The blocks of an element and all below it; `look_up` says what each element is."""
    etree = need("lxml.etree", extra="ebooks", to="read FB2 and EPUB")
    walker = etree.iterwalk(root, events=("start", "end"))
    text, stack = list[str](), [Element("block", False)]
    for event, node in walker:
        if event == "start":
            element = look_up(node) if isinstance(node.tag, str) else DROP
            if element.kind == "drop":
                walker.skip_subtree()
            elif stack[-1].kind in ("row", "cell") and element.kind in _INLINE_IN_ROW:
                element = Element("space")
            if element.kind in _FLUSHING:
                yield from _blocks(text, stack[-1])
                text.clear()
                if element.kind in ("table", "break") or element.verse:
                    yield BREAK
            stack.append(Element(element.kind, stack[-1].verse if element.verse is None else element.verse))
            text.append(_opening(element.kind, node))
            continue
        element = stack.pop()
        if element.kind in ("pre", "code"):
            text.append(_PRE)
        if element.kind in _FLUSHING:
            yield from _blocks(text, element, ends=True)
            text.clear()
            if element.kind in ("table", "break") or (element.verse and not stack[-1].verse):
                yield BREAK
        if node is not root:
            text.append((node.tail or "").translate(_STRUCTURE))
    yield from _blocks(text, stack[-1])


def _opening(kind: str, node: Any) -> str:
    if kind == "drop":
        return ""
    text: str = (node.text or "").translate(_STRUCTURE)
    if kind in _SMALL and not len(node):
        text = _SMALL[kind](text.strip())
    return {"pre": _PRE, "code": _PRE, "newline": _NEWLINE, "cell": _CELL, "space": " "}.get(kind, "") + text


def _blocks(parts: list[str], element: Element, *, ends: bool = False) -> Iterator[Block]:
    text = unstressed("".join(parts))
    bare = text.strip()
    if bare.startswith(_PRE) and bare.endswith(_PRE) and (element.kind == "pre" or bare.count(_PRE) == 2):
        lines = bare.replace(_PRE, "").replace("\u00a0", " ").strip("\n").split("\n")
        yield from (Block("line", line.rstrip()) for line in lines)
        return
    words = _NEWLINES.sub("\n", " ".join(text.replace(_PRE, "").split())).strip()
    if element.kind == "row":
        cells = " | ".join(cell for part in words.split(_CELL) if (cell := part.strip()))
        yield Block("line", cells)
    elif is_divider(words):
        if words or (ends and "\u00a0" in text):  # a line that was left empty on purpose
            yield BREAK
    elif element.kind == "heading":
        yield Block("heading", words)
    elif element.verse and element.kind != "paragraph":
        yield from (Block("line", line) for line in words.split("\n"))
    else:
        yield Block("paragraph", words)
