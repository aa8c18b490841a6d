"""Wikimedia's HTML dumps (Enterprise): records of JSON lines in a .tar.gz, each an article as the wiki's own parser
shows it, templates and all.

`cswiki-NS0-20260101-ENTERPRISE-HTML.json.tar.gz` is read like any archive of JSON lines; its records are known by
`article_body`. Text is what stands in headings, paragraphs, items of lists, quotations and verses; tables, boxes, notes
and their marks, pictures and their captions are left out. lxml parses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from mothertongue.corpus.document import Document
from mothertongue.corpus.extras import need
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.tags import has_endless_tag
from mothertongue.corpus.wikitext.formula import readable

_BLOCKS = ("h2", "h3", "h4", "h5", "h6", "p", "li", "dt", "dd", "blockquote", "pre")
_HEADINGS = frozenset(_BLOCKS[:5])
_LEFT_OUT = """//table | //style | //script | //figure | //img | //sup[contains(@class, 'reference')]
    | //*[contains(@class, 'mw-references-wrap') or contains(@class, 'references') or contains(@class, 'noprint')
    or contains(@class, 'navbox') or contains(@class, 'hatnote') or contains(@class, 'mw-editsection')
    or contains(@class, 'gallery') or contains(@class, 'infobox') or contains(@class, 'metadata')
    or contains(@class, 'toc')]"""
_STYLE = re.compile(r"^\{\\(?:displaystyle|textstyle) (.*)\}$", re.S)
_FORMULAS: dict[str, Callable[[str], str]] = {"text": readable, "latex": str, "drop": lambda latex: ""}
_MAX_TAGS = 1 << 20


def is_enterprise(record: dict[str, Any]) -> bool:
    """Whether a record is an article of such a dump."""
    body = record.get("article_body")
    return isinstance(body, dict) and isinstance(body.get("html"), str)


def enterprise_document(record: dict[str, Any], where: str, reading: Reading) -> Iterator[Document]:
    """The text of an article; none, and a reason, if it is none or empty."""
    page, wiki, space = record["article_body"]["html"], record.get("is_part_of"), record.get("namespace")
    dbname = wiki.get("identifier") if isinstance(wiki, dict) else None
    if isinstance(dbname, str) and isinstance(record.get("identifier"), int):
        where = f"{dbname}:{record['identifier']}"
    number = space.get("identifier", 0) if isinstance(space, dict) else 0
    if number not in (reading.source.namespaces or (0,)):
        reading.drop("not-an-article", where, str(record.get("name"))[:1000])
    elif page.count("<") > _MAX_TAGS or has_endless_tag(page):
        reading.drop("broken-markup", where, page[:1000])
    elif text := article_text(page, formulas=reading.source.formulas):
        meta = {"title": record.get("name"), "url": record.get("url")}
        yield Document(text, where, reading.name, {key: value for key, value in meta.items() if isinstance(value, str)})
    else:
        reading.drop("no-text", where, page[:1000])


def article_text(page: str, *, formulas: str = "text") -> str:
    """The running text of an article's HTML: blocks with an empty line between them, items of a list line by line."""
    html, etree = (need(name, extra="web", to="read HTML dumps") for name in ("lxml.html", "lxml.etree"))
    try:
        root = html.document_fromstring(page.encode("utf-8", "replace"), parser=html.HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, ValueError):  # an empty page
        return ""
    for node in root.xpath("//math"):
        latex = _STYLE.sub(r"\1", node.get("alttext", ""))
        shown = _FORMULAS[formulas](latex)
        node.tail = f"{shown}{node.tail or ''}"
    for node in root.xpath(f"{_LEFT_OUT} | //math"):
        node.drop_tree()  # what follows it stays
    text, before, heading = "", "", ""
    for node in root.iter(*_BLOCKS):
        words = " ".join(_own_words(node))
        if node.tag in _HEADINGS:
            heading = f"{words}\n\n" if words else ""
        elif words:
            text += ("\n" if node.tag == before == "li" and not heading else "\n\n") + heading + words
            before, heading = node.tag, ""  # a heading stands only before text
    return text.strip()


def _own_words(node: Any) -> list[str]:
    """The words of a block without those of blocks in it, which come by themselves."""
    parts = [node.text or ""]
    for child in node:
        if child.tag not in _BLOCKS and not (isinstance(child.tag, str) and child.tag in ("ul", "ol", "dl")):
            parts += ["\n" if child.tag == "br" else "", *child.itertext()] if isinstance(child.tag, str) else []
        parts.append(child.tail or "")
    return "".join(parts).split()
