"""Which word comes next, with its probability: a best-first search over tokens until a word's end is sure.

A model gives probabilities of tokens; a word is one token or several, cut in more than one way, and it ends only where
something that is no letter follows. So the search follows the likeliest beginnings of words first, multiplies the
probabilities along the way, and closes a word with the probability that its next token begins with a space, a mark or
the end of the document. A word is a run of letters, digits and combining marks, or one other character (a comma).

The probability found is a lower bound: cuttings that were not followed would add to it. Try `mothertongue next`.
"""

# Axes: N paths, T tokens, V vocabulary

from __future__ import annotations

import heapq
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Probabilities = NDArray[np.float64]
NextProbabilities = Callable[[Sequence[tuple[int, ...]]], Probabilities]

MAX_WORD_TOKENS = 16
MAX_PATHS = 128  # beginnings of words that the model is asked about
PATHS_AT_ONCE = 16
BRANCHES = 512  # tokens followed after each beginning
LEAST_PROBABILITY = 1e-7


@dataclass(frozen=True, slots=True)
class NextWord:
    """A word that may come next."""

    word: str  # the whole word; with the letters before it where the prompt ended inside a word
    probability: float
    text: str  # what to append to the prompt, with its space


@dataclass(frozen=True, slots=True)
class Beginning:
    """What some bytes after the prompt are so far: white space, then perhaps a word, `finished` if its end is sure."""

    text: str
    finished: bool = False
    grows: bool = False  # there is a word, whole letters only, and it may go on or end here


def read_beginning(data: bytes) -> Beginning | None:
    """How far the first word in `data` has come; None if the bytes are no text.

    >>> read_beginning(b" ja ")
    Beginning(text=' ja', finished=True, grows=False)
    """
    text, torn = _whole_letters(data)
    if text is None:
        return None
    body = text.lstrip()
    gap = len(text) - len(body)
    if not body:
        return Beginning(text)
    if not is_letter(body[0]):
        return Beginning(text[: gap + 1], finished=True)
    length = next((n for n, char in enumerate(body) if not is_letter(char)), len(body))
    return Beginning(text[: gap + length], finished=length < len(body), grows=length == len(body) and not torn)


def is_letter(char: str) -> bool:
    """Whether `char` can be part of a word: a letter, a digit or a combining mark of any script."""
    return unicodedata.category(char)[0] in "LNM"


def last_letters(text: str) -> str:
    """The unfinished word at the end of `text`.

    >>> last_letters("Dobrý den, jak")
    'jak'
    """
    start = len(text)
    while start and is_letter(text[start - 1]):
        start -= 1
    return text[start:]


def _whole_letters(data: bytes) -> tuple[str | None, bool]:
    """The text of `data` and whether its last letter is torn; None if it can never become text."""
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError as error:
        torn = error.reason == "unexpected end of data"
        return (data[: error.start].decode("utf-8"), True) if torn else (None, False)


class TokenTable:
    """For each token of a vocabulary its bytes, and how it may stand after a whole letter."""

    def __init__(self, vocabulary: dict[int, bytes], size: int) -> None:
        self.data = [vocabulary.get(i, b"") for i in range(size)]
        kinds = [_kind(data) for data in self.data]
        self.ends_word = np.array([kind in ("ends", "") for kind in kinds])  # special tokens end a word, too
        self.inner = np.array([kind == "inner" for kind in kinds])
        self.some_text = np.array([kind != "" for kind in kinds])
        self.spaced = np.array([data.startswith(b" ") for data in self.data])


def _kind(data: bytes) -> str:
    if not data:
        return ""
    if data[0] & 0xC0 == 0x80:
        return "inner"  # begins inside a letter
    text, _ = _whole_letters(data)
    return "goes on" if not text or is_letter(text[0]) else "ends"


