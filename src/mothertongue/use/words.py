"""Which word comes next, with its probability: a best-first search over tokens until a word's end is sure.

A model gives probabilities of tokens; a word is one token or several, cut in more than one way, and it ends only where
something that is no letter follows. So the search follows the likeliest beginnings of words first, multiplies the
probabilities along the way, and closes a word with the probability that its next token begins with a space, a mark or
the end of the document. A word is a run of letters, digits and combining marks, or one other character (a comma).

What was typed already is a beginning that the tokens have to spell; the probabilities are those under that condition.
The probability found is a lower bound: cuttings that were not followed would add to it. Try `mothertongue complete`.
"""

# Axes: N paths, T tokens, V vocabulary

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mothertongue.use.table import Kind, TokenTable, kind_of, whole_letters

Path = tuple[int, ...]
Probabilities = NDArray[np.floating]
Ask = Callable[[Path], Probabilities]  # the probabilities [V] of the next token after a path

MAX_WORD_TOKENS = 16
MAX_PATHS = 128  # beginnings of words that the model is asked about
BRANCHES = 128  # tokens followed after each beginning
LEAST_PROBABILITY = 1e-7  # of what was typed
TINY = 1e-9
ANY = frozenset({Kind.SPACE, Kind.LETTER, Kind.SYMBOL})


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
    text, torn = whole_letters(data)
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
    """Whether `char` can be part of a word: a letter, a digit, a combining mark of any script, or U+200C."""
    return kind_of(char) is Kind.LETTER


def last_letters(text: str) -> str:
    """The unfinished word at the end of `text`.

    >>> last_letters("Dobrý den, jak")
    'jak'
    """
    start = len(text)
    while start and is_letter(text[start - 1]):
        start -= 1
    return text[start:]


def first_word(text: str) -> str:
    """The first word of `text` with the space before it, or its first mark.

    >>> first_word(" dobrý den"), first_word(", že")
    (' dobrý', ',')
    """
    begun = read_beginning(text.encode())
    return begun.text if begun else text


def finished_words(text: str, start: int = 0) -> Iterator[tuple[str, int]]:
    """The words of `text` from `start` on that something follows, each with the place of its end.

    >>> list(finished_words("Dobrý den, jak"))
    [('Dobrý', 5), ('den', 9)]
    """
    begin = -1
    for place in range(start, len(text)):
        if is_letter(text[place]):
            begin = place if begin < 0 else begin
        elif begin >= 0:
            yield text[begin:place], place
            begin = -1


