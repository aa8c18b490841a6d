"""FB2: the first body and its annotation, verse line by line, no notes; hostile XML is refused in bounded time."""

from __future__ import annotations

import base64
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mothertongue.corpus.clean import clean
from mothertongue.corpus.readers import Reading

pytest.importorskip("lxml")
from mothertongue.corpus.readers.fb2 import read_fb2

FB2 = """<?xml version="1.0" encoding="{encoding}"?>
<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0" xmlns:l="http://www.w3.org/1999/xlink">
<description><title-info><genre>prose</genre>
<author><first-name>Петко</first-name><last-name>Ралев</last-name></author><book-title>Старата воденица</book-title>
<annotation><p>Кратка книга.</p></annotation><lang>bg</lang><src-lang>ro</src-lang>
<translator><nickname>Елена</nickname></translator></title-info></description>
<body><title><p>Петко Ралев</p><p>Старата воденица</p></title>
<section><title><p>Първа</p></title><epigraph><p>Водата помни.</p><text-author>Пословица</text-author></epigraph>
<p>Михал се събу&#768;ди <emphasis>рано</emphasis><a l:href="#n1" type="note">[1]</a>. Виж <a l:href="#x">там</a>.</p>
<empty-line/><p>* * *</p>
<poem><title><p>Река</p></title><stanza><v>Тече река,</v><v>  тече &amp; пее.
 [5]</v></stanza><stanza><v>И спира.</v></stanza><date>1931</date></poem>
<table><tr><th>Какво</th><th><p>Колко</p></th></tr><tr><td>Вода</td><td>H<sub>2</sub>O</td></tr></table>
<p><code>  md   x</code></p><p>Край<image l:href="#i"/>.</p></section></body>
<body name="notes"><section id="n1"><title><p>1</p></title><p>Бележка.</p></section></body>
<binary id="i" content-type="image/png">{binary}</binary></FictionBook>"""
TEXT = """Кратка книга.

Петко Ралев
Старата воденица

Първа

Водата помни.

Пословица

Михал се събуди рано. Виж там.

Река

Тече река,
тече & пее.

И спира.

1931

Какво | Колко
Вода | H₂O

  md   x

Край."""


def book(*, encoding: str = "utf-8", binary: str = "") -> bytes:
    return FB2.replace("{encoding}", encoding).replace("{binary}", binary).encode(encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1251", "utf-16"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_book_becomes_its_text_and_its_meta(
    tmp_path: Path, reading: Callable[..., Reading], encoding: str, zipped: bool
) -> None:
    data, path = book(encoding=encoding), tmp_path / ("a.fb2.zip" if zipped else "a.fb2")
    if zipped:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.fb2", data)
    else:
        path.write_bytes(data)
    (document,) = read_fb2(path, reading())
    assert clean(document.text) == TEXT
    assert document.meta == {
        "title": "Старата воденица",
        "author": "Петко Ралев",
        "translator": "Елена",
        "language": "bg",
        "orig_lang": "ro",
    }


def test_pictures_of_any_size_do_no_harm(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    (tmp_path / "a.fb2").write_bytes(book(binary=base64.b64encode(bytes(12_000_000)).decode()))
    (document,) = read_fb2(tmp_path / "a.fb2", reading())
    assert clean(document.text) == TEXT


def test_broken_markup_costs_no_text_around_it(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    broken = (
        book()
        .replace(b"<emphasis>", b"<emphasis")
        .replace(b"</poem>", b"")
        .replace("Край".encode(), "A & Б край".encode())
    )
    (tmp_path / "a.fb2").write_bytes(broken)
    (document,) = read_fb2(tmp_path / "a.fb2", reading())
    assert "Тече река," in document.text
    assert "край" in document.text


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
HOSTILE = {  # declarations, text
    "billion laughs": (f'<!ENTITY l0 "ха">{LAUGHS}', "<p>&l11;</p>"),
    "quadratic": (f'<!ENTITY a "{"а" * 200_000}">', "<p>&a;</p>" * 2000),
    "file": ('<!ENTITY a SYSTEM "file:///etc/passwd">', "<p>&a;</p>"),
    "address": ('<!ENTITY % a SYSTEM "http://127.0.0.1:9/x.dtd">%a;', "<p>а</p>"),
    "attribute": (f'<!ENTITY l0 "ха">{LAUGHS}', '<p id="&l11;">а</p>'),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_entities_of_its_own_are_refused(
    tmp_path: Path, reading: Callable[..., Reading], drops: list[tuple[str, str, str]], name: str
) -> None:
    declared, text = HOSTILE[name]
    data = f"<!DOCTYPE F [{declared}]><FictionBook><body>{text}</body></FictionBook>"
    (tmp_path / "a.fb2").write_text(data, "utf-8")
    start = time.process_time()
    assert list(read_fb2(tmp_path / "a.fb2", reading())) == []
    assert time.process_time() - start < 2
    assert drops[0][0] in ("entities-in-xml", "broken-xml")


@pytest.mark.parametrize(
    "data",
    ["<FictionBook><body>" + "<section>" * 100_000 + "<p>дъно</p>", "<FictionBook><body>" + "<p>а</p>" * 100_000,
     "<FictionBook><body><p>" + "а" * 3_000_000, "<FictionBook><body><poem>" + "<v/>" * 100_000,
     "<FictionBook><body><p>a</p>" + "\n" * 100_000 + "<p>b</p>"],
)  # fmt: skip
def test_depth_and_length_take_bounded_time(tmp_path: Path, reading: Callable[..., Reading], data: str) -> None:
    (tmp_path / "a.fb2").write_text(data, "utf-8")
    start = time.process_time()
    for document in read_fb2(tmp_path / "a.fb2", reading()):
        assert len(document.text) <= 100_000
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "broken-xml"),
        (b"no xml", "broken-xml"),
        (b"<a/>", "not-fb2"),
        (b"\0\xff<", "broken-xml"),
        (b"<FictionBook><body>" + b"<p/>" * (1 << 21), "too-many-tags"),
    ],
)
def test_what_is_no_fb2_is_counted(
    tmp_path: Path, reading: Callable[..., Reading], drops: list[tuple[str, str, str]], data: bytes, reason: str
) -> None:
    (tmp_path / "a.fb2").write_bytes(data)
    assert list(read_fb2(tmp_path / "a.fb2", reading())) == []
    assert [drop[0] for drop in drops] == [reason]
