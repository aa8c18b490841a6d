"""MediaWiki exports: articles and nothing else, in any encoding and packing, safe against what an attacker may
write.
"""

from __future__ import annotations

import bz2
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from mothertongue.corpus.config import Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.export import Export
from mothertongue.errors import SourceError

Drops = list[tuple[str, str, str]]
HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="cs">
<siteinfo><sitename>Wiki</sitename><dbname>cswiki</dbname><namespaces>
<namespace key="-2">Média</namespace><namespace key="0" /><namespace key="1">Diskuse</namespace>
<namespace key="6">Soubor</namespace>
<namespace key="10">Šablona</namespace><namespace key="14">Kategorie</namespace></namespaces></siteinfo>
"""


def page(title: str, text: str, *, ns: str | None = "0", id: int = 1, extra: str = "", model: str = "wikitext") -> str:
    space = "" if ns is None else f"<ns>{ns}</ns>"
    return (
        f"<page><title>{escape(title)}</title>{space}<id>{id}</id>{extra}<revision><id>9{id}</id>"
        f"<contributor><username>x</username><id>8</id></contributor><model>{model}</model>"
        f'<text xml:space="preserve">{escape(text)}</text></revision></page>\n'
    )


def export(*pages: str) -> str:
    return HEAD + "".join(pages) + "</mediawiki>\n"


@pytest.fixture
def read(tmp_path: Path, reading: Callable[..., Reading]) -> Callable[..., list[Document]]:
    def run(content: str | bytes, *, name: str = "wiki.xml", language: str = "cs", **config: object) -> list[Document]:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_file(path, reading(Source(str(path), name="wiki"), language=language, **config)))

    return run


def test_an_article_becomes_a_document_with_its_number_and_title(read: Callable[..., list[Document]]) -> None:
    (document,) = read(export(page("Praha", "'''Praha''' je [[město]].[[Soubor:a.jpg|b]]", id=7)))
    assert (document.text, document.id, document.source) == ("Praha je město.", "cswiki:7", "wiki")
    assert document.meta == {"title": "Praha"}


def test_what_is_not_an_article_is_dropped_with_its_reason(read: Callable[..., list[Document]], drops: Drops) -> None:
    pages = [
        page("A", "#PŘESMĚRUJ [[B]]", extra='<redirect title="B" />'),
        page("C", "#přesměruj: [[B]]"),
        page("Diskuse:A", "x", ns="1"),
        page("Diskuse:B", "x", ns=None),
        page("D", "'''D''' může být: {{Rozcestník}}"),
        page("E", "text __DISAMBIG__"),
        page("F.css", "a {}", model="css"),
        page("Bez prostoru: jména", "článek", ns=None),
    ]
    assert [d.text for d in read(export(*pages))] == ["článek"]
    reasons = ["redirect"] * 2 + ["not-an-article"] * 2 + ["disambiguation"] * 2 + ["not-wikitext"]
    assert [reason for reason, _, _ in drops] == reasons


@pytest.mark.parametrize(
    ("encoding", "declaration"),
    [
        ("utf-8", ""),
        ("utf-8-sig", "<?xml version='1.0' encoding='utf-8'?>"),
        ("utf-16", ""),
        ("utf-16-le", ""),
        ("utf-16", '<?xml version="1.0" encoding="UTF-16"?>'),
        ("cp1250", '<?xml version="1.0" encoding="windows-1250"?>'),
        ("iso-8859-2", '<?xml version="1.0" encoding="ISO-8859-2"?>'),
    ],
)
def test_the_encoding_is_the_one_that_the_file_says(
    read: Callable[..., list[Document]], encoding: str, declaration: str
) -> None:
    (document,) = read((declaration + export(page("Kůň", "Žluťoučký kůň"))).encode(encoding))
    assert (document.text, document.meta["title"]) == ("Žluťoučký kůň", "Kůň")


@pytest.mark.parametrize("encoding", ["klingon", "hex", "undefined", "idna", "UTF-16"])
def test_an_encoding_that_cannot_be_is_a_clear_error(read: Callable[..., list[Document]], encoding: str) -> None:
    with pytest.raises(SourceError, match=encoding):
        read(f'<?xml version="1.0" encoding="{encoding}"?>' + export())


@pytest.mark.parametrize("name", ["wiki.xml.bz2", "wiki.xml-p1p200.bz2"])
def test_multistream_bz2_is_read_to_its_end(read: Callable[..., list[Document]], name: str) -> None:
    parts = [HEAD, page("A", "první"), page("B", "druhý"), "</mediawiki>"]
    packed = b"".join(bz2.compress(part.encode()) for part in parts)
    assert [d.text for d in read(packed, name=name)] == ["první", "druhý"]


def test_a_whole_export_on_one_line_is_read(read: Callable[..., list[Document]]) -> None:
    assert len(read(export(page("A", "x"), page("B", "y")).replace("\n", ""))) == 2


def test_of_several_revisions_the_last_one_counts(read: Callable[..., list[Document]]) -> None:
    content = export(page("A", "stará")).replace("</page>", "<revision><text>nová</text></revision></page>")
    assert [d.text for d in read(content)] == ["nová"]


def test_an_export_without_siteinfo_is_read(read: Callable[..., list[Document]]) -> None:
    (document,) = read("<mediawiki>" + page("A", "text[[Soubor:x.jpg]][[Kategorie:B]]") + "</mediawiki>")
    assert (document.text, document.id) == ("text", "wiki.xml:1")


def test_a_cut_export_says_how_far_it_was_read(read: Callable[..., list[Document]]) -> None:
    whole = export(page("Aš", "x"), page("Brno", "text"))
    with pytest.raises(SourceError, match=r"wiki\.xml breaks off.*'Aš' \(1 pages read\).*Download"):
        read(whole[: whole.index("text</text>") + 2])


def test_a_cut_bz2_export_is_a_clear_error(read: Callable[..., list[Document]]) -> None:
    with pytest.raises(SourceError, match="ends before its archive does"):
        read(bz2.compress(export(page("A", "x")).encode())[:-20], name="wiki.xml.bz2")


def test_invalid_bytes_and_nulls_cost_characters_and_not_the_dump(read: Callable[..., list[Document]]) -> None:
    content = export(page("A", "první @ zde"), page("B", "druhý")).encode().replace(b"@", b"\xff\x00\x0b")
    assert [d.text for d in read(content)] == ["první \ufffd zde", "druhý"]


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE m [<!ENTITY a "xxxxxxxxxx"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE m [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE m [<!ENTITY % a SYSTEM "http://127.0.0.1/x">]>',
    ],
)
def test_entity_declarations_are_refused(read: Callable[..., list[Document]], doctype: str) -> None:
    with pytest.raises(SourceError, match="declares the entity"):
        read(doctype + export(page("A", "x")))


def test_deeply_nested_elements_are_refused(read: Callable[..., list[Document]]) -> None:
    with pytest.raises(SourceError, match="nested"):
        read("<mediawiki>" + "<a>" * 100_000)


def test_a_tag_that_never_ends_is_refused_in_bounded_memory() -> None:
    export = Export(max_bytes=1 << 20)
    tracemalloc.start()
    with pytest.raises(Exception, match="a single tag"):
        export.feed('<mediawiki><page title="')
        for _ in range(1000):
            export.feed("x" * 65_536)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def huge_page(megabytes: int) -> Iterator[str]:
    yield HEAD + page("Malá", "před") + "<page><title>Velká</title><ns>0</ns><id>2</id><revision><text>"
    for _ in range(megabytes):
        yield block
    yield "</text></revision></page>" + page("Další", "po") + "</mediawiki>"


block = ("Slovo za slovem, řádek za řádkem. " * 40 + "\n") * 700  # a million bytes or so


def test_a_page_of_two_gigabytes_is_skipped_in_bounded_memory() -> None:
    """As characters on their way to expat: 80 MB here, since memory does not depend on how many there are."""
    export = Export(max_bytes=4 << 20)
    tracemalloc.start()
    start = time.perf_counter()
    pages = [(page.title, page.too_large, len(page.text)) for part in huge_page(80) for page in export.feed(part)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pages == [("Malá", False, 4), ("Velká", True, 0), ("Další", False, 2)]
    assert peak < 40 << 20
    assert time.perf_counter() - start < 20


def test_a_large_page_is_counted_and_the_next_is_read(read: Callable[..., list[Document]], drops: Drops) -> None:
    pages = page("Velká", "slovo " * 400_000, id=3), page("Malá", "text", id=4)
    assert [d.id for d in read(export(*pages), max_page_megabytes=1)] == ["cswiki:4"]
    assert drops == [("page-too-large", "cswiki:3", "Velká")]


@pytest.mark.parametrize(
    ("name", "language", "articles"),
    [
        ("bgwiki-latest-pages-articles-shortened.xml.bz2", "bg", 1),
        ("dumpsterdive-tinywiki-latest-pages-articles.xml", "en", 6),
        ("enwiki-table-markup.xml.bz2", "en", 5),
    ],
)
def test_real_dumps_leave_no_mark_up(
    shared_data: Path, reading: Callable[..., Reading], name: str, language: str, articles: int
) -> None:
    path = shared_data / "dumps" / name
    documents = list(read_file(path, reading(Source(str(path)), language=language)))
    assert len(documents) == articles
    for document in documents:
        for left_over in ("[[", "]]", "{{", "}}", "''", "||", "{|", "|}", "<ref", "thumb|", "&nbsp;", "[http"):
            assert left_over not in document.text
