"""EPUB: chapters in the order of the spine, without contents, notes and imprint; hostile archives do no harm."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mothertongue.corpus.clean import clean
from mothertongue.corpus.readers import Reading

pytest.importorskip("lxml")
from mothertongue.corpus.readers.bookxml import parse_xml
from mothertongue.corpus.readers.epub import read_epub
from mothertongue.corpus.readers.xhtml import chapter_blocks
from mothertongue.errors import SourceError

SECOND = "OEBPS/text/two.xhtml"
CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" version="3.0">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Mlýn</dc:title><dc:creator>Jan Novotný</dc:creator>
<dc:language>cs</dc:language><dc:rights>CC BY 4.0</dc:rights><dc:contributor id="t">Eva Malá</dc:contributor>
<meta refines="#t" property="role">trl</meta></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="a" href="text/one%20chapter.xhtml" media-type="application/xhtml+xml"/>
<item id="b" href="text/two.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="text/notes.xhtml" media-type="application/xhtml+xml"/>
<item id="c" href="../../../etc/passwd" media-type="application/xhtml+xml"/>
<item id="i" href="i.png" media-type="image/png"/></manifest>
<spine>
<itemref idref="nav"/><itemref idref="b"/><itemref idref="a"/><itemref idref="b"/><itemref idref="n" linear="no"/>
<itemref idref="i"/><itemref idref="c"/><itemref idref="missing"/></spine></package>"""
ONE = """<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"
xmlns:epub="http://www.idpf.org/2007/ops"><head><title>Mlýn</title><style>p {}</style></head>
<body><h1>První<br/>kapitola</h1><span epub:type="pagebreak">12</span>
<p>Mlynář&nbsp;<i>šel</i> domů.<sup><a epub:type="noteref" href="#n1">1</a></sup>
Potom<a href="#n2">*</a> usnul &amp; spal.</p>
<div class="poem"><div class="stanza"><p>Teče voda,</p><p>teče <b>dál</b>.</p></div>
<div class="stanza"><p>A mlčí.</p></div></div>
<p>Báseň<br/>na řádky</p><figure><img src="a.png" alt="mlýn"/><figcaption>Obr. 1</figcaption></figure><hr/>
<ul><li>mouka</li><li>otruby</li></ul><table><tr><td><p>žito</p></td><td>3</td></tr></table>
<pre>  a
    b</pre><p>Konec.</p><aside epub:type="footnote" id="n1"><p>1. Poznámka.</p></aside>
<div class="footnotes">Další</div></body></html>"""
TWO = "<html><body><h2>Druhá</h2>Text bez odstavce<p>a <p>nezavřený odstavec & konec</body>"
TEXT = """Druhá

Text bez odstavce

a

nezavřený odstavec konec

První
kapitola

Mlynář šel domů. Potom usnul & spal.

Teče voda,
teče dál.

A mlčí.

Báseň
na řádky

mouka

otruby

žito | 3

  a
    b

Konec."""


