"""Wikitext becomes what a reader would read aloud; golden pages in three languages, and each kind of mark-up alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mothertongue.corpus.clean import clean
from mothertongue.corpus.wikitext import extract_text, site, template_names
from mothertongue.languages import open_language

GOLDEN = Path(__file__).parents[2] / "golden" / "wikitext"
NAMESPACES = {
    "cs": {-2: "Média", 6: "Soubor", 10: "Šablona", 14: "Kategorie"},
    "bg": {-2: "Медия", 6: "Файл", 10: "Шаблон", 14: "Категория"},
    "en": {-2: "Media", 6: "File", 10: "Template", 14: "Category"},
}
LEFT_OVER = re.compile(
    r"\[\[|\]\]|\{\{|\}\}|''|<[a-z/!]|\|\||^\s*[|!*#:;]|&[a-z]+;|__\w+__|\{\||\|\}|\b(File|Soubor|Файл|Category):|https?:",
    re.M,
)


def czech(wikitext: str) -> str:
    return extract_text(wikitext, site(open_language("cs"), NAMESPACES["cs"]), title="Praha")


@pytest.mark.parametrize("code", ["cs", "bg", "en"])
def test_a_whole_page_reads_as_expected(code: str) -> None:
    """To accept new output after a look at it: MOTHERTONGUE_UPDATE=1 pytest ..."""
    page, golden = GOLDEN / f"{code}.wiki", GOLDEN / f"{code}.txt"
    text = clean(extract_text(page.read_text("utf-8"), site(open_language(code), NAMESPACES[code]))) + "\n"
    if os.environ.get("MOTHERTONGUE_UPDATE"):
        golden.write_text(text, "utf-8")
    assert text == golden.read_text("utf-8")
    assert not LEFT_OVER.search(text.replace("[[odkaz]]", ""))


@pytest.mark.parametrize(
    ("wikitext", "expected"),
    [
        ("'''Praha''' je ''město''", "Praha je město"),
        ("[[auto]]mobil a [[pes|psi]] a [[Brno (město)|]]", "automobil a psi a Brno"),
        ("a[[Soubor:x.jpg|náhled|popis [[y|z]] a [http://q w]]]b", "ab"),
        ("a[[Obrázek:x.jpg]][[File:x.jpg|thumb]][[image:x.png]]b", "ab"),
        ("a [[Kategorie:X]][[Category:Y]][[de:Z]][[be-tarask:Z]][[simple:Z]] b", "a b"),
        ("[[:Kategorie:Města]] a [[:de:Prag|Prag]]", "Kategorie:Města a Prag"),
        ("[[wikt:slovo]] a [[s:Dílo|dílo]]", "slovo a dílo"),
        ("viz [http://a.b odkaz], [http://a.b] a http://c.d/e", "viz odkaz, a"),
        ("a<ref>b [[c]]</ref>, d<ref name=x/>.", "a, d."),
        ("před {{šablona|a={{b}}|c}}, po", "před, po"),
        ("{{lang|en|slovo}} {{Lang-de|Wort}} {{Šablona:nowrap|a b}} {{PAGENAME}}", "slovo Wort a b Praha"),
        (
            "Praha ({{cizí|x}}) a Brno ({{cizí|x}}, 1243) a Plzeň (1295{{cizí|x}} )",
            "Praha a Brno (1243) a Plzeň (1295)",
        ),
        ("a<nowiki>[[b]] '' {{c}} &amp;</nowiki>", "a[[b]] '' {{c}} &"),
        ("a &lt;b&gt; &#8222;c&#x201C; &nbsp;d", "a <b> „c“ d"),
        ("a<math>x + y = 2</math>, b<math>\\frac{a}{b}</math>, c", "ax + y = 2, b, c"),
        ("a<!-- b -->c<br>d", "ac\nd"),
        ("<pre>\n {{a}}\n</pre>", "{{a}}"),
        ("x\n{|\n|a\n{|\n|b\n|}\n|}\ny", "x\n\ny"),
        ("x<table><tr><td>a</td></tr></table>y", "xy"),
        ("* a\n** b\n# c\n;d: e\n:f", "a\nb\nc\nd: e\nf"),
        ("<gallery>\nSoubor:a.jpg|b\n</gallery>", ""),
        ("<ref>neuzavřená [[a]] reference", "neuzavřená a reference"),
        ("a }} b ]] c '''d", "a b c d"),
        ("{{{1|výchozí}}} {{{2}}}", "výchozí"),
        ("", ""),
    ],
)
def test_each_kind_of_mark_up(wikitext: str, expected: str) -> None:
    assert clean(czech(wikitext)) == expected


def test_headings_without_text_and_sections_of_references_go() -> None:
    lines = ["úvod", "== Prázdná ==", "== Plná ==", "=== Též prázdná ===", "=== Část ===", "text"]
    lines += ["== Odkazy ==", "=== Literatura ===", "* kniha", "== Dál ==", "konec"]
    assert czech("\n".join(lines)) == "úvod\n\nPlná\n\nČást\n\ntext\n\nDál\n\nkonec"


def test_a_wiki_that_nobody_knows_needs_no_data() -> None:
    latgalian = site(open_language("ltg"), {6: "Fails", 14: "Kategoreja"})
    assert extract_text("[[Fails:a.jpg|b]]'''c''' [[Kategoreja:d]]", latgalian) == "c"


def test_template_names_are_compared_without_case_and_namespace() -> None:
    wiki = site(open_language("cs"), NAMESPACES["cs"])
    assert template_names("{{Rozcestník}} {{ šablona:Infobox_x\n|a={{b}}}}", wiki) == {"rozcestník", "infobox x", "b"}
