"""What a template shows, as a rule from `languages/*.toml`.

    "2"                       the text of parameter 2
    "2|text"                  the first of these parameters that is not empty
    "={1}–{2} [({3})]"        a text; the part in [ ] stands only if its parameters do
    "={1:number} {2:unit}"    a parameter written as: number, unit, month, language, lower, upper, capital, power
    "@convert", "@date dmy"   one of the functions of functions.py, with its options

`{*}` is what the star of the template's name stands for: `"lang-*" = "={*:language}: {1}"`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mothertongue.corpus.wikitext.functions import FILTERS, FUNCTIONS
from mothertongue.errors import ConfigError
from mothertongue.languages import Language

Arguments = Mapping[str, str]  # "1", "2", ... and names -> text without mark-up
Rule = Callable[[Arguments], str]

_HOLE = re.compile(r"\{([^{}]*)\}")
_GROUP = re.compile(r"\[([^\[\]]*)\]")
_SPACES = re.compile(r"[ \t]{2,}")


def make_rule(value: str, language: Language) -> Rule:
    """The rule that `value` describes; ConfigError if it names a function or a way of writing that is not there."""
    if value.startswith("="):
        return _text_rule(value[1:], language)
    if value.startswith("@"):
        name, _, options = value[1:].partition(" ")
        if name not in FUNCTIONS:
            raise _unknown(value, name, "function", FUNCTIONS)
        function = FUNCTIONS[name]
        return lambda arguments: function(arguments, options, language)
    names = tuple(name.strip() for name in value.split("|"))
    return lambda arguments: _first(arguments, names)


@dataclass(frozen=True)
class _Hole:
    names: tuple[str, ...]
    filter: Callable[[str, Language], str] | None


def _text_rule(text: str, language: Language) -> Rule:
    pieces = _GROUP.split(text)  # outside, group, outside, ...
    compiled = [_pieces(piece, text) for piece in pieces]

    def rule(arguments: Arguments) -> str:
        shown = []
        for number, piece in enumerate(compiled):
            texts = [_show(part, arguments, language) for part in piece]
            if number % 2 == 0 or all(texts):
                shown.append("".join(texts))
        return _SPACES.sub(" ", "".join(shown)) if text.strip() else text

    return rule


def _pieces(piece: str, rule: str) -> list[str | _Hole]:
    parts = _HOLE.split(piece)
    return [part if number % 2 == 0 else _hole(part, rule) for number, part in enumerate(parts) if part or number % 2]


def _hole(inner: str, rule: str) -> _Hole:
    names, colon, name = inner.partition(":")
    if colon and name not in FILTERS:
        raise _unknown("=" + rule, name, "way of writing", FILTERS)
    return _Hole(tuple(part.strip() for part in names.split("|")), FILTERS[name] if colon else None)


def _show(part: str | _Hole, arguments: Arguments, language: Language) -> str:
    if isinstance(part, str):
        return part
    text = _first(arguments, part.names)
    return part.filter(text, language) if part.filter and text else text


def _first(arguments: Arguments, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := arguments.get(name, ""))), "")


def _unknown(value: str, name: str, what: str, known: Mapping[str, object]) -> ConfigError:
    return ConfigError(f"text_templates: {value!r} names the {what} {name!r}; there are {', '.join(sorted(known))}.")
