"""Blocks become documents: cut before chapters and between paragraphs, never after a heading, nothing lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.book import (
    BREAK,
    Block,
    Book,
    book_documents,
    book_texts,
    is_divider,
    lowered,
    raised,
    unstressed,
)

CHAPTERS = [
    block
    for number in range(8)
    for block in (
        Block("heading", f"Kapitola {number}"),
        *(Block("paragraph", f"Odstavec {number}.{part} " + "slovo " * 30) for part in range(number + 1)),
    )
]


def test_lines_that_follow_each_other_are_one_stanza() -> None:
    verse = [Block("line", "jedna"), Block("line", "dvě"), BREAK, Block("line", "tři"), Block("paragraph", "Konec.")]
    assert list(book_texts(verse, limit=1000)) == ["jedna\ndvě\n\ntři\n\nKonec."]


def test_pieces_end_before_chapters_and_nothing_is_lost() -> None:
    pieces = list(book_texts(CHAPTERS, limit=3000))
    assert "\n\n".join(pieces) == next(book_texts(CHAPTERS, limit=10**6))
    assert len(pieces) > 1
    assert all(len(piece) <= 3000 for piece in pieces)
    assert all(piece.startswith("Kapitola") for piece in pieces)


def test_no_piece_ends_with_a_heading() -> None:
    long = [Block("paragraph", letter * 480) for letter in "ab"]
    blocks = [long[0], Block("heading", "Díl"), Block("heading", "Kapitola"), long[1]]
    assert list(book_texts(blocks, limit=500)) == ["a" * 480, "Díl\n\nKapitola\n\n" + "b" * 480]


@pytest.mark.parametrize("kind", ["paragraph", "line", "heading"])
def test_a_block_above_the_limit_is_cut(kind: str) -> None:
    pieces = list(book_texts([Block(kind, "slovo " * 1000)] * 3, limit=1000))  # type: ignore[arg-type]
    assert all(len(piece) <= 1000 for piece in pieces)
    assert sum(piece.count("slovo") for piece in pieces) == 3000


def test_an_empty_book_has_no_documents(reading: Callable[..., Reading]) -> None:
    assert list(book_documents(Book([BREAK, BREAK]), "a", reading())) == []


@pytest.mark.parametrize(
    ("meta", "translated"),
    [
        ({}, False),
        ({"translator": "X"}, True),
        ({"orig_lang": "en", "language": "bg"}, True),
        ({"orig_lang": "bg", "language": "bg"}, False),
        ({"orig_lang": "en"}, False),
    ],
)
def test_a_translation_is_known_by_its_translator_or_language(meta: dict[str, str], translated: bool) -> None:
    assert Book([], meta).translated is translated


@pytest.mark.parametrize("text", ["* * *", "***", "—", "", "⁂", "- - -", "_ _"])
def test_dividers(text: str) -> None:
    assert is_divider(text)
    assert not is_divider(text + "а")


def test_stress_goes_but_what_is_spelled_with_an_accent_stays() -> None:
    assert (
        unstressed("ръ\u0300ка, а\u0301з, voila\u0300, é, ѝ, й, и\u0306") == "ръка, аз, voila\u0300, é, ѝ, й, и\u0306"
    )


def test_small_figures() -> None:
    assert (raised("12"), raised("ви"), raised("-2"), lowered("2"), lowered("макс"), lowered("n")) == (
        "¹²", "ви", "⁻²", "₂", "макс", "n",
    )  # fmt: skip
