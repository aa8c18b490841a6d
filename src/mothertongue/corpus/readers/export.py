"""MediaWiki XML on its way through expat: pages that are complete, and what the export says of its wiki.

The characters are decoded here, by the byte order mark or the encoding that the XML declares, so that a stray byte
costs one character and not the dump. Entity declarations are refused, and no page, tag or attribute is held beyond
`max_bytes`. Of a page with several revisions the last one counts.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from xml.parsers import expat

from mothertongue.corpus.readers.siteinfo import SiteInfo
from mothertongue.corpus.wikitext import dump
from mothertongue.errors import SourceError

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z][\w.:-]{0,40})["']""")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
COMPILED = not str(dump.__file__).endswith(".py")
_PAGE, _END = b"<page>", b"</page>"
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32)])
_KEPT = frozenset({"title", "ns", "id", "text", "model", "namespace", "dbname"})  # elements whose text is looked at


@dataclass
class Page:
    """A page of an export, with the text of its last revision as UTF-8: `data`, or `escaped` until somebody asks."""

    title: str = ""
    ns: str = ""
    id: str = ""
    data: bytes = b""
    model: str = "wikitext"
    redirect: bool = False
    too_large: bool = False
    escaped: bytes = b""

    @property
    def wikitext(self) -> bytes:
        """Its text. SourceError if what stands in the export is no XML."""
        if self.escaped:
            self.data, self.escaped = _unescaped(self.escaped, self.title), b""
        return self.data

    @property
    def text(self) -> str:
        """Its text as characters."""
        return self.wikitext.decode("utf-8")


def pages_of(blocks: Iterable[bytes], export: Export, *, where: object, last: bool = True) -> Iterator[Page]:
    """Every page in these bytes, in order; `last`: the export ends with them. SourceError that names `where` if they
    are cut, damaged or dangerous.
    """
    try:
        if COMPILED:
            yield from quick_pages(blocks, export)
        else:
            yield from _fed(characters(blocks), export)
        if last:
            yield from export.close()
        elif export.inside_page:
            raise expat.ExpatError("no page ends where its stream does")
    except (expat.ExpatError, UnicodeError) as error:
        after = f"after the page {export.last!r}" if export.last else "before its first page"
        raise SourceError(
            f"{where} breaks off or is no MediaWiki export: {error}, {after} ({export.pages:,} pages read). "
            "Download the file again and compare its checksum; then run the same command."
        ) from error
    except _DangerousError as error:
        raise SourceError(
            f"{where} is refused: {error}. No MediaWiki export does that; get the file from its source."
        ) from error


def _fed(texts: Iterable[str], export: Export) -> Iterator[Page]:
    for text in texts:
        yield from export.feed(text)


def quick_pages(blocks: Iterable[bytes], export: Export) -> Iterator[Page]:
    """The pages, those that are written as MediaWiki's exporter writes them past expat; the others go through it, and
    so does what stands before the first and behind the last.
    """
    source = iter(blocks)
    held, size, tail = list[bytes](), 0, b""  # what belongs to a page that has not ended
    head = True
    for block in source:
        held.append(block)
        size += len(block)
        if not (head and _begins_otherwise(held[0])) and size <= export.max_bytes + len(block):
            if dump.page_end(tail + block, 0) < 0:
                tail = (tail + block)[-len(_END) :]
                continue
            data = b"".join(held)
            begin = data.find(_PAGE) if head else 0
            if not head or (begin >= 0 and b"<!" not in data[:begin] and b"<?" not in data[2:begin]):
                if head:
                    yield from _fed(characters([data[:begin]]), export)
                    head = False
                at = yield from _whole_pages(data, begin, export)
                held, size, tail = [data[at:]], len(data) - at, data[max(at, len(data) - len(_END)) :]
                if _PAGE.startswith(data[at : at + len(_PAGE)]) and not export.inside_page:
                    continue
        break  # expat takes over
    name = "" if head else "utf-8"
    yield from _fed(characters(chain([b"".join(held)], source), name), export)


def _begins_otherwise(block: bytes) -> bool:
    """Whether the export is not in UTF-8."""
    return _encoding(block) not in ("utf-8", "utf-8-sig")


def _whole_pages(data: bytes, at: int, export: Export) -> Generator[Page, None, int]:
    """The pages that end in `data`; gives the place behind them."""
    while data.startswith(_PAGE, at):
        end = dump.page_end(data, at)
        if end < 0:
            return at
        behind = end + len(_END)
        if page := _quick_page(data, at + len(_PAGE), end, export.max_bytes):
            export.pages, export.last = export.pages + 1, page.title
            yield page
        else:
            yield from _fed(characters([data[at:behind]], "utf-8"), export)
            if export.inside_page:
                return behind
        at = behind
        while data[at : at + 1].isspace():
            at += 1
    return at


def _quick_page(data: bytes, at: int, end: int, most: int) -> Page | None:
    raw = dump.read_page(data, at, end)
    if raw is None or len(raw.text) > most:
        return None
    said = [dump.unescaped(value) for value in (raw.title, raw.ns, raw.id, raw.model)]
    title, ns, id, model = (None if value is None else value.decode("utf-8").strip()[:1000] for value in said)
    if title is None or ns is None or id is None or model is None:
        return None
    return Page(title, ns, id, b"", model, raw.redirect, escaped=raw.text)


