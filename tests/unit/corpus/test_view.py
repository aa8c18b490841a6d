"""What a text shows at once: never anything else than the long way round."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from mothertongue.corpus import shingle, tally
from mothertongue.corpus.quality import RULES, Profile
from mothertongue.corpus.rule import first_failed
from mothertongue.corpus.shape import SHAPE_RULES, Shape
from mothertongue.corpus.shingle import word_hashes
from mothertongue.corpus.view import PIECE, View
from mothertongue.languages import open_language

PARTS = [
    "Slovo ", "a ", "že ", "the ", "of ", "x ", "– ", "{ } ",
    "f() ", "$a ", "<b>", "a == b ", "https://a.cz ", "Σ ΟΔΟΣ ",
    "\n", "\n\n", "• bod\n", "1. ", "…\n", "...\n", ";\n",
    "Lorem \t ipsum ", "javaſcript disabled ", "  ", "\u3000", "12 ",
    "😀 ", "𐐀 ", "Věta má konec. ", "¤", "»slovo* ", "na- še ",
]  # fmt: skip


def random_texts(count: int) -> list[str]:
    chance = random.Random(5)
    few = [chance.sample(PARTS, k=chance.randrange(1, 12)) for _ in range(count)]
    return ["Ahoj" + "".join(chance.choices(own, k=chance.randrange(300))) for own in few]


def test_counts_lines_and_pieces_are_those_of_plain_python() -> None:
    for text in [*random_texts(60), "a" * (PIECE + 7) + "ž \n", "\ufffe", "\ud800" * 600]:
        own = View(text)
        assert dict(own.counts) == Counter(text)
        assert own.lines == [line for line in text.split("\n") if line]
        assert own.pieces == len(text.split())
        assert own.count("až") == text.count("a") + text.count("ž")


def test_bounds_are_never_passed() -> None:
    for text in random_texts(120):
        own, words = View(text), Counter(text.lower().split())
        assert max(words.values()) <= own.most_of_a_word
        assert len(own.runs) - len(np.unique(own.runs)) <= own.most_repeated_runs


@pytest.mark.parametrize("code", ["cs", "en", "any"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.6])
def test_what_is_sure_without_the_figure_is_what_the_figure_says(code: str, share: float) -> None:
    language = open_language(code)
    for text in random_texts(40):
        for rules, figures in ((RULES, Profile(text, language)), (SHAPE_RULES, Shape(text))):
            for name, rule in rules.items():
                if rule.surely(figures, share):
                    figure = rule.figure(figures)
                    assert figure is None or (figure >= share if rule.least else figure <= share), name


def test_a_sure_rule_is_not_worked_out() -> None:
    profile = Profile("the of and " * 50 + "sentence is here. " * 50, open_language("en"))
    wanted = {"few-function-words": 0.1}
    assert first_failed(RULES, profile, wanted, ()) is None
    assert "function_words" not in profile.__dict__


def test_the_text_in_one_pass_is_the_text_in_arrays() -> None:
    """As plain Python, or as compiled: the same words, counts and pieces."""
    for text in [*random_texts(60), "ž" * 9, "🙂 a", "", "ʼn İs ΟΔΟΣ"]:
        words, counts = np.zeros(len(text) // 2 + 1, dtype=np.uint64), np.zeros(1 << 16, dtype=np.int32)
        room = [memoryview(array) for array in (shingle._letters(), counts, words)]  # in them numbers are plain
        number, pieces, uncounted = tally.tally(text, *room, shingle._BASE, int(shingle._SECOND), (1 << 64) - 1)
        assert words[:number].tolist() == word_hashes(text).tolist()
        assert pieces == len(text.split())
        assert uncounted == sum(sign > "\uffff" for sign in text)
        found = {chr(point): int(counts[point]) for point in np.flatnonzero(counts)}
        assert found == {sign: count for sign, count in Counter(text).items() if sign <= "\uffff"}


def test_a_text_of_several_parts_is_counted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shingle, "PIECE", 7)
    for text in [*random_texts(30), "x" * 40]:
        with np.errstate(over="ignore"):  # uncompiled, numpy's numbers say that they wrap around
            words, counts, pieces = shingle.counted(text)
        assert pieces == len(text.split())
        assert words.tolist() == word_hashes(text).tolist()
        assert counts is None or int(counts.sum()) == len(text)
