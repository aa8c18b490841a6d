"""What a text shows at once: never anything else than the long way round."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from mothertongue.corpus.quality import RULES, Profile
from mothertongue.corpus.rule import first_failed
from mothertongue.corpus.shape import SHAPE_RULES, Shape
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
