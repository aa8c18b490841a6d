"""MediaWiki XML exports: one document per article, from .xml, .xml.bz2 (also multistream) and the other packings.

read_wikipedia     a whole file, from its beginning
read_span          a span of a multistream dump (multistream.py), in any process
page_document      one page, in any process: what is no article is dropped with its reason
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.articles import why_no_article
from mothertongue.corpus.readers.export import Export, Page, pages_of
from mothertongue.corpus.readers.multistream import Head, Span
from mothertongue.corpus.readers.siteinfo import SiteInfo, complete
from mothertongue.corpus.readers.unpacked import dump_blocks
from mothertongue.corpus.wikitext import Site, extract_text, site


def read_wikipedia(path: Path, reading: Reading) -> Iterator[Document]:
    """The articles of an export as running text; their ids are wiki:page."""
    wiki: Site | None = None
    for page, info in read_pages(path, reading):
        wiki = wiki or open_wiki(info, reading)
        if document := page_document(page, wiki, info, reading, file=path.name):
            yield document


def read_pages(path: Path, reading: Reading) -> Iterator[tuple[Page, SiteInfo]]:
    """Every page of a file, in order, and what the file says of its wiki."""
    export = Export(max_bytes=reading.config.max_page_megabytes << 20)
    completed = False
    for page in pages_of(dump_blocks(path, reading.config, advance=reading.advance), export, where=path):
        if not completed:
            complete(export.info, path)
            completed = True
        yield page, export.info


def read_span(span: Span, reading: Reading) -> Iterator[Document]:
    """The articles in a part of a multistream dump, as `read_wikipedia` would give them."""
    export = Export(max_bytes=reading.config.max_page_megabytes << 20)
    export.feed(_head(span.head()))
    complete(export.info, span.path)
    wiki = open_wiki(export.info, reading)
    blocks = dump_blocks(span, reading.config, advance=reading.advance)
    for page in pages_of(blocks, export, where=span, last=span.is_last):
        if document := page_document(page, wiki, export.info, reading, file=span.name):
            yield document


def open_wiki(info: SiteInfo, reading: Reading) -> Site:
    """What the extractor must know of the wiki, aliases of its namespaces included."""
    source = reading.source
    wiki = site(reading.language, info.namespaces, tables=source.tables, formulas=source.formulas)
    return replace(
        wiki,
        hidden_prefixes=wiki.hidden_prefixes | info.hidden_prefixes(),
        template_prefixes=wiki.template_prefixes | info.template_prefixes(),
    )


def page_document(page: Page, wiki: Site, info: SiteInfo, reading: Reading, *, file: str) -> Document | None:
    """The document of an article; None if the page is none, which `reading` is told."""
    where = f"{info.dbname or file}:{page.id}"
    reason = why_no_article(page, wiki, info, reading.source.namespaces)
    if reason:
        reading.drop(reason, where, page.title)
        return None
    text = extract_text(page.wikitext, wiki, title=page.title, dropped=reading.templates)
    return Document(text, where, reading.name, {"title": page.title})


@lru_cache(maxsize=4)
def _head(head: Head) -> str:
    return head.read()
