from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mothertongue.transfer.anchors import other_script
from mothertongue.transfer.cognates import cognates, sounds
from mothertongue.transfer.methods import Material
from mothertongue.transfer.overlap import Key

ENGLISH = (" president", " Geography", " transport", " method", " the", " strange")


def keys(*words: str) -> dict[int, Key]:
    return {i: word.encode() for i, word in enumerate(words)}


@pytest.mark.parametrize(
    ("word", "own"),
    [
        (" президент", " president"),
        (" география", " Geography"),
        (" транспорт", " transport"),
        (" γεωγραφία", " Geography"),
        (" გეოგრაფია", " Geography"),
        (" metoda", " method"),
    ],
)
def test_cognates_are_found_in_any_alphabet(word: str, own: str) -> None:
    assert list(cognates(keys(*ENGLISH), keys(word), least=0.8)) == [(0, ENGLISH.index(own))]


@pytest.mark.parametrize("word", [" река", " предложение", "президент", " през", " 12345", " стр"])
def test_other_words_have_none(word: str) -> None:
    assert not list(cognates(keys(*ENGLISH), keys(word)))


def test_only_words_in_another_script_become_anchors() -> None:
    given = Material(None, 3, keys(*ENGLISH), keys(" транспорт", " transport", " transports"), {}, None)  # type: ignore[arg-type]
    assert other_script(given) == [(0, 2)]


@given(st.text(max_size=30))
def test_any_text_sounds_like_latin_letters(text: str) -> None:
    assert all(letter.isascii() and letter.isalpha() for letter in sounds(text))


def test_special_and_broken_tokens_are_passed_over() -> None:
    odd: dict[int, Key] = {0: "end of text", 1: b" \xff\xfe\xff\xff\xff\xff", 2: b"", 3: b" "}
    assert not list(cognates(odd, odd))
