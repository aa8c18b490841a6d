"""Exact probabilities of text: the sum over all ways to cut a word into tokens, not only the likeliest one.

The model's distribution over *text*, defined run by run (a run: letters or symbols with the white space before them):
before a run stand the tokens into which the tokenizer cuts the finished text, and the run's own bytes are summed over
every sequence of tokens that spells them. A run ends when something of another kind follows; what follows is then asked
for after the finished run as the tokenizer cuts it. So the probability of a word is one number, however much of it has
been typed: P(first letters) x P(the rest | first letters) does not depend on where the cut is.

After Vieira et al. 2024 (arXiv 2412.03719) and Phan et al. 2024 (arXiv 2410.09303), who sum over whole texts.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tokenizers import Tokenizer

from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.use.cursor import Cursor, runs
from mothertongue.use.table import Kind, TokenTable, kind_of, torn_kind, whole_letters
from mothertongue.use.words import Ask, Path, Probabilities

TOLERANCE = 1e-6  # of the sum: what would add less, all together, is left out
LEAST = 1e-7  # a torn character of less probability is not waited for
MAX_PATHS = 4096  # a model that has learnt nothing may need more for a long word: the sum is a lower bound then
PER_BYTE = 4.0  # how much less likely a text is for each byte it is longer, about


@dataclass(frozen=True)
class Spelling:
    """The sums over all paths of tokens after one place; what is asked twice is remembered by `ask`."""

    ask: Ask
    table: TokenTable

    def reach(self, data: bytes) -> float:
        """The probability that the text goes on with `data`."""
        if not data:
            return 1.0
        total = 0.0
        for p, path, rest, left in self._paths(data):
            if left <= TOLERANCE * total:
                break
            if rest:
                total += p * float(self.ask(path)[self.table.beginning_with(rest)].sum(dtype="float64"))
        return total

    def end(self, data: bytes, kind: Kind) -> float:
        """The probability that the text goes on with `data` and that its run, of `kind`, ends there."""
        total = 0.0
        for p, path, rest, left in self._paths(data):
            if left <= TOLERANCE * total:
                break
            next_V = self.ask(path)
            if not rest:
                total += p * self._other(path, next_V, kind, p)
                continue
            for token in self.table.beginning_with(rest).tolist():
                if after := self.table.data[token][len(rest) :]:
                    share = p * float(next_V[token])
                    total += share * self._differs((*path, token), after, kind, share)
        return total

    def _paths(self, data: bytes) -> Iterator[tuple[float, Path, bytes, float]]:
        """Every beginning of `data` in tokens, and all of it; the likeliest for their length come first.

        Its probability, its tokens, what remains to be spelled, and how much probability this one and all that are
        still to come have at most.
        """
        heap: list[tuple[float, float, Path, int]] = [(-1.0, 1.0, (), 0)]
        left = 1.0
        for _ in range(MAX_PATHS):
            if not heap:
                return
            _, p, path, done = heapq.heappop(heap)
            rest = data[done:]
            yield p, path, rest, left
            left -= p
            if not rest:
                continue
            next_V = self.ask(path)
            whole = [token for token in self.table.beginning_with(rest).tolist() if self.table.data[token] == rest]
            for token in [*self.table.inside(rest), *whole]:
                longer = done + len(self.table.data[token])
                if (share := p * float(next_V[token])) > 0:
                    left += share
                    heapq.heappush(heap, (-share * PER_BYTE**longer, share, (*path, token), longer))

    def _other(self, path: Path, next_V: Probabilities, kind: Kind, weight: float) -> float:
        """The share of what follows `path` that begins with another kind than `kind`, or is the document's end."""
        kinds = {Kind.END, Kind.SPACE, Kind.LETTER, Kind.SYMBOL} - {kind}
        share = float(next_V[self.table.of_kinds(*kinds)].sum(dtype="float64"))
        for token in self.table.of_kinds(Kind.TORN).nonzero()[0].tolist():
            p = float(next_V[token])
            share += p * self._differs((*path, token), self.table.data[token], kind, weight * p)
        return share

    def _differs(self, path: Path, after: bytes, kind: Kind, weight: float) -> float:
        """The probability that the first character of `after`, bytes at the end of `path`, is of another kind."""
        text, torn = whole_letters(after)
        if text:
            return float(kind_of(text[0]) is not kind)
        if not torn or weight <= LEAST:
            return 0.0
        if (sure := torn_kind(torn)) is not None:
            return float(sure is not kind)
        next_V = self.ask(path)
        inner = self.table.of_kinds(Kind.INNER).nonzero()[0].tolist()
        return sum(
            p * self._differs((*path, token), after + self.table.data[token], kind, weight * p)
            for token in inner
            if (p := float(next_V[token])) > 0
        )


def text_probability(
    ask_after: Callable[[Path], Ask],
    table: TokenTable,
    tokenizer: Tokenizer,
    cursor: Cursor,
    rest: bytes,
    *,
    ends: bool,
) -> float:
    """The probability that what was typed goes on with `rest`, and, if `ends`, that its last run is finished then."""
    reached = Spelling(ask_after(cursor.head), table).reach(cursor.typed)
    if not reached:
        return 0.0
    whole, torn = whole_letters(cursor.run.encode() + cursor.torn + rest)
    if whole is None or (torn and ends):
        return 0.0  # it is no text
    before, skipped = cursor.before, len(cursor.run.encode() + cursor.torn) - len(cursor.typed)
    parts, result, kind = runs(whole) or [""], 1 / reached, Kind.NEVER
    for number, part in enumerate(parts):
        data = part.encode()
        first = number == 0
        spelling = Spelling(ask_after(cursor.head if first else before), table)
        result /= 1.0 if first else max(1e-30, spelling.end(b"", kind))
        last = number == len(parts) - 1
        kind = kind_of(part[-1]) if part else Kind.SPACE
        data = (data + torn if last else data)[skipped if first else 0 :]
        finished = kind is not Kind.SPACE and (ends or not last)
        result *= spelling.end(data, kind) if finished else spelling.reach(data)
        before = before if last else (*before, *encode_text(tokenizer, part))
    return result