def _unescaped(escaped: bytes, title: str) -> bytes:
    data = dump.unescaped(escaped)
    if data is not None:
        return data
    export = Export(max_bytes=len(escaped) + 64)
    around = (b"<page><text>", escaped, b"</text></page>")
    try:
        (page,) = [page for text in characters(around, "utf-8") for page in export.feed(text)] + export.close()
    except expat.ExpatError as error:
        raise SourceError(f"The page {title!r} of the export is damaged: {error}. Download the file again.") from error
    return page.data


def characters(blocks: Iterable[bytes], encoding: str = "") -> Iterator[str]:
    """Decoded text in which nothing is left that XML forbids."""
    decoder: codecs.IncrementalDecoder | None = None
    plain = False  # a byte below 32 is a character of its own: then they are looked for in the bytes, which is quicker
    for block in blocks:
        if decoder is None:
            name = encoding or _encoding(block)
            decoder, plain = codecs.getincrementaldecoder(name)("replace"), name.startswith("utf-8")
        text = decoder.decode(block)
        clean = plain and block.translate(None, _CONTROLS) == block and "\ufffe" not in text and "\uffff" not in text
        yield text if clean else _NOT_XML.sub("", text)
    if decoder:
        yield decoder.decode(b"", final=True)


def _encoding(head: bytes) -> str:
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    declared = _DECLARED.match(head)
    name = declared[1].decode("ascii") if declared else "utf-8"
    try:
        b"a".decode(name, "replace")  # which refuses what is no encoding of text, like hex
        return codecs.lookup(name).name
    except (LookupError, UnicodeError) as error:
        raise SourceError(
            f"The XML declares the encoding {name!r}, which is not known. Convert the file to UTF-8."
        ) from error


class _DangerousError(Exception):
    """The XML does something that only an attack does."""


class Export:
    """A MediaWiki export on its way through expat: feed it characters, get the pages that are complete."""

    def __init__(self, *, max_bytes: int) -> None:
        self.info, self.pages, self.last = SiteInfo(), 0, ""
        self.max_bytes, self._fed = max_bytes, 0
        self._page: Page | None = None
        self._path: list[str] = []
        self._key = 0  # of the namespace being read
        self._parts: list[str] | None = None  # text of the element being read, if it is looked at
        self._size = 0
        self._ready: list[Page] = []
        # the characters come decoded, whatever the XML declaration says
        self._parser = expat.ParserCreate("utf-8")
        self._parser.buffer_text = True
        self._parser.buffer_size = 1 << 16
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.EntityDeclHandler = self._refuse

    def feed(self, characters: str) -> list[Page]:
        """More characters; the pages that they complete."""
        data = characters.encode("utf-8")
        for at in range(0, len(data), 1 << 16):
            part = data[at : at + (1 << 16)]
            self._parser.Parse(part, False)
            self._fed += len(part)
            # expat keeps a tag until it is complete: an endless one would fill the memory
            if self._fed - max(0, self._parser.CurrentByteIndex) > self.max_bytes:
                raise _DangerousError(f"a single tag has more than {self.max_bytes >> 20} MB")
        return self._take()

    @property
    def inside_page(self) -> bool:
        """Whether a page has begun and not ended."""
        return self._page is not None

    def close(self) -> list[Page]:
        """The end of the file."""
        self._parser.Parse(b"", True)
        return self._take()

    def _take(self) -> list[Page]:
        ready, self._ready = self._ready, []
        return ready

    def _refuse(self, name: str, *_: object) -> None:
        raise _DangerousError(f"it declares the entity {name!r}")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > 64:
            raise _DangerousError("its elements are nested more than 64 deep")
        if name == "page":
            self._page = Page()
        elif name == "redirect" and self._page:
            self._page.redirect = True
        elif name == "namespace":
            key = attributes.get("key", "")
            self._key = int(key) if re.fullmatch(r"-?\d{1,6}", key) else 0
        if name in _KEPT:
            self._parts, self._size = [], 0

    def _data(self, data: str) -> None:
        if self._parts is None:
            return
        self._size += len(data)
        if self._size <= self.max_bytes:
            self._parts.append(data)
            return
        self._parts = []  # too large: its text goes, the page is marked when the element ends

    def _end(self, name: str) -> None:
        self._path.pop()
        if name == "page" and self._page:
            self.pages, self.last = self.pages + 1, self._page.title
            self._ready.append(self._page)
            self._page = None
        if name not in _KEPT or self._parts is None:
            return
        text, self._parts = "".join(self._parts), None
        if self._page:
            self._keep(self._page, name, text, too_large=self._size > self.max_bytes)
        elif name == "dbname":
            self.info.dbname = text.strip()
        elif name == "namespace" and len(self.info.namespaces) < 1000:
            self.info.namespaces[self._key] = text.strip()

    def _keep(self, page: Page, name: str, text: str, *, too_large: bool) -> None:
        if name == "id" and self._path[-1] != "page":
            return  # the number of a revision or of a contributor
        if too_large or name == "text":  # of several revisions the last one counts
            page.too_large = too_large
        if name == "text":
            page.data = text.encode("utf-8")
        else:
            setattr(page, name, text.strip()[:1000])
