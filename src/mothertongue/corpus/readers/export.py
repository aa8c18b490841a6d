"""MediaWiki XML on its way through expat: pages that are complete, and what the export says of its wiki.

The characters are decoded here, by the byte order mark or the encoding that the XML declares, so that a stray byte
costs one character and not the dump. Entity declarations are refused, and no page, tag or attribute is held beyond
`max_bytes`. Of a page with several revisions the last one counts.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.parsers import expat

from mothertongue.corpus.readers.siteinfo import SiteInfo
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
_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32)])
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


def pages_of(blocks: Iterable[bytes], export: Export, *, where: object, last: bool = True) -> Iterator[Page]:
    """Every page in these bytes, in order; `last`: the export ends with them. SourceError that names `where` if they
    are cut, damaged or dangerous.
    """
    try:
        for block in characters(blocks):
            yield from export.feed(block)
        if last:
            yield from export.close()
        elif export.inside_page:
            raise expat.ExpatError("no page ends where its stream does")
    except expat.ExpatError as error:
        after = f"after the page {export.last!r}" if export.last else "before its first page"
        raise SourceError(
            f"{where} breaks off or is no MediaWiki export: {error}, {after} ({export.pages:,} pages read). "
            "Download the file again and compare its checksum; then run the same command."
        ) from error
    except _DangerousError as error:
        raise SourceError(
            f"{where} is refused: {error}. No MediaWiki export does that; get the file from its source."
        ) from error


def characters(blocks: Iterable[bytes]) -> Iterator[str]:
    """Decoded text in which nothing is left that XML forbids."""
    decoder: codecs.IncrementalDecoder | None = None
    plain = False  # a byte below 32 is a character of its own: then they are looked for in the bytes, which is quicker
    for block in blocks:
        if decoder is None:
            name = _encoding(block)
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