@dataclass
class _Search:
    table: TokenTable
    stem: str  # the unfinished word before the place
    words: dict[str, float] = field(default_factory=dict)
    texts: dict[str, tuple[float, str]] = field(default_factory=dict)
    heap: list[tuple[float, tuple[int, ...], bytes]] = field(default_factory=list)

    def close(self, text: str, probability: float) -> None:
        word = text.lstrip() if text[:1].isspace() or not is_letter(text[0]) else self.stem + text
        self.words[word] = self.words.get(word, 0.0) + probability
        self.texts[word] = max(self.texts.get(word, (0.0, "")), (probability, text))

    def grow(
        self,
        path: tuple[int, ...],
        data: bytes,
        probability: float,
        next_V: Probabilities,
        allowed_V: NDArray[np.bool_],
    ) -> None:
        """Follow the likeliest tokens after `path`, of those that are allowed."""
        likely = np.where(allowed_V, next_V, 0.0)
        best = np.argpartition(-likely, min(BRANCHES, len(likely) - 1))[:BRANCHES]
        for token in best.tolist():
            share = probability * float(likely[token])
            if share < LEAST_PROBABILITY:
                continue
            longer = data + self.table.data[token]
            found = read_beginning(longer)
            if found and found.finished:
                self.close(found.text, share)
            elif found and len(path) < MAX_WORD_TOKENS:
                heapq.heappush(self.heap, (-share, (*path, token), longer))

    def step(self, path: tuple[int, ...], data: bytes, probability: float, next_V: Probabilities) -> None:
        """Read the model's answer after `path`: close the word where it ends here, follow it where it goes on."""
        found = read_beginning(data)
        if found is None:
            return
        table = self.table
        if found.grows:
            self.close(found.text, probability * float(next_V[table.ends_word].sum()))
            allowed = table.some_text & ~table.ends_word & ~table.inner
        elif data and not _whole_letters(data)[1]:
            allowed = table.some_text & ~table.inner
        else:
            allowed = table.inner if data else table.some_text & ~table.inner
        self.grow(path, data, probability, next_V, allowed)

    def take(self) -> list[tuple[float, tuple[int, ...], bytes]]:
        """The likeliest open beginnings that have the same number of tokens, most likely first."""
        near = [heapq.heappop(self.heap) for _ in range(min(len(self.heap), 2 * PATHS_AT_ONCE))]
        same = [item for item in near if len(item[1]) == len(near[0][1])][:PATHS_AT_ONCE]
        for item in near:
            if item not in same:
                heapq.heappush(self.heap, item)
        return same


def search_words(
    ask: NextProbabilities, table: TokenTable, *, k: int, stem: str = "", after_space: bool = False
) -> list[NextWord]:
    """The `k` likeliest next words, likeliest first.

    `ask(paths)` gives the probabilities of the next token (N, V) after the prompt and each path of tokens. `stem` is
    the unfinished word at the prompt's end. `after_space`: the prompt had a space at its end, which `ask` does not know
    of, because it belongs to the word's token; probabilities are then those under the condition that a space comes.
    """
    search = _Search(table, "" if after_space else stem)
    first_V = ask([()])[0]
    if after_space and (space := float(first_V[table.spaced].sum())) > 0:
        first_V = np.where(table.spaced, first_V, 0.0) / space
    search.step((), b"", 1.0, first_V)
    asked = 1
    while search.heap and asked < MAX_PATHS and -search.heap[0][0] > _nth_largest(search.words, k):
        paths = search.take()
        answers_NV = ask([path for _, path, _ in paths])
        for (negative, path, data), next_V in zip(paths, answers_NV, strict=True):
            search.step(path, data, -negative, next_V)
        asked += len(paths)
    best = sorted(search.words.items(), key=lambda item: (-item[1], item[0]))[:k]
    cut = 1 if after_space else 0
    return [NextWord(word, probability, search.texts[word][1][cut:]) for word, probability in best]


def _nth_largest(words: dict[str, float], n: int) -> float:
    return heapq.nlargest(n, words.values())[-1] if len(words) >= n else 0.0
