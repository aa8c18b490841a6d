"""The language of a document, told from those it is confused with."""

from __future__ import annotations

import pytest

from mothertongue.corpus.identify import identify
from mothertongue.languages import open_language

from .conftest import TEXTS


@pytest.mark.parametrize(
    ("wanted", "written"),
    [("cs", "cs"), ("cs", "sk"), ("cs", "en"), ("bg", "bg"), ("bg", "mk"), ("bg", "en"), ("en", "en")],
)
def test_close_languages_are_told_apart(wanted: str, written: str) -> None:
    found = identify(TEXTS[written], open_language(wanted))
    assert found and found.language == written
    assert found.confidence > 0.6


def test_a_long_document_is_judged_by_samples_of_all_of_it() -> None:
    found = identify(TEXTS["sk"] * 3 + TEXTS["cs"] * 500, open_language("cs"))
    assert found and found.language == "cs"


@pytest.mark.parametrize("text", ["", "Ano.", "12345 " * 100])
def test_too_little_text_is_not_judged(text: str) -> None:
    assert identify(text, open_language("cs")) is None


@pytest.mark.parametrize("code", ["any", "qqq", "xx-yy"])
def test_a_language_that_the_model_does_not_know_is_not_judged(code: str) -> None:
    assert identify(TEXTS["cs"], open_language(code)) is None


def test_a_known_language_without_a_file_is_told_from_all_others() -> None:
    found = identify(TEXTS["sk"], open_language("sk"))
    assert found and found.language == "sk"
