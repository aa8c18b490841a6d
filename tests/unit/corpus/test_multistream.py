"""Dumps in many streams: cut between them, read apart, and the same documents come out in the same order."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mothertongue.corpus.config import Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.multistream import index_of, spans_of
from mothertongue.corpus.readers.wikipedia import read_span
from mothertongue.errors import SourceError

from .dumpsite import SITEINFO, multistream
from .test_wikipedia import HEAD, page

Drops = list[tuple[str, str, str]]
NAME = "cswiki-20261101-pages-articles-multistream.xml.bz2"
PAGES = [
    *(page(f"Obec {n}", f"'''Obec {n}''' leží u řeky. " * 30, id=n) for n in range(1, 40)),
    page("Přesměrování", "#PŘESMĚRUJ [[Obec 1]]", id=40),
    page("Rozcestník", "{{Rozcestník}}", id=41),
]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A dump of streams with three pages each, and its index."""
    packed, index = multistream(HEAD, ["".join(PAGES[n : n + 3]) for n in range(0, len(PAGES), 3)])
    (tmp_path / NAME).write_bytes(packed)
    (tmp_path / NAME.replace(".xml", "-index.txt")).write_bytes(index)
    return tmp_path / NAME


@pytest.fixture
def told(dump: Path, reading: Callable[..., Reading]) -> Reading:
    return reading(Source(str(dump), name="wiki"), language="cs")


@pytest.mark.parametrize("span_bytes", [1, 700, 1 << 30])
def test_spans_give_the_documents_of_the_whole_in_order(
    dump: Path, told: Reading, drops: Drops, span_bytes: int
) -> None:
    whole = list(read_file(dump, told))
    dropped = drops.copy()
    drops.clear()
    spans = spans_of(dump, span_bytes=span_bytes)
    assert len(spans) == {1: 14, 1 << 30: 1}.get(span_bytes, len(spans)) > 0
    assert [document for span in spans for document in read_span(span, told)] == whole
    assert (drops, len(whole)) == (dropped, 39)
    assert [spans[0].start, *(span.end for span in spans)] == [*(span.start for span in spans), dump.stat().st_size]


def test_the_parts_of_a_large_wiki_have_indexes_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "enwiki-20261101-pages-articles-multistream-index2.txt-p42p99.bz2").write_bytes(b"")
    part = tmp_path / "enwiki-20261101-pages-articles-multistream2.xml-p42p99.bz2"
    assert index_of(part) == tmp_path / "enwiki-20261101-pages-articles-multistream-index2.txt-p42p99.bz2"
    assert index_of(tmp_path / "enwiki-20261101-pages-articles.xml.bz2") is None


@pytest.mark.parametrize(
    "index",
    [b"", b"x:1:A\n", b"7:1:A\n", b"90:1:A\n80:2:B\n", b"99999999:1:A\n", b"9" * 9999, b"600:1:A\n" * 3],
    ids=["empty", "no number", "no stream there", "backwards", "behind the end", "one long line", "in the middle"],
)
def test_an_index_that_does_not_fit_is_not_used(dump: Path, index: bytes, told: Reading) -> None:
    place = index_of(dump)
    assert place
    place.write_bytes(bz2.compress(index))
    assert spans_of(dump, span_bytes=1) == []
    assert len(list(read_file(dump, told))) == 39


def test_an_index_that_leaves_out_the_first_pages_is_not_used(dump: Path) -> None:
    place = index_of(dump)
    assert place
    lines = bz2.decompress(place.read_bytes()).splitlines(keepends=True)
    place.write_bytes(bz2.compress(b"".join(lines[3:])))
    assert spans_of(dump, span_bytes=1) == []


def test_a_dump_without_index_or_with_a_damaged_one_is_read_from_its_beginning(dump: Path) -> None:
    place = index_of(dump)
    assert place
    place.write_bytes(place.read_bytes()[:-9])
    assert spans_of(dump) == []
    place.unlink()
    assert spans_of(dump) == []