@dataclass
class WordSearch:
    """The words after one place: `ask` gives the model's answer after the tokens before it and any path.

    The tokens begin with the bytes `typed`, whose last `torn` are half a character, and go on with a character of a
    kind in `allowed`. `stem` is the unfinished word that the letters after the place belong to.
    """

    ask: Ask
    table: TokenTable
    k: int
    typed: bytes = b""
    torn: bytes = b""
    allowed: frozenset[Kind] = ANY
    stem: str = ""
    reached: float = 0.0  # the probability that what was typed comes
    other: float = 0.0  # and, of that, that what is not allowed comes then
    words: dict[str, float] = field(default_factory=dict)
    _texts: dict[str, tuple[float, str]] = field(default_factory=dict)
    _heap: list[tuple[float, Path, bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._heap.append((-1.0, (), b""))
        self.reached = 0.0 if self.typed else 1.0

    @property
    def top(self) -> float:
        """The probability of the likeliest beginning that was not followed yet."""
        return -self._heap[0][0] if self._heap else 0.0

    def text(self, word: str) -> str:
        """What to append for `word`."""
        return self._texts[word][1]

    def step(self, *, floor: float = 0.0) -> None:
        """Read the model's answer after the likeliest beginning; what is less likely than `floor` is not followed."""
        negative, path, data = heapq.heappop(self._heap)
        next_V, probability = self.ask(path), -negative
        if len(data) < len(self.typed):
            rest = self.typed[len(data) :]
            covering = self.table.beginning_with(rest)
            self.reached += probability * float(next_V[covering].sum(dtype=np.float64))
            tokens = np.concatenate([covering, np.array(self.table.inside(rest), dtype=np.int64)])
        else:
            tokens = self._after(data, probability, next_V)
        least = max(floor, LEAST_PROBABILITY * self.reached) if len(data) >= len(self.typed) else 0.0
        self._follow(path, data, probability, next_V, tokens, least)

    def _after(self, data: bytes, probability: float, next_V: Probabilities) -> NDArray[np.int64]:
        """Close the word where it ends here; the tokens with which it may go on."""
        found, table = self._read(data), self.table
        if found is None:
            return np.empty(0, dtype=np.int64)
        if found.grows:
            ends_V = table.of_kinds(Kind.END, Kind.SPACE, Kind.SYMBOL)
            self._close(found.text, probability * float(next_V[ends_V].sum(dtype=np.float64)))
            kinds: frozenset[Kind] = frozenset({Kind.LETTER, Kind.TORN})
        elif whole_letters(self._new(data))[1]:
            kinds = frozenset({Kind.INNER})
        elif found.text:
            kinds = ANY | {Kind.TORN}
        else:
            others = ANY - self.allowed
            if Kind.SPACE in others:  # the text goes on in its last word, or else that ends, perhaps with the document
                others |= {Kind.END}
            others_V = table.of_kinds(*others)
            self.other += probability * float(next_V[others_V].sum(dtype=np.float64))
            kinds = self.allowed | {Kind.TORN}
        return np.flatnonzero(table.of_kinds(*kinds))

    def _follow(
        self,
        path: Path,
        data: bytes,
        probability: float,
        next_V: Probabilities,
        tokens: NDArray[np.int64],
        least: float,
    ) -> None:
        shares = probability * next_V[tokens]
        likely = np.flatnonzero((shares >= least) & (shares > 0))
        branches = max(BRANCHES, 4 * self.k)
        if len(likely) > branches:
            likely = likely[np.argpartition(-shares[likely], branches)[:branches]]
        for at in likely.tolist():
            token, share = int(tokens[at]), float(shares[at])
            self._reach((*path, token), data + self.table.data[token], share)

    def _reach(self, path: Path, data: bytes, share: float) -> None:
        found = self._read(data)
        if found is None:
            return
        if found.text and kind_of(found.text[0]) not in self.allowed:
            self.other += share
        elif found.finished:
            self._close(found.text, share)
        elif len(path) <= MAX_WORD_TOKENS:
            heapq.heappush(self._heap, (-share, path, data))

    def _read(self, data: bytes) -> Beginning | None:
        if len(data) < len(self.typed):
            return Beginning("")
        return read_beginning(self._new(data))

    def _new(self, data: bytes) -> bytes:
        """What `data` has from the torn character on, or else from the place on."""
        return data[len(self.typed) - len(self.torn) :]

    def _close(self, text: str, probability: float) -> None:
        word = text.lstrip() if text[:1].isspace() or not is_letter(text[0]) else self.stem + text
        self.words[word] = self.words.get(word, 0.0) + probability
        self._texts[word] = max(self._texts.get(word, (0.0, "")), (probability, text))


def best_words(searches: list[WordSearch], *, k: int, steps: int = MAX_PATHS) -> list[NextWord]:
    """The `k` likeliest words of one search; or of two, where the second begins with what ends the first's run.

    As many `steps` are taken as it needs to be sure of them, at most; more (MAX_PATHS) until one is found at all.
    """
    for number in range(MAX_PATHS):
        scales = _scales(searches)
        pairs = list(zip(searches, scales, strict=True))
        floor = _nth_largest([p * scale for search, scale in pairs for p in search.words.values()], k)
        tops = [search.top * scale for search, scale in pairs]
        if max(tops) <= floor or (number >= steps and any(search.words for search in searches)):
            break
        likeliest, scale = pairs[tops.index(max(tops))]
        likeliest.step(floor=floor / scale)
    found = [
        NextWord(word, float(p * scale), search.text(word))
        for search, scale in zip(searches, _scales(searches), strict=True)
        for word, p in search.words.items()
        if p * scale > 0
    ]
    return sorted(found, key=lambda word: (-word.probability, word.word, word.text))[:k]


def _scales(searches: list[WordSearch]) -> list[float]:
    """What the probabilities of each search are to be multiplied by."""
    first = searches[0]
    if not first.reached:
        return [first.top, 0.0][: len(searches)]  # 1 before the first step; afterwards what was typed cannot come
    if len(searches) == 1:
        return [1 / max(TINY, first.reached - first.other)]
    return [1 / first.reached, first.other / first.reached / max(TINY, 1 - searches[1].other)]


def _nth_largest(values: list[float], n: int) -> float:
    return heapq.nlargest(n, values)[-1] if len(values) >= n else 0.0
