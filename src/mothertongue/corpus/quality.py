"""Is this running text of the language? Named rules; each looks at one figure of a document, and the first that fails
is the reason.

Thresholds come from `languages/<code>.toml`, table [quality]; a rule without a threshold stands aside. The figures
are those of Gopher (Rae et al. 2021, arXiv 2112.11446) and C4, with thresholds for inflected languages and other
alphabets; every share is between 0 and 1.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from mothertongue.corpus.ocr import ocr_noise
from mothertongue.corpus.rule import Rule, first_failed
from mothertongue.languages import Language

_PUNCTUATION = frozenset(".,;:!?…()[]'\"„“”‚‘’«»‹›-–—/%&*")
_WORDS_FOR_SHARES = 30  # with fewer words a share of words says nothing


@dataclass(frozen=True)
class Profile:
    """The figures of one document."""

    characters: int
    letters: float  # share of the characters that are not white space
    digits: float
    symbols: float
    alphabet: float  # share of letters that belong to the language's alphabet
    word_length: float | None  # None: too few words to tell
    function_words: float | None
    repeated_words: float | None  # share of the words that the commonest word makes up, function words aside
    repeated_lines: float  # share of the characters that stand in lines seen before in the document
    sentence_ends: float  # characters that end sentences, per character
    damaged: float  # characters that decoding could not read, per character
    ocr_noise: float  # signs of bad character recognition, per word


RULES: dict[str, Rule[Profile]] = {
    "damaged-encoding": Rule(lambda p: p.damaged, False, "characters that could not be decoded"),
    "many-digits": Rule(lambda p: p.digits, False, "digits among visible characters"),
    "many-symbols": Rule(lambda p: p.symbols, False, "signs that are neither letters, digits nor punctuation"),
    "few-letters": Rule(lambda p: p.letters, True, "letters among visible characters"),
    "wrong-alphabet": Rule(lambda p: p.alphabet, True, "letters of the language's alphabet"),
    "repeated-lines": Rule(lambda p: p.repeated_lines, False, "text in lines that repeat an earlier line"),
    "repeated-words": Rule(lambda p: p.repeated_words, False, "the most frequent word among all words"),
    "short-words": Rule(lambda p: p.word_length, True, "mean length of words, in characters"),
    "long-words": Rule(lambda p: p.word_length, False, "mean length of words, in characters"),
    "few-function-words": Rule(lambda p: p.function_words, True, "words like the, of, and"),
    "ocr-noise": Rule(lambda p: p.ocr_noise, False, "signs of bad character recognition, per word"),
    "no-sentence": Rule(lambda p: p.sentence_ends, True, "characters that end a sentence, per character"),
}


def reason_to_drop(text: str, language: Language, *, skip: Collection[str] = ()) -> str | None:
    """The name of the first rule that `text` fails, or None. `skip` names rules to leave out; "all" leaves out
    every one.
    """
    if "all" in skip:
        return None
    return first_failed(RULES, profile(text, language), language.quality, skip)


def profile(text: str, language: Language) -> Profile:
    """The figures of a text that is not empty."""
    counts = Counter(text)
    kinds = Counter[str]()
    for character, count in counts.items():
        kinds[_kind(character)] += count
    visible = max(1, len(text) - kinds["space"])
    alphabet = sum(count for character, count in counts.items() if character.lower() in language.alphabet)
    words = text.lower().split()
    many = len(words) >= _WORDS_FOR_SHARES
    return Profile(
        characters=len(text),
        letters=kinds["letter"] / visible,
        digits=kinds["digit"] / visible,
        symbols=kinds["symbol"] / visible,
        alphabet=alphabet / max(1, kinds["letter"]) if language.alphabet else 1.0,
        word_length=visible / len(words) if many else None,
        function_words=_function_words(words, language) if many and language.function_words else None,
        repeated_words=_commonest(words, language) if many else None,
        repeated_lines=_repeated_lines(text),
        sentence_ends=sum(counts[end] for end in language.sentence_ends) / len(text),
        damaged=counts["\ufffd"] / len(text),
        ocr_noise=ocr_noise(text, language),
    )


@cache
def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LM":
        return "letter"
    if category[0] == "N":
        return "digit"
    if character.isspace():
        return "space"
    return "punctuation" if character in _PUNCTUATION or category[0] == "P" else "symbol"


def _function_words(words: list[str], language: Language) -> float:
    known = language.function_words
    return sum(1 for word in words if word in known or word.strip(".,;:!?„“”\"'()") in known) / len(words)


def _commonest(words: list[str], language: Language) -> float:
    return max(
        (n for word, n in Counter(words).most_common(20) if word not in language.function_words), default=0
    ) / len(words)


def _repeated_lines(text: str) -> float:
    lines = [line for line in text.split("\n") if line]
    if len(lines) < 3:
        return 0.0
    return sum(len(line) * (count - 1) for line, count in Counter(lines).items()) / len(text)
