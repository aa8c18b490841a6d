"""Which language a text is in: py3langid (naive Bayes on byte n-grams, Lui and Baldwin 2012) restricted to what it
can be taken for.

The choice is between the wanted language, the languages it is easily confused with (`languages/*.toml`) and English.
Restriction is what makes Czech against Slovak and Bulgarian against Macedonian work. A language that the model does
not know is not judged.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

from mothertongue.languages import ANY, Language

SAMPLE_CHARACTERS = 600  # of the beginning, the middle and the end each
MIN_LETTERS = 60  # below that an answer is too often wrong: single words are hopeless


@dataclass(frozen=True)
class Identified:
    """A guess: the language and how sure it is, 0-1."""

    language: str
    confidence: float


def identify(text: str, language: Language) -> Identified | None:
    """The language of `text` among `language`, its confusables and English; None if that cannot be told."""
    identifier = _identifier(language.code, language.confusables)
    sample = _sample(text)
    if identifier is None or sum(map(str.isalpha, sample)) < MIN_LETTERS:
        return None
    code, confidence = identifier.classify(sample)
    return Identified(code, confidence)


def _sample(text: str) -> str:
    if len(text) <= 3 * SAMPLE_CHARACTERS:
        return text
    middle = (len(text) - SAMPLE_CHARACTERS) // 2
    return "\n".join((text[:SAMPLE_CHARACTERS], text[middle : middle + SAMPLE_CHARACTERS], text[-SAMPLE_CHARACTERS:]))


@cache
def _identifier(code: str, confusables: tuple[str, ...]) -> Any:
    if code == ANY:
        return None
    identifier = copy(_model())
    known = set(identifier.labels)
    if code not in known:
        return None
    if confusables:  # without any, the text may be taken for every language there is
        identifier.set_languages(sorted({code, "en", *confusables} & known))
    return identifier


@cache
def _model() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
