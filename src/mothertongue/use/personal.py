"""The words of the document at hand weigh more: names and terms that a model never saw come back when they are used.

A cache language model (Kuhn and De Mori 1990): the model's probabilities are mixed with the shares that the document's
own words have among those that begin as what was typed. It counts the text it is given, in memory; nothing is kept.
"""

from __future__ import annotations

from collections import Counter

from mothertongue.use.words import NextWord, finished_words

MAX_CHARACTERS = 200_000  # of the end of the document
LEAST_STEM = 1  # letters that must be typed before the document's words are offered


class Personal:
    """Mixes the words of a document into those of the model, with weight `share` (0-1; 0: not at all)."""

    def __init__(self, share: float) -> None:
        self.share = share
        self._counted = ""
        self._counts: Counter[str] = Counter()

    def read(self, text: str) -> None:
        """Count the words of `text`; one that goes on where the last one ended is not counted anew."""
        text = text[-MAX_CHARACTERS:]
        if not text.startswith(self._counted):
            self._counted, self._counts = "", Counter()
        words = list(finished_words(text, len(self._counted)))
        self._counts.update(word for word, _ in words)
        self._counted = text[: words[-1][1]] if words else self._counted

    def mix(self, words: list[NextWord], *, stem: str, k: int) -> list[NextWord]:
        """The `k` likeliest of `words` and of the document's words that begin with `stem`."""
        if not self.share or len(stem) < LEAST_STEM:
            return words[:k]
        going_on = {word.word: word for word in words if _goes_on(word, stem)}
        weight = self.share * (sum(word.probability for word in going_on.values()) or 1.0)
        own = {word: n for word, n in self._counts.items() if word.startswith(stem) and len(word) > len(stem)}
        total = sum(own.values())
        if not total:
            return words[:k]
        mixed = [word for word in words if not _goes_on(word, stem)]
        for name in {*going_on, *own}:
            model = going_on[name].probability if name in going_on else 0.0
            probability = (1 - self.share) * model + weight * own.get(name, 0) / total
            mixed.append(NextWord(name, probability, name[len(stem) :]))
        return sorted(mixed, key=lambda word: (-word.probability, word.word))[:k]


def _goes_on(word: NextWord, stem: str) -> bool:
    return word.word == stem + word.text
