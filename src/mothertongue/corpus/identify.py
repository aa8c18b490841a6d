"""Which language a text is in: py3langid (naive Bayes on byte n-grams, Lui and Baldwin 2012) restricted to what it
can be taken for.

The choice is between the wanted language, the languages it is easily confused with (`languages/*.toml`) and English.
Restriction is what makes Czech against Slovak and Bulgarian against Macedonian work. A language that the model does
not know is not judged. Many texts are asked about at once (bayes.py), and one by one only near a border.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mothertongue.corpus.bayes import open_model, probabilities
from mothertongue.languages import ANY, Language

SAMPLE_CHARACTERS = 600  # of the beginning, the middle and the end each
MIN_LETTERS = 60  # below that an answer is too often wrong: single words are hopeless
_BORDER = 0.001  # nearer to it than this, the library itself is asked


@dataclass(frozen=True)
class Identified:
    """A guess: the language and how sure it is, 0-1."""

    language: str
    confidence: float


def can_identify(code: str) -> bool:
    """Whether a text in another language than `code` can be told at all.

    >>> can_identify("cs"), can_identify("cz")
    (True, False)
    """
    return code in library_model().labels


def identify(text: str, language: Language) -> Identified | None:
    """The language of `text` among `language`, its confusables and English; None if that cannot be told."""
    identifier = _identifier(language.code, language.confusables)
    sample = _sample(text)
    if identifier is None or not _has_letters(sample):
        return None
    code, confidence = identifier.classify(sample)
    return Identified(code, confidence)


def other_languages(texts: Sequence[str], language: Language, *, sure: float) -> list[str | None]:
    """For each of `texts` the other language that it is in, if `identify` is at least as `sure` of that, or None.

    The texts are in NFC, as `clean` gives them.
    """
    samples = [_sample(text) for text in texts]
    identifier = None if language.code == ANY else open_model(_choice(language.code, language.confusables))
    if identifier is None or not samples or language.code not in identifier.languages:
        return [_asked(sample, language, sure) for sample in samples]
    small = [sample.lower() if sample.isupper() else sample for sample in samples]
    shares = probabilities([sample.encode("utf-8", "surrogatepass") for sample in small], identifier)
    first = shares.argmax(axis=1)
    best = shares[np.arange(len(first)), first]
    maybe = np.flatnonzero(best >= sure - _BORDER)
    own = identifier.languages.index(language.code)
    tied = np.sort(shares[maybe], axis=1)[:, -2:]
    near = (tied[:, -1] - tied[:, 0] < _BORDER) & (tied.shape[1] > 1)
    near |= (abs(best[maybe] - sure) < _BORDER) & (first[maybe] != own)
    found: list[str | None] = [None] * len(texts)
    for at, is_near in zip(maybe.tolist(), near.tolist(), strict=True):
        if is_near:
            found[at] = _asked(samples[at], language, sure)
        elif first[at] != own and _has_letters(samples[at]):
            found[at] = identifier.languages[first[at]]
    return found


def _asked(sample: str, language: Language, sure: float) -> str | None:
    found = identify(sample, language)
    return found.language if found and found.language != language.code and found.confidence >= sure else None


def _has_letters(sample: str) -> bool:
    return sum(map(str.isalpha, sample)) >= MIN_LETTERS


def _sample(text: str) -> str:
    if len(text) <= 3 * SAMPLE_CHARACTERS:
        return text
    middle = (len(text) - SAMPLE_CHARACTERS) // 2
    return "\n".join((text[:SAMPLE_CHARACTERS], text[middle : middle + SAMPLE_CHARACTERS], text[-SAMPLE_CHARACTERS:]))


@cache
def _identifier(code: str, confusables: tuple[str, ...]) -> Any:
    if code == ANY:
        return None
    identifier = copy(library_model())
    known = set(identifier.labels)
    if code not in known:
        return None
    if choice := _choice(code, confusables):
        identifier.set_languages(sorted(set(choice) & known))
    return identifier


def _choice(code: str, confusables: tuple[str, ...]) -> tuple[str, ...]:
    """What a text may be taken for: without confusables, every language there is."""
    return tuple(sorted({code, "en", *confusables})) if confusables else ()


@cache
def library_model() -> Any:
    """The identifier of py3langid for all of its languages; unpacking it takes a third of a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
