"""The compiled reader passes over many bytes at once: it must find what stands among them, as plain Python does."""

from __future__ import annotations

import random
import sys
from xml.sax.saxutils import unescape

import pytest

from mothertongue.corpus.wikitext import dump, pointers, scan, spaces
from mothertongue.corpus.wikitext.marks import MARK
from mothertongue.corpus.wikitext.tidy import plain_spaces

tidying = sys.modules["mothertongue.corpus.wikitext.tidy"]  # the package has a function of this name


def test_signs_are_found_wherever_they_stand_among_plain_text() -> None:
    """Compiled, 32 bytes without a sign are passed over together: so each sign at each place of them, and beyond."""
    signs = (
        "[[b]]",
        "]",
        "|",
        "{{b}}",
        "}}",
        "<b>",
        "<!--b-->",
        "\n|",
        "''",
        "  ",
        " \t",
        "&nbsp;",
        "\xa0",
        "__",
        "//",
        "-{",
        "\\",
    )
    for sign in signs:
        for before in (*range(70), 95, 96, 97):
            page = f"{'a' * before}{sign}{'bc ' * 12}{sign}{'a' * 31} {sign}".encode()
            assert scan.scan_marks(page) == MARK.split(page)
            assert scan.scan_marks(b"{{" + page + b"}}") == MARK.split(b"{{" + page + b"}}")
            assert spaces.plain_spaces(page)[0] == plain_spaces(page)


def test_entities_and_letters_are_read_wherever_they_stand_among_plain_text() -> None:
    for sign in ("&lt;", "&gt;", "&amp;", "&quot;", "ž", "€", "🙂", "\t", "\n"):
        for before in (*range(40), *range(250, 260), 511, 512):
            raw = f"{'a' * before}{sign}{'bc' * 20}{sign}"
            assert dump.unescaped(raw.encode()) == unescape(raw, {"&quot;": '"'}).encode()
            for odd in (b"\x01", b"\xff", b"\xc5", b"\xed\xa0\x80", b"&", b"&x;"):
                assert dump.unescaped(b"a" * before + odd + b"a" * 40) is None
                assert dump.unescaped(raw.encode() + odd) is None


def test_lines_in_runs_become_the_same_text_as_one_by_one() -> None:
    rest = (
        "",
        "",
        "Aš",
        "a b",
        " a",
        "a ",
        "= a =",
        "== b ==",
        "* a",
        "–",
        "ž",
        "Я",
        "a\x01 b",
        "\x01",
        "7",
        "; a : b",
        "----a",
    )
    draw = random.Random(5)
    for _ in range(3000):
        lines = "\n".join(draw.choice(rest) for _ in range(draw.randrange(9))).encode()
        kept = tidying._lines(spaces.plain_runs(lines), frozenset({"b"}))
        assert b"\n".join(kept) == b"\n".join(tidying._lines(lines.split(b"\n"), frozenset({"b"})))


def test_nothing_outside_of_the_bytes_is_looked_at() -> None:
    for begin, end in ((-1, 2), (3, 2), (0, 4)):
        with pytest.raises(IndexError):
            pointers.place_of(b"abc", 97, begin, end)
        with pytest.raises(IndexError):
            pointers.is_plain(b"abc", begin, end)
        with pytest.raises(IndexError):
            pointers.copied(b"abc", begin, end, bytearray(9), 0)
    with pytest.raises(IndexError):
        pointers.copied(b"abc", 0, 3, bytearray(4), 2)
