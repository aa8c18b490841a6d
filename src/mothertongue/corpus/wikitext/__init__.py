"""Wikitext -> running text: what a reader of the page would read aloud, and no mark-up.

    wiki = site(open_language("cs"), {6: "Soubor", 10: "Šablona", 14: "Kategorie"})
    extract_text("'''Praha''' má {{formatnum:1384732}} obyvatel.[[Soubor:a.jpg|b]]", wiki)
    # 'Praha má 1 384 732 obyvatel.'

Kept: text of links, list items one per line, headings on lines of their own, formulas in readable form, templates
that `languages/*.toml` names as showing text. Dropped: other templates (counted by weight), references, galleries,
files with their captions, categories, interlanguage links, comments, headings without text below them, and sections
of references. Tables are dropped, kept or flattened.

marks.py cuts the page, extract.py walks over the marks, tidy.py closes the gaps; docs/why/wikitext.md says why so.
"""

from __future__ import annotations

from functools import cache

from mothertongue.corpus.wikitext.extract import Walker
from mothertongue.corpus.wikitext.octets import bytes_of
from mothertongue.corpus.wikitext.site import Site, site
from mothertongue.corpus.wikitext.tidy import CONTROLS, tidy
from mothertongue.corpus.wikitext.weights import TemplateWeights
from mothertongue.languages import open_language

__all__ = ["Site", "TemplateWeights", "extract_text", "site"]

_PIECE = 2 << 20  # MediaWiki's own limit of a page; larger ones are taken in pieces so that memory stays bounded


def extract_text(
    wikitext: str | bytes, wiki: Site | None = None, *, title: str = "", dropped: TemplateWeights | None = None
) -> str:
    """The running text of a page, as characters or UTF-8. Templates that show nothing are counted in `dropped`.

    Takes time in proportion to the page and never fails; broken mark-up is dropped as far as it can be told from text.
    """
    wiki = wiki or _any_wiki()
    weights = TemplateWeights() if dropped is None else dropped
    data = bytes_of(wikitext) if isinstance(wikitext, str) else wikitext
    if any(control in data for control in CONTROLS):
        data = data.translate(None, CONTROLS)
    shown = [Walker(wiki, title, weights).render(b"\n" + piece, 0) for piece in _pieces(data)]
    return tidy(b"\n".join(shown), wiki.language.reference_sections)


@cache
def _any_wiki() -> Site:
    return site(open_language("any"))


def _pieces(data: bytes) -> list[bytes]:
    pieces = []
    while len(data) > _PIECE:
        cut = data.rfind(b"\n\n", 0, _PIECE) + 1 or data.rfind(b"\n", 0, _PIECE) + 1 or _character(data, _PIECE)
        pieces.append(data[:cut])
        data = data[cut:]
    return [*pieces, data]


def _character(data: bytes, cut: int) -> int:
    """Where the character that `cut` may fall into begins."""
    return next((at for at in range(cut, cut - 4, -1) if data[at] & 0xC0 != 0x80), cut)
