"""Is this running text of the language? Named rules; each looks at one figure of a document, and the first that fails
is the reason.

Thresholds come from `languages/<code>.toml`, table [quality]; a rule without a threshold stands aside. The figures
are those of Gopher (Rae et al. 2021, arXiv 2112.11446) and C4, with thresholds for inflected languages and other
alphabets; every share is between 0 and 1. What is costly is only worked out for texts near a threshold.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection
from functools import cache, cached_property

from mothertongue.corpus.ocr import ocr_noise
from mothertongue.corpus.rule import Rule, first_failed
from mothertongue.corpus.view import View, view
from mothertongue.languages import Language

_PUNCTUATION = frozenset(".,;:!?…()[]'\"„“”‚‘’«»‹›-–—/%&*")
_AROUND_WORDS = ".,;:!?„“”\"'()"
_WORDS_FOR_SHARES = 30  # with fewer words a share of words says nothing


class Profile:
    """The figures of one document that is not empty."""

    def __init__(self, text: str | View, language: Language) -> None:
        self._view, self._language = view(text), language
        kinds = dict.fromkeys(("letter", "digit", "space", "punctuation", "symbol"), 0)
        for character, count in self._view.counts.items():
            kinds[_kind(character)] += count
        self.characters = len(self._view.text)
        self._letters, self._visible = kinds["letter"], max(1, self.characters - kinds["space"])
        self.letters: float = kinds["letter"] / self._visible  # share of the characters that are not white space
        self.digits: float = kinds["digit"] / self._visible
        self.symbols: float = kinds["symbol"] / self._visible
        self.sentence_ends: float = self._view.count(language.sentence_ends) / self.characters  # per character
        self.damaged: float = (
            self._view.count("\ufffd") / self.characters
        )  # that decoding could not read, per character

    @cached_property
    def alphabet(self) -> float:
        """Share of letters that belong to the language's alphabet."""
        if not (known := self._language.alphabet):
            return 1.0
        counts = self._view.counts.items()
        return sum(count for character, count in counts if character.lower() in known) / max(1, self._letters)

    @property
    def _many(self) -> bool:
        return self._view.pieces >= _WORDS_FOR_SHARES

    @property
    def word_length(self) -> float | None:
        """Mean; None: too few words to tell."""
        return self._visible / self._view.pieces if self._many else None

    @cached_property
    def function_words(self) -> float | None:
        """Share of the words; None: too few or unknown."""
        known = self._language.function_words
        if not (known and self._many):
            return None
        words = self._words.items()
        return sum(n for word, n in words if word in known or word.strip(_AROUND_WORDS) in known) / self._words.total()

    def has_function_words(self, least: float) -> bool:
        """True only if their share is `least` or more: looks at as many lines as it takes to be sure."""
        known, found, enough = self._language.function_words, 0, least * self._view.pieces + 1
        for line in self._view.lines if known else ():
            found += sum(map(known.__contains__, line.lower().split()))
            if found >= enough:
                return True
        return False

    @cached_property
    def repeated_words(self) -> float | None:
        """Share of the words that the commonest word makes up, function words aside."""
        if not self._many:
            return None
        often = (n for word, n in self._words.most_common(20) if word not in self._language.function_words)
        return max(often, default=0) / self._words.total()

    def repeats_no_word(self, most: float) -> bool:
        """True only if no word makes up more than a share of `most`."""
        return self._many and self._view.most_of_a_word < most * self._view.pieces

    @cached_property
    def _words(self) -> Counter[str]:
        return Counter(self._view.text.lower().split())

    @cached_property
    def repeated_lines(self) -> float:
        """Share of the characters that stand in lines seen before in the document."""
        lines = self._view.lines
        if len(lines) < 3 or len(set(lines)) == len(lines):
            return 0.0
        return sum(len(line) * (count - 1) for line, count in Counter(lines).items()) / self.characters

    @cached_property
    def ocr_noise(self) -> float:
        """Signs of bad character recognition, per word."""
        return ocr_noise(self._view, self._language)


RULES: dict[str, Rule[Profile]] = {
    "damaged-encoding": Rule(lambda p: p.damaged, False, "characters that could not be decoded"),
    "many-digits": Rule(lambda p: p.digits, False, "digits among visible characters"),
    "many-symbols": Rule(lambda p: p.symbols, False, "signs that are neither letters, digits nor punctuation"),
    "few-letters": Rule(lambda p: p.letters, True, "letters among visible characters"),
    "wrong-alphabet": Rule(lambda p: p.alphabet, True, "letters of the language's alphabet"),
    "repeated-lines": Rule(lambda p: p.repeated_lines, False, "text in lines that repeat an earlier line"),
    "repeated-words": Rule(
        lambda p: p.repeated_words, False, "the most frequent word among all words", Profile.repeats_no_word
    ),
    "short-words": Rule(lambda p: p.word_length, True, "mean length of words, in characters"),
    "long-words": Rule(lambda p: p.word_length, False, "mean length of words, in characters"),
    "few-function-words": Rule(lambda p: p.function_words, True, "words like the, of, and", Profile.has_function_words),
    "ocr-noise": Rule(lambda p: p.ocr_noise, False, "signs of bad character recognition, per word"),
    "no-sentence": Rule(lambda p: p.sentence_ends, True, "characters that end a sentence, per character"),
}


def reason_to_drop(text: str | View, language: Language, *, skip: Collection[str] = ()) -> str | None:
    """The name of the first rule that `text` fails, or None. `skip` names rules to leave out; "all" leaves out
    every one.
    """
    if "all" in skip:
        return None
    return first_failed(RULES, profile(text, language), language.quality, skip)


def profile(text: str | View, language: Language) -> Profile:
    """The figures of a text that is not empty."""
    return Profile(text, language)


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
