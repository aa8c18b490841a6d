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
from mothertongue.corpus.wikitext.gaps import GAP
from mothertongue.corpus.wikitext.site import Site, site
from mothertongue.corpus.wikitext.tidy import CONTROLS, KEPT, tidy
from mothertongue.corpus.wikitext.weights import TemplateWeights
from mothertongue.languages import open_language

__all__ = ["Site", "TemplateWeights", "extract_text", "site"]

_PIECE = 2 << 20  # MediaWiki's own limit of a page; larger ones are taken in pieces so that memory stays bounded


def extract_text(
    wikitext: str, wiki: Site | None = None, *, title: str = "", dropped: TemplateWeights | None = None
) -> str:
    """The running text of a page. Templates that show nothing are counted in `dropped`.

    Takes time in proportion to the page and never fails; broken mark-up is dropped as far as it can be told from text.
    """
    wiki = wiki or _any_wiki()
    weights = TemplateWeights() if dropped is None else dropped
    if GAP in wikitext or KEPT in wikitext:
        wikitext = wikitext.translate(CONTROLS)
    shown = [Walker(wiki, title, weights).render("\n" + piece, 0) for piece in _pieces(wikitext)]
    return tidy("\n".join(shown), wiki.language.reference_sections)


@cache
def _any_wiki() -> Site:
    return site(open_language("any"))


def _pieces(wikitext: str) -> list[str]:
    pieces = []
    while len(wikitext) > _PIECE:
        cut = wikitext.rfind("\n\n", 0, _PIECE) + 1 or wikitext.rfind("\n", 0, _PIECE) + 1 or _PIECE
        pieces.append(wikitext[:cut])
        wikitext = wikitext[cut:]
    return [*pieces, wikitext]
