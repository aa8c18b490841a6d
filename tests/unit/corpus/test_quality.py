"""Quality rules: ordinary text passes in every language we know, and each kind of rubbish has its own reason."""

from __future__ import annotations

import random

import pytest

from mothertongue.corpus.quality import RULES, profile, reason_to_drop
from mothertongue.languages import language_codes, open_language

from .conftest import TEXTS

CS = TEXTS["cs"]


@pytest.mark.parametrize("code", [*sorted(TEXTS.keys() & set(language_codes())), "any"])
def test_ordinary_text_passes(code: str) -> None:
    assert reason_to_drop(TEXTS.get(code, TEXTS["sk"]), open_language(code)) is None


@pytest.mark.parametrize("code", language_codes())
def test_the_prompts_pass_as_far_as_short_texts_can_be_judged(code: str) -> None:
    language = open_language(code)
    assert [prompt for prompt in language.prompts if reason_to_drop(prompt + ".", language)] == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Sč\ufffdt\ufffd je \ufffd\ufffd. " + CS, "damaged-encoding"),
        (CS + " ... ,,, --- (((( ))))" * 20, "few-letters"),
        (
            CS + " Rok 1998 123456789 12345678901234567890 1234567890123456789 123456789012345678901234567890" * 3,
            "many-digits",
        ),
        (CS + " ▓▒░ ♦♣♠ ═══════ ████ │ ║" * 15, "many-symbols"),
        (TEXTS["bg"], "wrong-alphabet"),
        ("Řádek, který se pořád opakuje.\n" * 20, "repeated-lines"),
        ("spam " * 60 + CS, "repeated-words"),
        ("a b c d e f g h. " * 9, "short-words"),
        ("Vložit řádek nahoře. Smazat sloupec vpravo. Otevřít soubor. Zavřít okno. " * 5, "few-function-words"),
        ("a potom se ten pes vrátil domů a byl rád že je tam jeho pán " * 30, "no-sentence"),
    ],
)
def test_rubbish_has_a_reason(text: str, reason: str) -> None:
    assert reason in RULES
    assert reason_to_drop(text, open_language("cs")) == reason


def test_long_words_are_a_reason() -> None:
    draw = random.Random(0)
    words = ["".join(draw.choices("aeiouklmnprst", k=14)) for _ in range(60)]
    assert reason_to_drop(". ".join(words) + ".", open_language("cs"), skip=["few-function-words"]) == "long-words"


def test_rules_can_be_skipped_one_by_one_or_all() -> None:
    text = TEXTS["bg"]
    assert reason_to_drop(text, open_language("cs"), skip=["wrong-alphabet"]) == "few-function-words"
    assert reason_to_drop(text, open_language("cs"), skip=["all"]) is None


def test_a_language_without_knowledge_is_not_judged_by_alphabet_or_words() -> None:
    assert reason_to_drop(TEXTS["bg"], open_language("ltg")) is None


def test_shares_lie_between_zero_and_one_even_for_odd_texts() -> None:
    for text in ("x", "\n\n", "123", "🙂" * 50, "a " * 5000, "\ufffd"):
        figures = profile(text, open_language("cs"))
        shares = [
            figures.letters,
            figures.digits,
            figures.symbols,
            figures.alphabet,
            figures.repeated_lines,
            figures.damaged,
        ]
        assert all(0 <= share <= 1 for share in shares), text


def test_combining_marks_count_as_letters() -> None:
    assert profile("हिन्दी में लिखा हुआ वाक्य", open_language("hi")).letters == 1
