"""Cleaning gives every text one form and takes nothing that its author meant."""

from __future__ import annotations

import time

import pytest

from mothertongue.corpus.clean import FORBIDDEN, clean


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a\r\nb\rc\x85d\u2028e\x0cf", "a\nb\nc\nd\ne\nf"),
        ("a\n\n\n\n b", "a\n\n b"),
        ("a  \t\nb   ", "a\nb"),
        ("a\n \t \n\n \nb", "a\n\nb"),
        ("Jablon\u030c a z\u030celva", "Jabloň a želva"),
        ("kve\u00adty\ufeff a \u200bpole\x00\x07", "kvety a pole"),
        ("k\u00a0domu, 10\u202fkm", "k domu, 10 km"),
        ("e\u00ad\u0301", "é"),
        ("\ud800x\uffff", "x"),
        ("\n\n  \n", ""),
    ],
)
def test_each_difference_that_means_nothing_goes(given: str, expected: str) -> None:
    assert clean(given) == expected


@pytest.mark.parametrize(
    "text", ["„Ano,“ řekl — a šel…", "def f():\n\treturn 1", "👩\u200d💻 می\u200cروم", "日本\u3000語", "x²ﬁ"]
)
def test_quotes_dashes_indentation_and_joiners_stay(text: str) -> None:
    assert clean(text) == text


def test_a_hostile_run_of_spaces_takes_no_time() -> None:
    start = time.perf_counter()
    clean((" " * 200_000 + "x\n") * 5)
    assert time.perf_counter() - start < 2


def test_forbidden_characters_are_really_invisible_ones() -> None:
    assert not FORBIDDEN.search(
        "".join(map(chr, range(0x20, 0x7F))) + "ěščřžýáíéúůďťňабвгдежзийклмнопрстуфхцчшщъьюяѝ„“”–—…€№°\n\t"
    )
