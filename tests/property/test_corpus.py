"""What holds for every text: cleaning is done once, leaves nothing forbidden, and readers lose nothing."""

from __future__ import annotations

import json
import re
import time
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from mothertongue.corpus.clean import FORBIDDEN, clean
from mothertongue.corpus.document import Document
from mothertongue.corpus.readers.jsonl import split_lines
from mothertongue.corpus.readers.text import split_text
from mothertongue.corpus.shards import encode_document
from mothertongue.corpus.wikitext import extract_text, site
from mothertongue.languages import open_language

WILD = st.text(
    st.one_of(
        st.characters(),
        st.characters(exclude_categories=()),  # with surrogates
        st.sampled_from(
            " \t\n\r\v\f\x85\u2028\u2029\u00a0\u00ad\u200b\u200d\u0301\u030c\ufeff\ud800\u3000\u2000\u1680aáá"
        ),
    ),
    max_size=60,
)
SIGNS = "[[|]]|{{|}}|''|'''|=|==|*|#|:|;|<ref>|</ref>|<nowiki>|!|<!--|-->|&nbsp;|a|slovo|Soubor:|<b>|/|[http://a |]"
WIKITEXT = st.lists(st.sampled_from([*SIGNS.split("|"), "|", "{|", "|}", "|-", "\n", " "]), max_size=30).map("".join)

WIKIS = [
    site(open_language("en"), tables=tables, formulas=formulas)
    for tables, formulas in (("drop", "text"), ("keep", "latex"), ("flatten", "drop"))
]


@given(WILD)
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(WILD)
def test_clean_text_has_one_form(text: str) -> None:
    result = clean(text)
    assert not FORBIDDEN.search(result)
    assert unicodedata.is_normalized("NFC", result)
    assert "\r" not in result
    assert "\n\n\n" not in result
    assert result == result.strip()
    assert not any(line != line.rstrip() for line in result.split("\n"))
    result.encode("utf-8")


@given(st.binary(max_size=200), st.integers(1, 20), st.integers(1, 300))
def test_lines_are_the_same_however_the_bytes_arrive(data: bytes, size: int, most: int) -> None:
    blocks = [data[at : at + size] for at in range(0, len(data), size)]
    lines = list(split_lines(iter(blocks), max_bytes=most))
    assert [(line if whole else None) for _, line, whole in lines] == [
        line if len(line) <= most else None
        for line in (data[:-1] if data.endswith(b"\n") else data).split(b"\n")
        if data
    ]


@given(st.text("ab \n", max_size=300), st.integers(4, 50), st.integers(1, 40))
def test_cutting_a_text_loses_nothing(text: str, limit: int, size: int) -> None:
    parts = (text[at : at + size] for at in range(0, len(text), size))
    pieces = list(split_text(parts, separator=None, limit=limit))
    assert "".join(pieces) == text
    assert all(0 < len(piece) <= limit for piece in pieces)


@given(WILD, st.text(max_size=10))
def test_a_document_is_one_line_of_json(text: str, name: str) -> None:
    line = encode_document(Document(clean(text), name, name))
    assert line.count(b"\n") == 1
    assert json.loads(line)["text"] == clean(text)


@given(WIKITEXT)
def test_any_mixture_of_mark_up_becomes_text_without_the_commonest_signs(wikitext: str) -> None:
    text = extract_text(wikitext)
    lone = re.search(r"(?<![]])[]](?![]])", wikitext)  # is text, and two of them may come to stand together
    if "nowiki" not in wikitext:
        assert not any(sign in text for sign in ("[[", "{{", "}}", "''", "<ref", "</", *(() if lone else ("]]",))))


@given(st.one_of(WIKITEXT, st.text(max_size=200), st.lists(st.one_of(WILD, WIKITEXT), max_size=6).map("".join)))
def test_no_page_whatever_it_holds_fails(wikitext: str) -> None:
    for wiki in WIKIS:
        text = extract_text(wikitext, wiki, title="T")
        assert text == text.strip()


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([*SIGNS.split("|"), "|", "{|", "|}", "{{nowrap|", "{{a|", "\n"]), min_size=2, max_size=6)
)
def test_time_grows_with_the_length_of_a_page_and_no_faster(pattern: list[str]) -> None:
    unit = "".join(pattern)
    start = time.process_time()
    extract_text(unit * (20_000 // len(unit)))
    assert time.process_time() - start < 2
