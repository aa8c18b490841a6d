"""Whatever stands on a page, reading it takes time in proportion to its length and never fails."""

from __future__ import annotations

import time

import pytest

from mothertongue.corpus.wikitext import extract_text, site
from mothertongue.languages import open_language

NAMESPACES = {6: "Soubor", 10: "Šablona", 14: "Kategorie"}
SIGNS = [
    "{{a|", "[[a|", "{{{", "[[Soubor:a|", "<ref>", "<!--", "<nowiki>", "\n{|\n|", "\n|}", "[http://a ", "}}", "]]",
    "<div style='display:none'>", "{{lang|en|", "'''", "(\x01", "<math>", "{{a|{{b}}", "<table>", "<a", "&", "{{a}} ",
    "[[de:x]] ", "<math>\\frac{</math>", "{{convert|", "\n=", "\n= a =", "-{", "__", " ;", "( {{a}}", "[http://x ",
    "<math>\\frac{", "[[a [[b]]", "{{a|[[b}}", "</ref>", "\n;a :", "{{a|\n{|\n", "[[a|{{b|", "<ref name=a/>", "\n*#:;",
    ", {{a}}", "\n!", "|", "= =", "{{#if:1|", "x://", "{{formatnum:1}}", "{{nowrap|a|", "<pre>", "{|", " ", "\t", "\n",
    "<ref>[[a]]", "</table>", "{{{a|{{{", "}}}", "[[a]] (", "\x02", "{{a|<!--", "{{lang|", "[[a|{{nowrap|b", "}}]]",
]  # fmt: skip


def seconds(text: str) -> float:
    wiki = site(open_language("cs"), NAMESPACES, tables="keep")
    start = time.process_time()
    extract_text(text, wiki)
    return time.process_time() - start


@pytest.mark.parametrize("sign", SIGNS)
def test_broken_mark_up_takes_time_in_proportion_to_its_length(sign: str) -> None:
    """Eight times the length: linear is 8, quadratic would be 64."""
    ratio = seconds(sign * (64_000 // len(sign))) / max(seconds(sign * (8_000 // len(sign))), 0.002)
    assert ratio < 24


@pytest.mark.parametrize(
    ("before", "sign", "after"),
    [
        ("a -{a:", "x ", ""),
        ("a [[a", "\u2003", "b|]] c"),
        ("a ({{x}}", "\u2003", "b) c"),
        ("a ({{x}}", ",\u2003", "b)"),
    ],
)
def test_a_run_within_a_mark_takes_time_in_proportion_to_its_length(before: str, sign: str, after: str) -> None:
    short, long = (seconds(before + sign * number + after) for number in (4_000, 32_000))
    assert long / max(short, 0.002) < 24


@pytest.mark.parametrize(
    ("opening", "closing"), [("{{nowrap|", "}}"), ("[[a|", "]]"), ("{{{a|", "}}}"), ("\n{|\n|", "\n|}")]
)
def test_what_is_nested_ten_thousand_deep_does_not_fail(opening: str, closing: str) -> None:
    assert seconds(opening * 10_000 + "x" + closing * 10_000) < 5


def test_what_stands_a_few_levels_deep_is_kept() -> None:
    wiki = site(open_language("cs"))
    assert extract_text("{{nowrap|" * 12 + "x" + "}}" * 12, wiki) == "x"


def test_a_page_beyond_the_limit_of_mediawiki_is_read_in_pieces() -> None:
    page = "Slovo za [[slovo|slovem]].\n\n" * 100_000
    assert extract_text(page).count("Slovo za slovem.") == 100_000
