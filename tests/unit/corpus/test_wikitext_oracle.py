"""mwparserfromhell, a full parser, as the oracle: the words that it takes for text are kept."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mwparserfromhell
import pytest

from mothertongue.corpus.config import Source
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.wikipedia import read_pages
from mothertongue.corpus.wikitext import extract_text, site
from mothertongue.languages import open_language

GOLDEN = Path(__file__).parents[2] / "golden" / "wikitext"


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w{2,}", text))


def recall(wikitext: str, text: str) -> float:
    """Of the words outside templates, tags, tables and links, the share that `text` has."""
    tree = mwparserfromhell.parse(wikitext, skip_style_tags=True)
    wanted = words(" ".join(str(node.value) for node in tree.nodes if type(node).__name__ == "Text"))
    return sum((wanted & words(text)).values()) / max(1, sum(wanted.values()))


@pytest.mark.parametrize(("code", "end"), [("cs", "== Odkazy"), ("bg", "== Вижте също")])
def test_the_words_of_a_page_are_kept(code: str, end: str) -> None:
    page = (GOLDEN / f"{code}.wiki").read_text("utf-8").partition(end)[0]
    names = {"cs": {6: "Soubor"}, "bg": {6: "Файл"}}[code]
    assert recall(page, extract_text(page, site(open_language(code), names))) > 0.95  # headings without text go


@pytest.mark.parametrize("name", ["bgwiki-latest-pages-articles-shortened.xml.bz2", "enwiki-table-markup.xml.bz2"])
def test_the_words_of_real_pages_are_kept(shared_data: Path, reading: Callable[..., Reading], name: str) -> None:
    path = shared_data / "dumps" / name
    language = replace(open_language(name[:2]), reference_sections=frozenset())
    for page, info in read_pages(path, reading(Source(str(path)))):
        if page.ns == "0":
            text = extract_text(page.text, site(language, info.namespaces), title=page.title)
            assert recall(page.text, text) > 0.97, page.title
