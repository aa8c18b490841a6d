"""Wikitext becomes what a reader would read aloud; golden pages in three languages, and each kind of mark-up alone."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from mothertongue.corpus.clean import clean
from mothertongue.corpus.wikitext import extract_text, site
from mothertongue.corpus.wikitext.formula import readable
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
        ("{{lang|en|slovo}} {{Lang-de|Wort}} {{Šablona:nowrap|a b}} {{PAGENAME}}", "slovo německy Wort a b Praha"),
        (
            "Praha ({{cizí|x}}) a Brno ({{cizí|x}}, 1243) a Plzeň (1295{{cizí|x}} )",
            "Praha a Brno (1243) a Plzeň (1295)",
        ),
        ("a<nowiki>[[b]] '' {{c}} &amp;</nowiki>", "a[[b]] '' {{c}} &"),
        ("a &lt;b&gt; &#8222;c&#x201C; &nbsp;d", "a <b> „c“ d"),
        ("a <math>x + y = 2</math>, b <math>\\frac{a}{b}</math>, c", "a x + y = 2, b a/b, c"),
        ("a<!-- b -->c<br>d", "ac\nd"),
        ("slovo <ref>a</ref>, další <ref name=x />slovo<gallery>b</gallery>", "slovo, další slovo"),
        ("<pre>\n {{a}}\n</pre>", "{{a}}"),
        ("x\n{|\n|a\n{|\n|b\n|}\n|}\ny", "x\n\ny"),
        ("x<table><tr><td>a</td></tr></table>y", "x\ny"),
        ("* a\n** b\n# c\n;d: e\n:f", "a\nb\nc\nd: e\nf"),
        ("<gallery>\nSoubor:a.jpg|b\n</gallery>", ""),
        ("<ref>neuzavřená [[a]] reference", "neuzavřená a reference"),
        ("a }} b ]] c '''d", "a b c d"),
        ("{{{1|výchozí}}} {{{2}}}", "výchozí"),
        ("10<sup>6</sup> km<sup>2</sup>, H<sub>2</sub>O, 19<sup>th</sup>", "10⁶ km², H2O, 19th"),
        ("a<span style='display: none'>b<span>c</span></span> d", "a d"),
        ("viz <syntaxhighlight lang=c>x</syntaxhighlight>, <code>y</code>", "viz, y"),
        ("<ref>nezavřená, pak <ref>zavřená [[a]]</ref> text", "nezavřená, pak text"),
        ("[[a [http://b c]]] d]] {{x|[[y}} e", "a c d e"),
        ("__NOTOC__ a __BEZOBSAHU__ b __init__ c", "a b __init__ c"),
        ("[[Soubor:nezavřený|náhled\ndalší řádek", "další řádek"),
        ("a{{x|<nowiki>}}</nowiki>|{{y}}}} b", "a b"),
        ("a{{x|<!-- }} -->|b}} c <!-- nezavřený komentář", "a c"),
        ("[[Praha|hlavní {{nowrap|město}}]] a [[#Dějiny]], [[Pes#Plemena|]]", "hlavní město a Dějiny, Pes#Plemena"),
        ("-{zh-hans:简;zh-hant:繁}- -{A|sr}-", "简 sr"),
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


TABLE = """před
{| class=x
|+ Obyvatelé
! rok !! lidé
|-
| 1850 || align=right | 620
|-
| [[a|b]]
| {{nowrap|c}}
|}
po"""


@pytest.mark.parametrize(
    ("tables", "expected"),
    [
        ("drop", "před\n\npo"),
        ("keep", "před\n\nObyvatelé\nrok | lidé\n1850 | 620\nb | c\n\npo"),
        ("flatten", "před\n\nObyvatelé\nrok\nlidé\n1850\n620\nb\nc\n\npo"),
    ],
)
def test_tables_are_dropped_kept_or_flattened(tables: str, expected: str) -> None:
    assert extract_text(TABLE, site(open_language("cs"), NAMESPACES["cs"], tables=tables)) == expected


def test_a_table_in_a_table_is_kept_as_cells() -> None:
    wiki = site(open_language("cs"), tables="keep")
    assert extract_text("{|\n| a\n{|\n| b || c\n|}\n| d\n|}", wiki).split() == ["a", "b", "|", "c", "|", "d"]


@pytest.mark.parametrize(
    ("formulas", "expected"), [("text", "je a/b²."), ("latex", r"je \frac{a}{b^2}."), ("drop", "je.")]
)
def test_formulas_are_read_out_left_as_latex_or_dropped(formulas: str, expected: str) -> None:
    wiki = site(open_language("cs"), formulas=formulas)
    assert extract_text(r"je <math>\frac{a}{b^2}</math>.", wiki) == expected


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        (r"E = mc^2", "E = mc²"),
        (r"\sqrt{x_1 + \alpha} \le \sqrt[3]{2}", "√(x₁ + α) ≤ ³√2"),
        (r"\sum_{i=0}^{n} a_i \cdot \sin(\theta)", "∑_(i=0)^n a_i · sin(θ)"),
        (r"\left( \frac{a+b}{2} \right) \in \mathbb{R}", "( (a+b)/2 ) ∈ R"),
        (r"\begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}", "1 0 ; 0 1"),
        (r"\text{rychlost } v \approx 3 \times 10^{8}\,\mathrm{m/s}", "rychlost v ≈ 3 × 10⁸ m/s"),
        (r"\neznamy{x} } { \frac", "x /"),
        (r"\hat{H}\bar x\vec{AB}", "Ĥx̄AB"),
        ("x' < y", "x' < y"),
    ],
)
def test_a_formula_reads_like_itself(latex: str, expected: str) -> None:
    assert readable(latex) == expected