@pytest.fixture
def epub(tmp_path: Path) -> Callable[..., Path]:
    def write(changes: dict[str, str | bytes] | None = None) -> Path:
        members: dict[str, str | bytes] = {
            "META-INF/container.xml": CONTAINER,
            "OEBPS/book.opf": PACKAGE,
            "OEBPS/nav.xhtml": "<html><body>Obsah</body></html>",
            "OEBPS/text/one chapter.xhtml": ONE,
            SECOND: TWO,
            "OEBPS/text/notes.xhtml": "<html><body>Poznámky</body></html>",
        }
        with zipfile.ZipFile(tmp_path / "a.epub", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in (members | (changes or {})).items():
                archive.writestr(name, text)
        return tmp_path / "a.epub"

    return write


def test_a_book_becomes_its_text_and_its_meta(
    epub: Callable[..., Path], reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    (document,) = read_epub(epub(), reading())
    assert clean(document.text) == TEXT
    assert document.meta == {
        "title": "Mlýn",
        "author": "Jan Novotný",
        "language": "cs",
        "licence": "CC BY 4.0",
        "translator": "Eva Malá",
    }
    assert [drop[0] for drop in drops] == ["missing-chapter"]  # the path that leaves the archive


def test_long_books_are_cut_at_chapters(epub: Callable[..., Path], reading: Callable[..., Reading]) -> None:
    chapter = f"<html><body><h1>Kapitola</h1>{'<p>Dlouhý odstavec o mlýně a o řece.</p>' * 30}</body></html>"
    path = epub({SECOND: chapter, "OEBPS/text/one chapter.xhtml": chapter})
    documents = list(read_epub(path, reading(max_document_characters=1500)))
    assert [document.id for document in documents] == ["a.epub#1", "a.epub#2"]
    assert all(document.text.startswith("Kapitola") for document in documents)


def test_a_bomb_among_the_chapters_costs_only_itself(
    epub: Callable[..., Path], reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    path = epub({SECOND: b"<html><body><p>" + b" " * 30_000_000})
    (document,) = read_epub(path, reading())
    assert "Mlynář" in document.text
    assert [drop[0] for drop in drops] == ["archive-bomb", "missing-chapter"]


def test_entities_in_a_chapter_cost_only_itself(
    epub: Callable[..., Path], reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    path = epub({SECOND: '<!DOCTYPE html [<!ENTITY a SYSTEM "file:///etc/passwd">]><html>&a;</html>'})
    (document,) = read_epub(path, reading())
    assert document.text.startswith("První")
    assert [drop[0] for drop in drops] == ["entities-in-xml", "missing-chapter"]


def test_the_limit_counts_all_chapters_together(
    epub: Callable[..., Path], reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    long = "<html><body>" + "".join(f"<p>Odstavec {number * 7919}.</p>" for number in range(30_000)) + "</body></html>"
    path = epub({SECOND: long, "OEBPS/text/one chapter.xhtml": long})
    assert list(read_epub(path, reading(max_book_megabytes=1)))
    assert "book-too-large" in [drop[0] for drop in drops]


def test_encrypted_chapters_are_counted(
    epub: Callable[..., Path], reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    encryption = '<e xmlns="urn:x"><CipherReference URI="OEBPS/text/two.xhtml"/></e>'
    (document,) = read_epub(epub({"META-INF/encryption.xml": encryption}), reading())
    assert document.text.startswith("První")
    assert drops[0][:2] == ("encrypted", "a.epub/OEBPS/text/two.xhtml")


@pytest.mark.parametrize("container", ["", "<x/>", '<c><rootfile full-path="../../x.opf"/></c>', "\0"])
def test_an_archive_without_a_book_is_counted(
    epub: Callable[..., Path], reading: Callable[..., Reading], drops: list[tuple[str, str, str]], container: str
) -> None:
    assert list(read_epub(epub({"META-INF/container.xml": container}), reading())) == []
    assert drops[0][0] in ("not-an-epub", "broken-xml")


def test_what_is_no_archive_is_a_clear_error(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    (tmp_path / "a.epub").write_bytes(b"no zip")
    with pytest.raises(SourceError, match=r"a\.epub"):
        list(read_epub(tmp_path / "a.epub", reading()))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<p>Rok <a href="c.xhtml#x">1920</a> byl dlouhý.</p>', "Rok byl dlouhý."),
        ('<p>Rok <a href="http://a.b/">1920</a> byl.</p>', "Rok 1920 byl."),
        ("<p>10<sup>12</sup> m<sup>3</sup>, 1<sup>er</sup></p>", "10¹² m³, 1er"),
        ("<p>a<script>b</script>c<!-- d --></p>", "ac"),
        ('<p class="empty-line">&#160;</p><p>a</p>', "a"),
        ("<div>a<div>b</div>c</div>", "a|b|c"),
    ],
)
def test_single_elements(html: str, text: str) -> None:
    blocks = chapter_blocks(parse_xml(f"<html><body>{html}</body></html>".encode()))
    assert "|".join(block.text for block in blocks if block.text) == text


def test_a_spine_of_thousands_that_goes_in_circles_is_read_once(
    epub: Callable[..., Path], reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    items = "".join(f'<item id="x{n}" href="text/two.xhtml" media-type="application/xhtml+xml"/>' for n in range(3000))
    again = "".join(f'<itemref idref="x{n}"/>' for n in [*range(3000), *range(3000)])
    circle = (
        '<item id="s" href="book.opf" media-type="application/xhtml+xml"/>'
        '<item id="q" href="../META-INF/container.xml" media-type="application/xhtml+xml"/>'
    )
    package = PACKAGE.replace("</manifest>", f"{items}{circle}</manifest>").replace(
        "<spine>", f'<spine><itemref idref="s"/><itemref idref="q"/>{again}'
    )
    (document,) = read_epub(epub({"OEBPS/book.opf": package}), reading())
    assert document.text.count("Text bez odstavce") == 1
    assert {reason for reason, _, _ in drops} <= {"missing-chapter"}


def test_a_package_that_names_itself_is_counted(
    epub: Callable[..., Path], reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    container = CONTAINER.replace("OEBPS/book.opf", "META-INF/container.xml")
    assert list(read_epub(epub({"META-INF/container.xml": container}), reading())) == []
