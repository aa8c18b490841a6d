"""Markdown and HTML give their text without mark-up; PDF points to what reads it; hostile pages are bounded."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mothertongue.corpus.config import Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.markdown import plain_text
from mothertongue.corpus.readers.tags import has_endless_tag
from mothertongue.errors import SourceError

from .conftest import TEXTS

Drops = list[tuple[str, str, str]]


def read(path: Path, told: Reading) -> list[Document]:
    return list(read_file(path, told))


PAGE = """---
title: Vlak
---
# Vlak do *Brna*

Jede **rychle**
přes [most](https://x.cz "titul") a `kod`.\\
Druhý řádek &amp; konec.

- jedna
- dvě
  1. tři

> citát

| město | řeka |
|-------|------|
| Brno  | Svratka |

```python
print("ne")
```

<div>ne</div>

![obrázek](a.png)Pod obrázkem.
"""


def test_markdown_gives_its_text_without_marks() -> None:
    assert plain_text(PAGE).split("\n") == [
        "Vlak do Brna",
        "",
        "Jede rychle přes most a kod.",
        "Druhý řádek & konec.",
        "",
        "jedna",
        "dvě",
        "tři",
        "",
        "",
        "citát",
        "",
        "město | řeka",
        "Brno | Svratka",
        "",
        "Pod obrázkem.",
    ]


def test_a_markdown_file_is_a_document_cut_where_a_paragraph_ends(
    tmp_path: Path, reading: Callable[..., Reading]
) -> None:
    (tmp_path / "a.md").write_text("\r\n\r\n".join(f"*{number}* " + "slovo " * 100 for number in range(4)), newline="")
    found = read(tmp_path / "a.md", reading(max_document_characters=1000))
    assert [d.id for d in found] == ["a.md#1", "a.md#2", "a.md#3", "a.md#4"]
    assert all(d.text.startswith(str(number)) for number, d in enumerate(found))


def test_markdown_of_another_encoding_is_read(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    (tmp_path / "a.md").write_text("# Влак", "cp1251")
    assert [d.text for d in read(tmp_path / "a.md", reading(Source("x", encoding="cp1251")))] == ["Влак"]


@pytest.mark.parametrize(
    "hostile",
    ["[" * 4000, ">" * 50_000, "*a " * 4000, "![" * 2000, "- " * 5000, "`a" * 5000, "<a" * 5000, "\0\ufeff" * 500],
)
def test_hostile_markdown_is_read_in_bounded_time(hostile: str) -> None:
    start = time.monotonic()
    plain_text(hostile)
    assert time.monotonic() - start < 10


@pytest.mark.parametrize("name", ["a.md", "a.html"])
def test_a_page_that_is_too_large_is_counted(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops, name: str
) -> None:
    pytest.importorskip("trafilatura")
    (tmp_path / name).write_bytes(b"<p>" + b"x" * (2 << 20))
    assert read(tmp_path / name, reading(max_page_megabytes=1)) == []
    assert [(reason, id) for reason, id, _ in drops] == [("page-too-large", name)]


@pytest.mark.parametrize("name", ["a.md", "a.html"])
def test_an_empty_page_is_counted(tmp_path: Path, reading: Callable[..., Reading], drops: Drops, name: str) -> None:
    pytest.importorskip("trafilatura")
    (tmp_path / name).touch()
    assert read(tmp_path / name, reading()) == []
    assert [reason for reason, _, _ in drops] == ["no-text"]


def html(language: str, *, charset: str = "utf-8") -> str:
    article = "".join(f"<p>{TEXTS[language]} ({number})</p>" for number in range(3))
    menu = "<nav><ul><li><a href='/'>Menu</a></li><li><a href='/k'>Kontakt</a></li></ul></nav>"
    return (
        f"<!DOCTYPE html><html><head><meta charset='{charset}'><title>Nadpis</title>"
        f"<meta name='author' content='Jan'></head><body>{menu}<main><article><h1>Nadpis</h1>{article}</article></main>"
        "<footer>Copyright 2026, všechna práva vyhrazena</footer><script>var x = 1;</script></body></html>"
    )


@pytest.mark.parametrize(
    ("language", "charset"), [("cs", "utf-8"), ("cs", "windows-1250"), ("bg", "windows-1251"), ("bg", "utf-8")]
)
def test_html_gives_its_main_text(tmp_path: Path, reading: Callable[..., Reading], language: str, charset: str) -> None:
    pytest.importorskip("trafilatura")
    (tmp_path / "a.html").write_bytes(html(language, charset=charset).encode(charset, "xmlcharrefreplace"))
    (document,) = read(tmp_path / "a.html", reading())
    assert document.text.count(TEXTS[language][:200]) == 3
    assert not any(word in document.text for word in ("Menu", "Kontakt", "Copyright", "var x"))
    assert document.meta["title"] == "Nadpis"


@pytest.mark.parametrize(
    "hostile",
    [
        b"<div>" * 10_000 + b"text",
        b"<html><body>" + b"<p>a" * 4_000,
        b"\0\xff\xfe<html><p>" + b"\x80" * 1000,
        b"<!DOCTYPE html [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><html><p>&b;</p></html>",
        b"<html><a href='" + b"x" * 500_000,
        b"<html>" + b"&#9999999999;" * 1000,
        b"<p " + b" ".join(b"a%d=1" % number for number in range(300_000)) + b">",
        b"\xff\xfe" + ("<p " + " ".join(f"a{number}" for number in range(100_000)) + ">").encode("utf-16-le"),
        b"<b><i>" * 20_000,
    ],
)
def test_hostile_html_is_read_or_counted(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops, hostile: bytes
) -> None:
    pytest.importorskip("trafilatura")
    (tmp_path / "a.html").write_bytes(hostile)
    start = time.monotonic()
    found = read(tmp_path / "a.html", reading())
    assert len(found) + len(drops) >= 1
    assert {reason for reason, _, _ in drops} <= {"no-text", "broken-markup"}
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("page", "endless"),
    [
        ("<p " + " ".join(f"a{n}='>'" for n in range(3000)) + ">", True),
        ('<!-- <a x=" --><p ' + "/".join(f"a{n}" for n in range(3000)) + ">", True),
        ("<p" + "".join(f' a{n}="<a"' for n in range(3000)) + ">", True),
        ('<a x="' * 100_000, True),
        ("<a ==" + "=" * 100_000, False),
        ("<p class='a' id=b>Text, 3 < 5 a a<b.</p>\n" * 1000, False),
        ('<img alt="" src="data:' + "A" * 1_000_000 + '">', False),
        ("<p " + " ".join(f"a{n}" for n in range(1500)) + ">", False),
    ],
)
def test_a_tag_with_thousands_of_attributes_is_found_wherever_it_hides(page: str, endless: bool) -> None:
    start = time.process_time()
    assert has_endless_tag(page) == endless
    assert time.process_time() - start < 2


def test_a_missing_library_names_its_extra(
    tmp_path: Path, reading: Callable[..., Reading], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from mothertongue.errors import ConfigError

    monkeypatch.setitem(sys.modules, "trafilatura", None)
    (tmp_path / "a.html").write_text(html("cs"))
    with pytest.raises(ConfigError, match=r'read HTML takes: pip install "mothertongue\[web\]"'):
        read(tmp_path / "a.html", reading())


def test_a_pdf_points_to_what_reads_it(tmp_path: Path, reading: Callable[..., Reading], drops: Drops) -> None:
    for name in ("a.pdf", "no-suffix"):
        path = tmp_path / name
        path.write_bytes(b"%PDF-1.7\n\x00\xff")
        with pytest.raises(SourceError, match=r"pdftotext.*ocrmypdf.*docling"):
            read(path, reading(Source(str(path))))
    assert read(tmp_path / "a.pdf", reading(Source(str(tmp_path)))) == []
    assert [(reason, id) for reason, id, _ in drops] == [("pdf", "a.pdf")]
