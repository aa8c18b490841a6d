"""SFB and the TXT export of the same book: text, nothing of the site's notices, verse line by line."""

from __future__ import annotations

import gzip
import time
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mothertongue.corpus.clean import clean
from mothertongue.corpus.config import Source
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.book import book_texts
from mothertongue.corpus.readers.detect import reader_of
from mothertongue.corpus.readers.sfb import parse_sfb, read_sfb, table_row
from mothertongue.corpus.readers.sfbmarks import plain

SFB = """|\tПетко Ралев
|\tСтарата воденица

A>
\tКратка книга за едно село.
A$

>\tПърва част
>\tПрез пролетта

E>
\tВодата помни.
@\tПословица
E$

\tМихал се събу`ди рано*. Навън _беше __съвсем___ тихо и {e}студе`но{/e}.
\t[* Така казваха тогава. — Б.р.
\tА и после.]
\t— Ще {del}тръгна{/del} ли? — попи`та й той. {img:most.png|Мостът|#Старият мост}
C>
\tСкъпи братко,
\tПиши ми.
@\tТвой Ради
@@\tРусе, 1931 г.
C$

\t* * *

P>
\tТече река през мрака,
\t\tтече и не почива,
5\tа старецът я чака

\tи пее, и изстива.
P$

>>\t

T>
#\tЗапаси
!\t| Какво | Колко |
\t|< Брашно | 12{sup}2{/sup} |
T$
F>
\t  /\\\\
\t /  \\\\
F$
\tМихал каза: „Който има *, да си го знае“ и си отиде, мамка му, по д***те.

I>
\t$orig_lang=ro
\t$translator=Елена Младенова
\tСканиране: някой, 2009 г.
\tСвалено от „Моята библиотека“: http://example.org/text/1
I$
"""
TEXT = """Петко Ралев
Старата воденица

Кратка книга за едно село.

Първа част
През пролетта

Водата помни.

Пословица

Михал се събуди рано. Навън беше съвсем тихо и студено.

— Ще тръгна ли? — попита й той.

Скъпи братко,

Пиши ми.

Твой Ради

Русе, 1931 г.

Тече река през мрака,
тече и не почива,
а старецът я чака

и пее, и изстива.

Запаси

Какво | Колко
Брашно | 12²

  /\\
 /  \\

Михал каза: „Който има *, да си го знае“ и си отиде, мамка му, по д***те."""
TXT = """\tПетко Ралев
\tСтарата воденица



\tПрез пролетта

\tМихал се събу`ди рано*. Навън _беше_ тихо.
\t[* Така казваха тогава.]
\t— Ще тръгна ли?
\t— Да.

\tТече река през мрака,
\tтече и не почива,
\tа старецът я чака

\t| Какво | Колко |
\t|< Брашно | 12 |

\tКрай на тази доста дълга история, която никой не беше чул докрай досега.


\tPetko Ralev
\tOld Mill, 1931

\tИздание: „Река“, 1972
\tСканиране, разпознаване и редакция: някой, 2009 г.

\tСвалено от „Моята библиотека“: http://example.org/text/1
\tПоследна корекция: 3 март 2010
"""


def test_an_sfb_book_becomes_its_text_and_its_meta() -> None:
    book = parse_sfb(SFB)
    assert clean(next(book_texts(book.blocks, limit=10_000))) == TEXT
    assert book.meta == {
        "author": "Петко Ралев",
        "title": "Старата воденица",
        "orig_lang": "ro",
        "translator": "Елена Младенова",
    }
    assert book.translated


@pytest.mark.parametrize("name", ["a.sfb", "a.sfb.zip", "a.txt", "a.txt.zip"])
def test_plain_or_zipped_the_text_is_the_same(tmp_path: Path, reading: Callable[..., Reading], name: str) -> None:
    path, text = tmp_path / name, SFB if "sfb" in name else "\ufeff" + TXT.replace("\n", "\r\n")
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("picture.png", b"\x89PNG")
            archive.writestr(name[:-4], text.encode())
    else:
        path.write_bytes(text.encode())
    (document,) = read_sfb(path, reading())
    assert document.meta["title"] == "Старата воденица"
    assert document.text.count("Тече река през мрака,\nтече и не почива,\nа старецът я чака") == 1
    assert "Свалено" not in document.text
    assert "Сканиране" not in document.text
    assert document.id == (f"{name}/{name[:-4]}#1" if name.endswith(".zip") else f"{name}#1")


