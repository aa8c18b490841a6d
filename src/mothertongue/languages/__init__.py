"""What is known of a language, as data: one TOML file per language, and `any.toml` for all the others.

    open_language("cs").confusables     # ('sk', 'pl', 'sl', 'hr', 'de')
    open_language("ltg").name           # 'ltg': no file of its own, so the values of any.toml with the code kept

A new language is a new file `<code>.toml` with the keys of `Language`; what it leaves out comes from `any.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from mothertongue.errors import ConfigError

ANY = "any"


@dataclass(frozen=True)
class Language:
    """One language. Empty values mean "not known": whatever needs them stands aside."""

    code: str  # ISO 639, as Wikipedia writes it
    name: str  # in English
    native_name: str
    alphabet: frozenset[str]  # small letters of ordinary words
    telling_letters: frozenset[str]  # frequent letters that none of its confusables has
    confusables: tuple[str, ...]  # languages that its text is easily taken for, besides English
    function_words: frozenset[str]  # the most frequent small words, in small letters
    sentence_ends: frozenset[str]  # characters that end a sentence
    disambiguation_templates: frozenset[str]  # of its Wikipedia, in small letters
    disambiguation_categories: frozenset[str]  # and of its other wikis
    hidden_prefixes: frozenset[str]  # local names of File:, Image: and Category: that a dump's <siteinfo> may not list
    reference_sections: frozenset[str]  # headings of sections without running text, in small letters
    text_templates: Mapping[str, str]  # templates that show text -> what of it (corpus/wikitext/rules.py)
    months: tuple[str, ...]  # names of the twelve months as they stand after a day
    months_alone: tuple[str, ...]  # and without a day, if that is different
    dates: Mapping[str, str]  # order of {d} day, {m} month and {y} year, as dmy, dm and my
    numbers: Mapping[str, str]  # "group" between thousands from "least_digits" digits on, and "decimal"
    units: Mapping[str, str]  # units as templates name them -> as they are written
    words: Mapping[str, str]  # between two numbers of a template: to, and, or, by
    language_names: Mapping[str, str]  # code -> name of a language, as templates like {{lang-de}} show it
    prompts: tuple[str, ...]  # beginnings to show what a model writes
    keyboard_rows: tuple[str, ...]  # small letters as they lie beside each other
    quality: Mapping[str, float]  # thresholds by rule name (corpus/quality.py)

    @property
    def known(self) -> bool:
        """True if the language has a file of its own."""
        return self.code in language_codes()


def language_codes() -> tuple[str, ...]:
    """The languages that have a file of their own, sorted."""
    names = (entry.name for entry in files(__package__).iterdir())
    return tuple(sorted(name[:-5] for name in names if name.endswith(".toml") and name != f"{ANY}.toml"))


@cache
def open_language(code: str) -> Language:
    """What is known of the language `code` (like "cs"); an unknown code gets the values of `any.toml`.

    >>> open_language("bg").native_name
    'български'
    """
    if not code.replace("-", "").isalnum():
        raise ConfigError(
            f"language = {code!r} is no language code. Give one like cs, bg or zh-min-nan, or {ANY} for no checks "
            "of language."
        )
    if code != code.lower():
        raise ConfigError(
            f"language = {code!r}: codes are small letters without a country. Give {code.partition('-')[0].lower()}."
        )
    values = _table(ANY)
    if code in language_codes():
        own = _table(code)
        added = {key: [*values[key], *own.get(key, [])] for key in _ADDED}
        values = {**values, **own, **{key: {**values[key], **own.get(key, {})} for key in _TABLES}, **added}
    else:
        values = {**values, **({} if code == ANY else {"name": code, "native_name": code})}
    return Language(code=code, **{key: _frozen(key, value) for key, value in values.items()})


_CHARACTERS = {"alphabet", "telling_letters", "sentence_ends"}
_ADDED = {"disambiguation_templates", "disambiguation_categories"}  # to those of any.toml
_WORDS = {"function_words", *_ADDED, "hidden_prefixes", "reference_sections"}
# a language's own entries are added to those of any.toml
_TABLES = ("quality", "text_templates", "dates", "numbers", "units", "words", "language_names")


def _frozen(key: str, value: Any) -> Any:
    if key in _CHARACTERS:
        return frozenset(value)
    if key in _WORDS:
        return frozenset(word.casefold() for word in value)
    return tuple(value) if isinstance(value, list) else value


def _table(code: str) -> dict[str, Any]:
    values = tomllib.loads(files(__package__).joinpath(f"{code}.toml").read_text("utf-8"))
    unknown = set(values) - {field.name for field in fields(Language)}
    if unknown:
        raise ConfigError(f"languages/{code}.toml: unknown key {sorted(unknown)[0]!r}.")
    return values