def test_a_damaged_stream_is_an_error_that_says_where(dump: Path, told: Reading) -> None:
    spans = spans_of(dump, span_bytes=1)
    content = bytearray(dump.read_bytes())
    content[spans[2].start + 50] ^= 255
    dump.write_bytes(content)
    assert len(list(read_span(spans[1], told))) == 3
    with pytest.raises(SourceError, match=r"\(bytes .* is damaged"):
        list(read_span(spans[2], told))


def test_a_stream_that_ends_inside_of_a_page_is_an_error(tmp_path: Path, told: Reading) -> None:
    packed, index = multistream(HEAD, [PAGES[0][:200], PAGES[1]])
    (tmp_path / NAME).write_bytes(packed)
    (tmp_path / NAME.replace(".xml", "-index.txt")).write_bytes(
        bz2.compress(f"{len(bz2.compress(HEAD.encode()))}:1:A\n".encode())
    )
    with pytest.raises(SourceError, match="breaks off"):
        for span in spans_of(tmp_path / NAME, span_bytes=1):
            list(read_span(span, told))
    del index


# A copy that reads faster


def test_a_copy_in_zstd_gives_the_same_documents_and_is_read_instead(
    dump: Path, told: Reading, drops: Drops, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plain, dropped = list(read_file(dump, told)), drops.copy()
    config = replace(told.config, cache="zstd", cache_folder=str(tmp_path / "cache"))
    spans = spans_of(dump, span_bytes=700)
    for attempt in range(2):
        if attempt:  # the dump itself is unpacked no more
            monkeypatch.setattr("mothertongue.corpus.readers.files.bz2.BZ2Decompressor", None)
            monkeypatch.setattr("mothertongue.corpus.readers.multistream.Head.read", lambda _: HEAD)
        for read in (lambda told: read_file(dump, told), lambda told: (d for s in spans for d in read_span(s, told))):
            drops.clear()
            advanced = list[int]()
            copying = replace(told, config=config, advance=advanced.append)
            assert list(read(copying)) == plain
            assert drops == dropped
            assert sum(advanced) in (dump.stat().st_size, dump.stat().st_size - spans[0].start)
    copies = list((tmp_path / "cache").rglob("*.zst"))
    assert len(copies) == len(spans) + 1 == len(list((tmp_path / "cache").rglob("*.*"))) - 1


def test_a_changed_dump_is_not_read_from_its_old_copy(dump: Path, told: Reading, tmp_path: Path) -> None:
    copying = replace(told, config=replace(told.config, cache="zstd", cache_folder=str(tmp_path / "cache")))
    assert len(list(read_file(dump, copying))) == 39
    dump.write_bytes(multistream(HEAD, PAGES[:5])[0])
    assert len(list(read_file(dump, copying))) == 5


def test_a_dump_that_breaks_off_leaves_no_copy(dump: Path, told: Reading, tmp_path: Path) -> None:
    dump.write_bytes(dump.read_bytes()[:-20])
    copying = replace(told, config=replace(told.config, cache="zstd", cache_folder=str(tmp_path / "cache")))
    with pytest.raises(SourceError, match="ends before its archive does"):
        list(read_file(dump, copying))
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]


# What the wiki says of itself


@pytest.fixture
def wiki(tmp_path: Path, reading: Callable[..., Reading]) -> Callable[..., list[Document]]:
    """`wiki(*pages, language=..., head=..., siteinfo=None)`: the documents of a dump of these pages."""

    def run(*pages: str, language: str, head: str = HEAD, siteinfo: object = None, **source: object) -> list[Document]:
        path = tmp_path / "xxwiki-20261101-pages-articles.xml"
        path.write_text(head + "".join(pages) + "</mediawiki>", "utf-8")
        if siteinfo is not None:
            body = siteinfo if isinstance(siteinfo, bytes) else gzip.compress(json.dumps(siteinfo).encode())
            path.with_name("xxwiki-20261101-siteinfo-namespaces.json.gz").write_bytes(body)
        made = Source(str(path), name="wiki", **source)  # type: ignore[arg-type]
        return list(read_file(path, reading(made, language=language)))

    return run


