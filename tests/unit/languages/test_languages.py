"""What is known of languages is complete, consistent and open to any code."""

from __future__ import annotations

import pytest

from mothertongue.corpus.quality import RULES
from mothertongue.corpus.shape import SHAPE_RULES
from mothertongue.errors import ConfigError
from mothertongue.languages import language_codes, open_language

ALL = (*language_codes(), "any")


def test_czech_and_bulgarian_and_english_have_files_of_their_own() -> None:
    assert {"bg", "cs", "en"} <= set(language_codes())
    assert "any" not in language_codes()


def test_unknown_language_keeps_its_code_and_gets_the_values_of_any() -> None:
    latgalian = open_language("ltg")
    assert (latgalian.code, latgalian.name, latgalian.known) == ("ltg", "ltg", False)
    assert latgalian.quality == open_language("any").quality
    assert not latgalian.function_words


def test_own_thresholds_and_templates_are_added_to_those_of_any() -> None:
    czech, anything = open_language("cs"), open_language("any")
    assert set(anything.quality) < set(czech.quality)
    assert czech.text_templates["lang"] == anything.text_templates["lang"]
    assert czech.numbers["group"] == anything.numbers["group"]
    assert czech.numbers["decimal"] != anything.numbers["decimal"]


@pytest.mark.parametrize("code", ["", "../cs", "c s", "cs.toml"])
def test_what_is_no_language_code_is_refused(code: str) -> None:
    with pytest.raises(ConfigError, match="no language code"):
        open_language(code)


@pytest.mark.parametrize("code", ["CS", "cs-CZ"])
def test_codes_of_countries_and_capitals_are_refused_with_the_right_one(code: str) -> None:
    with pytest.raises(ConfigError, match=r"small letters without a country\. Give cs\."):
        open_language(code)


@pytest.mark.parametrize("code", ALL)
def test_thresholds_name_rules_that_exist(code: str) -> None:
    assert set(open_language(code).quality) <= {*RULES, *SHAPE_RULES, "template-made"}


@pytest.mark.parametrize("code", language_codes())
def test_function_words_keyboard_and_prompts_are_written_in_the_alphabet(code: str) -> None:
    language = open_language(code)
    for word in [
        *language.function_words,
        *" ".join(language.prompts).lower().replace(",", "").replace(".", "").split(),
    ]:
        assert set(word) - set("-ѝ") <= language.alphabet, word
    letters = set("".join(language.keyboard_rows)) - {"+"}
    assert letters <= language.alphabet


def test_czech_prompts_are_those_of_the_card() -> None:
    prompts = open_language("cs").prompts
    assert prompts[0] == "Umělá inteligence pomůže lidstvu překonat budoucí"
    assert open_language("bg").prompts[0] == "Здравей,"
    assert len(prompts) >= 4
