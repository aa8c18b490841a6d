"""MediaWiki XML exports: one document per article, streamed from .xml, .xml.bz2 (also multistream) and the other
packings.

The characters are decoded here, by the byte order mark or the encoding that the XML declares, so that a stray byte
costs one character and not the dump. Entity declarations are refused, and no page, tag or attribute is held beyond
`max_page_megabytes`. Redirects go by the <redirect> element, names of namespaces by <siteinfo>; of a page with
several revisions the last one counts.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import read_blocks
from mothertongue.corpus.wikitext import Site, extract_text, is_hopeless, site, template_names
from mothertongue.errors import SourceError

_DECLARED = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z][\w.:-]{0,40})["']""")
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REDIRECT = re.compile(r"\s*#[^\W\d_]+\s*:?\s*\[\[")  # for exports without <redirect>: #REDIRECT [[, #PŘESMĚRUJ [[, ...
_DISAMBIGUATION_MAGIC = "__DISAMBIG__"
_KEPT = frozenset({"title", "ns", "id", "text", "model", "namespace", "dbname"})  # elements whose text is looked at


@dataclass
class Page:
    """A page of an export, with the text of its last revision."""

    title: str = ""
    ns: str = ""
    id: str = ""
    text: str = ""
    model: str = "wikitext"
    redirect: bool = False
    too_large: bool = False


@dataclass
class SiteInfo:
    """What an export says about its wiki."""

    dbname: str = ""
    namespaces: dict[int, str] = field(default_factory=dict)


def read_wikipedia(path: Path, reading: Reading) -> Iterator[Document]:
    """The articles of an export as running text; their ids are wiki:page. What is not an article is dropped with
    its reason.
    """
    export = Export(max_bytes=reading.config.max_page_megabytes << 20)
    wiki: Site | None = None
    for page in read_pages(path, reading, export):
        wiki = wiki or site(reading.language, export.info.namespaces)
        where = f"{export.info.dbname or path.name}:{page.id}"
        reason = _not_an_article(page, wiki, export.info)
        if reason:
            reading.drop(reason, where, page.title)
            continue
        yield Document(extract_text(page.text, wiki, title=page.title), where, reading.name, {"title": page.title})


def _not_an_article(page: Page, wiki: Site, info: SiteInfo) -> str | None:
    if page.too_large:
        return "page-too-large"
    if page.redirect or _REDIRECT.match(page.text):
        return "redirect"
    prefix, colon, _ = page.title.partition(":")
    named = {name.casefold() for key, name in info.namespaces.items() if key != 0}
    if page.ns not in ("", "0") or (not page.ns and colon and prefix.casefold() in named):
        return "not-an-article"
    if page.model != "wikitext":
        return "not-wikitext"
    if _DISAMBIGUATION_MAGIC in page.text or template_names(page.text, wiki) & wiki.language.disambiguation_templates:
        return "disambiguation"
    if is_hopeless(page.text):
        return "broken-markup"
    return None


def read_pages(path: Path, reading: Reading, export: Export) -> Iterator[Page]:
    """Every page of the file, in order. SourceError if it is cut, damaged or dangerous."""
    try:
        for block in _characters(read_blocks(path, advance=reading.advance)):
            yield from export.feed(block)
        yield from export.close()
    except expat.ExpatError as error:
        after = f"after the page {export.last!r}" if export.last else "before its first page"
        raise SourceError(
            f"{path} breaks off or is no MediaWiki export: {error}, {after} ({export.pages:,} pages read). "
            "Download the file again and compare its checksum; then run the same command."
        ) from error
    except _DangerousError as error:
        raise SourceError(
            f"{path} is refused: {error}. No MediaWiki export does that; get the file from its source."
        ) from error


def _characters(blocks: Iterator[bytes]) -> Iterator[str]:
    """Decoded text in which nothing is left that XML forbids."""
    decoder: codecs.IncrementalDecoder | None = None
    for block in blocks:
        decoder = decoder or codecs.getincrementaldecoder(_encoding(block))("replace")
        yield _NOT_XML.sub("", decoder.decode(block))
    if decoder:
        yield decoder.decode(b"", final=True)


def _encoding(head: bytes) -> str:
    for mark, name in _MARKS.items():
        if head.startswith(mark):
            return name
    declared = _DECLARED.match(head)
    name = declared[1].decode("ascii") if declared else "utf-8"
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise SourceError(
            f"The XML declares the encoding {name!r}, which is not known. Convert the file to UTF-8."
        ) from error


class _DangerousError(Exception):
    """The XML does something that only an attack does."""


class Export:
    """A MediaWiki export on its way through expat: feed it characters, get the pages that are complete."""

    def __init__(self, *, max_bytes: int) -> None:
        self.info, self.pages, self.last = SiteInfo(), 0, ""
        self._max, self._fed = max_bytes, 0
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
            if self._fed - max(0, self._parser.CurrentByteIndex) > self._max:
                raise _DangerousError(f"a single tag has more than {self._max >> 20} MB")
        return self._take()

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
        if self._size <= self._max:
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
            self._keep(self._page, name, text, too_large=self._size > self._max)
        elif name == "dbname":
            self.info.dbname = text.strip()
        elif name == "namespace" and len(self.info.namespaces) < 1000:
            self.info.namespaces[self._key] = text.strip()

    def _keep(self, page: Page, name: str, text: str, *, too_large: bool) -> None:
        if name == "id" and self._path[-1] != "page":
            return  # the number of a revision or of a contributor
        if too_large or name == "text":  # of several revisions the last one counts
            page.too_large = too_large
        setattr(page, name, text if name == "text" else text.strip()[:1000])
