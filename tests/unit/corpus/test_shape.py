"""Lists, menus, code and text that repeats itself have their reasons; prose, verse and dialogue pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mothertongue.corpus.gopher import c4_quality, fineweb_quality, gopher_quality, gopher_repetition
from mothertongue.corpus.shape import SHAPE_RULES, reason_by_shape, shape
from mothertongue.corpus.tokens import sentences, tokens
from mothertongue.languages import language_codes, open_language

from .conftest import TEXTS

Many = Callable[..., list[str]]
VERSE = "Nad řekou svítá bledý den,\na vítr nese starý sen\no domě, který dávno zmizel,\nz něhož nám zbyl jen kámen…\n"
TALK = "„Kam jdeš?“\n„Domů,“ řekl tiše.\n„A proč tak brzy?“\n„Protože prší.“\n„To nevadí.“\n„Mně ano.“\n"


@pytest.mark.parametrize("code", [*language_codes(), "any"])
def test_ordinary_text_passes(code: str) -> None:
    assert reason_by_shape(TEXTS.get(code, TEXTS["sk"]), open_language(code)) is None


@pytest.mark.parametrize("text", [VERSE * 2, TALK * 2 + VERSE, "", "\n", "x"])
def test_verse_and_dialogue_pass(text: str) -> None:
    assert reason_by_shape(text, open_language("cs")) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Lorem ipsum dolor sit amet. " + TEXTS["cs"], "filler-text"),
        ("\n".join(f"- Položka nabídky číslo {n}" for n in range(12)), "list-lines"),
        ("Domů\nKontakt\nO nás\nNabídka\nKe stažení\nPřihlásit\nHledat\nMapa stránek\nVíce\n", "menu-lines"),
        ("Tento článek pojednává o dlouhé řece a jejím okolí...\n" * 9, "cut-lines"),
        ("if (x == 1) { y = f(); } else { return g(); }\n" * 9, "code"),
        ("byl jednou jeden král a měl tři syny, " * 12, "repeated-runs"),
        ("Pes, kočka, kůň, osel. Osel, pes, kůň. Kočka, osel, pes, kůň, kůň. " * 9, "few-different-words"),
    ],
)
def test_each_kind_has_its_reason(text: str, reason: str) -> None:
    others = [name for name in SHAPE_RULES if name != reason]
    assert reason_by_shape(text, open_language("cs"), skip=others) == reason
    assert reason_by_shape(text, open_language("cs"), skip=["all"]) is None


def test_hostile_lines_take_no_time() -> None:
    for text in (" " * 300_000 + "x", "- " * 150_000, "a" * 300_000, "." * 300_000, "1" * 300_000 + "\n"):
        shape(text)


def test_a_text_falls_into_words_and_marks() -> None:
    assert pieces("Ahoj, světe... je 3.5 (dvakrát) x.cz.") == [
        "Ahoj",
        ",",
        "světe",
        "...",
        "je",
        "3.5",
        "(",
        "dvakrát",
        ")",
        "x.cz",
        ".",
    ]
    assert pieces("„Skoro“ C++ a(b ČSN-73/2 a 5 %.") == [
        "„",
        "Skoro",
        "“",
        "C++",
        "a(b",
        "ČSN-73/2",
        "a",
        "5",
        "%",
        ".",
    ]
    assert pieces("It's red-hot; don't.End at 9-ish.") == [
        "It",
        "'s",
        "red",
        "-",
        "hot",
        ";",
        "do",
        "n't",
        ".",
        "End",
        "at",
        "9",
        "-",
        "ish",
        ".",
    ]
    assert pieces("9-ishmú tvar.", "cs") == ["9-ishmú", "tvar", "."]
    assert pieces("По чл. 5 и ал. 2.", "bg") == ["По", "чл.", "5", "и", "ал.", "2", "."]
    assert pieces("") == pieces(" \n") == []


def pieces(text: str, language: str = "en") -> list[str]:
    found = tokens(text, language)
    return [text[start:end] for start, end in zip(found.starts, found.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "number"),
    [("Prší. Nejdu. ", 2), ("„Ano!“ řekl. Šel?! Šel.", 4), ("V roce 3.5 nic", 1), ("По чл. 5 и ал. 2. Край.", 2)],
)
def test_a_sentence_begins_behind_a_full_stop_and_its_quotes(text: str, number: int) -> None:
    assert sentences(text, "bg") == number


def test_the_rules_of_others_give_their_reasons(many: Many) -> None:
    czech = ["a", "na", "se", "že"]
    prose = "\n".join(text.replace(". ", ".\n") for text in many(9, sentences=9))
    assert gopher_quality(prose, stop_words=czech) is None
    assert gopher_quality(prose) == "gopher_enough_stop_words"
    assert gopher_quality("krátké") == "gopher_short_doc"
    assert gopher_quality("# # # slovo " * 60) == "gopher_too_many_hashes"
    assert gopher_repetition(TEXTS["cs"]) is None
    assert gopher_repetition("") == "empty"
    assert gopher_repetition("Stále stejný řádek.\n" * 5) == "dup_line_frac"
    assert gopher_repetition("jeden dva tři čtyři pět šest sedm osm devět deset " * 3) == "top_3_gram"
    assert c4_quality(prose) is None
    assert c4_quality("Jedna věta.") == "too_few_sentences"
    assert c4_quality("Toto je { a nic víc.") == "curly_bracket"
    assert fineweb_quality(prose) is None
    assert fineweb_quality("bez tečky na konci\n" * 9) == "line_punct_ratio"
    assert fineweb_quality("Krátký řádek.\n" * 9) == "short_line_ratio"
    assert fineweb_quality(" \n") == "empty"