def test_the_txt_export_loses_its_notices_and_its_marks(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    (tmp_path / "a.txt").write_text(TXT, "utf-8")
    (document,) = read_sfb(tmp_path / "a.txt", reading())
    assert clean(document.text) == (
        "Петко Ралев\nСтарата воденица\n\nПрез пролетта\n\nМихал се събуди рано. Навън беше тихо.\n\n"
        "— Ще тръгна ли?\n\n— Да.\n\nТече река през мрака,\nтече и не почива,\nа старецът я чака\n\n"
        "Какво | Колко\nБрашно | 12\n\nКрай на тази доста дълга история, която никой не беше чул докрай досега."
    )


@pytest.mark.parametrize("packing", ["", ".gz"])
def test_a_plain_export_is_told_by_its_tabs_and_its_notice(
    tmp_path: Path, reading: Callable[..., Reading], packing: str
) -> None:
    def write(name: str, text: str) -> Path:
        data = ("\ufeff" + text.replace("\n", "\r\n")).encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if packing else data)
        return tmp_path / name

    path = write(f"a.txt{packing}", TXT)
    assert [d.text for d in read_file(path, reading())] == [d.text for d in read_sfb(path, reading())]
    others = {
        "without-notice.txt": TXT[: TXT.index("\tСвалено")],
        "without-tabs.txt": TXT.replace("\t", ""),
        "about-the-site.txt": TXT[: TXT.index("\tСвалено")] + "\tТова не е свалено от „Моята библиотека“.\n",
        "notice-at-its-beginning.txt": TXT[TXT.index("\tСвалено") :] + "\tДруг текст на български език.\n" * 1000,
    }
    for name, text in others.items():
        assert reader_of(write(name + packing, text), Source("x"), alone=True) == "text", name


def test_text_of_somebody_else_in_a_zip_is_plain_text(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    with zipfile.ZipFile(tmp_path / "b.txt.zip", "w") as archive:
        archive.writestr("b.txt", "Obyčejný _text_\nna dvou řádcích.\n")
    (document,) = read_sfb(tmp_path / "b.txt.zip", reading())
    assert document.text == "Obyčejný _text_\nna dvou řádcích.\n"


def test_translations_can_be_left_out(
    tmp_path: Path, reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    (tmp_path / "a.sfb").write_text(SFB, "utf-8")
    assert list(read_sfb(tmp_path / "a.sfb", reading(Source("x", translations="drop")))) == []
    assert [reason for reason, _, _ in drops] == ["translation"]


def test_a_book_above_the_limit_is_counted(
    tmp_path: Path, reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    (tmp_path / "a.sfb").write_text("\tдума дума\n" * 100_000, "utf-8")
    assert list(read_sfb(tmp_path / "a.sfb", reading(max_book_megabytes=1))) == []
    assert drops == [("book-too-large", "a.sfb", "")]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("ху`бава въ`лна, voila`", "хубава вълна, voilà"),
        ("каза и` той и` да дойде", "каза ѝ той ѝ да дойде"),
        ("_курсив_, __силно__ и ___двете___", "курсив, силно и двете"),
        ("име_на_файл и ______ за попълване", "име_на_файл и ______ за попълване"),
        (
            "дума* и друга** и трета*1.\n\t[* а]\n\t[** б]\n\t[*1 в]",
            "дума и друга и трета.\n\t[* а]\n\t[** б]\n\t[*1 в]",
        ),
        ("по д***те няма бележки", "по д***те няма бележки"),
        ("H{sub}2{/sub}O, x{sup}n+1{/sup}, 1{sup}ви{/sup}", "H₂O, xⁿ⁺¹, 1ви"),
        ("{m large,bold}голям{/m} {pre}код{/pre} {#l-1}виж{/#}", "голям код виж"),
        ("виж [[ „Моята библиотека“ | http://example.org ]]", "виж  „Моята библиотека“ "),
        (r"\*звезда\* и \_черта\_ и \{скоба\}", "*звезда* и _черта_ и {скоба}"),
        ("{непозната} остава", "{непозната} остава"),
    ],
)
def test_inline_marks(given: str, expected: str) -> None:
    assert unicodedata.normalize("NFC", plain(given)) == expected


@pytest.mark.parametrize(
    ("row", "cells"),
    [("| a | b |", "a | b"), ("a | b", "a | b"), ("||. ab |. c |", "ab | c"), ("|! a |< -5 |^ |", "a | -5")],
)
def test_table_rows(row: str, cells: str) -> None:
    assert table_row(row) == cells


@pytest.mark.parametrize(
    "hostile",
    ["\t" + " _а" * 300_000, "\t" + "[*" * 300_000, "\t[* а\n" * 100_000, "P>\n" * 200_000, "M>\n\tа\n" * 100_000,
     "{img:" * 200_000, "\tа*" + "\n" * 200_000,
     "\t" + "*" * 500_000, ">\t\n" * 200_000, "\tа" + "`" * 500_000, "T>\n\t" + "|<" * 300_000],
)  # fmt: skip
def test_hostile_markup_takes_linear_time(hostile: str) -> None:
    start = time.process_time()
    parse_sfb(hostile)
    assert time.process_time() - start < 20  # a slow machine takes six


def test_a_note_that_never_ends_takes_one_line_only() -> None:
    blocks = parse_sfb("\tПърви.\n\t[* бележка без край\n" + "\tред\n" * 300).blocks
    assert sum(block.text == "ред" for block in blocks) == 300