@pytest.mark.parametrize(
    "text", ["#ПРЕНАСОЧВАНЕ [[А]]", "#転送 [[あ]]", "#अनुप्रेषित [[क]]", "#ĐỔI[[x]]", "\n#تحويل: [[ا]]", "#redirect [[x]]"]
)
def test_a_redirect_is_known_in_any_language(wiki: Callable[..., list[Document]], drops: Drops, text: str) -> None:
    assert wiki(page("A", text), language="any") == []
    assert drops[0][0] == "redirect"


def test_a_numbered_list_is_no_redirect(wiki: Callable[..., list[Document]]) -> None:
    pages = page("A", "# první [[krok]]\n# druhý", id=1), page("B", "Text o #značce [[x]]", id=2)
    assert len(wiki(*pages, language="cs")) == 2


def test_magic_words_beside_the_dump_say_what_a_redirect_is(wiki: Callable[..., list[Document]]) -> None:
    pages = page("A", "#PŘESMĚRUJ [[B]]", id=1), page("B", "#Hashtag [[není]] přesměrování.", id=2)
    assert [document.id for document in wiki(*pages, language="cs", siteinfo=SITEINFO)] == ["cswiki:2"]


def test_aliases_of_namespaces_beside_the_dump_are_known(wiki: Callable[..., list[Document]], drops: Drops) -> None:
    pages = page("A", "Text.[[Obr:a.jpg|náhled|popis]]", id=1), page("Obr:a.jpg", "popis", ns=None, id=2)
    (document,) = wiki(*pages, language="any", siteinfo=SITEINFO)
    assert (document.text, drops[0][0]) == ("Text.", "not-an-article")


@pytest.mark.parametrize("siteinfo", [b"", b"\x1f\x8b\x08broken", [], {"query": {"namespaces": 3}}, {"query": {}}])
def test_a_broken_siteinfo_is_not_needed(wiki: Callable[..., list[Document]], siteinfo: object) -> None:
    assert len(wiki(page("A", "Text."), language="cs", siteinfo=siteinfo)) == 1


@pytest.mark.parametrize(
    ("language", "text", "title"),
    [
        ("cs", "'''A''' je {{Rozcestník}}", "A"),
        ("cs", "{{Šablona:rozcestník}}", "A"),
        ("cs", "[[Kategorie:Rozcestníky|A]]", "A"),
        ("cs", "* [[A (město)]]", "A (rozcestník)"),
        ("bg", "{{пояснение}}", "А"),
        ("bg", "[[Категория:Пояснителни страници]]", "А"),
        ("ltg", "{{nozīmju atdalīšana}}", "A"),
        ("xx", "{{Disambig}}", "A"),
        ("xx", "[[Category:All disambiguation pages]]", "A"),
        ("xx", "__DISAMBIG__", "A"),
    ],
)
def test_a_list_of_meanings_is_known_by_the_names_of_its_wiki(
    wiki: Callable[..., list[Document]], drops: Drops, language: str, text: str, title: str
) -> None:
    head = HEAD if language != "bg" else HEAD.replace("Kategorie", "Категория").replace("Šablona", "Шаблон")
    assert wiki(page(title, text), language=language, head=head) == []
    assert drops == [("disambiguation", "cswiki:1", title)]


def test_a_link_to_a_category_is_no_disambiguation(wiki: Callable[..., list[Document]]) -> None:
    pages = page("A", "Viz [[:Kategorie:Města]] a [[w:Rozcestníky]].", id=1), page("B (město)", "Text.", id=2)
    assert len(wiki(*pages, language="cs")) == 2


def test_the_wiki_says_which_namespaces_hold_articles_or_the_source_does(
    wiki: Callable[..., list[Document]], drops: Drops
) -> None:
    pages = page("A", "Text.", id=1), page("Strana:B", "Strana.", ns="250", id=2), page("Soubor:C", "C.", ns="6", id=3)
    content = {"query": {"namespaces": {"0": {"id": 0, "content": ""}, "250": {"id": 250, "content": True}}}}
    assert [document.text for document in wiki(*pages, language="cs", siteinfo=content)] == ["Text.", "Strana."]
    assert [document.text for document in wiki(*pages, language="cs", namespaces=(6,))] == ["C."]
