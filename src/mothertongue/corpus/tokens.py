"""A text as words and punctuation marks, all at once in arrays: where each begins and ends, and a number for it.

Made like the tokens of spaCy's rules, which datatrove counts: what stands between two spaces loses the marks at its
edges, each a token of its own; the core stays whole (`3.5`, `idnes.cz`, `C++`, `a(b`) but for hyphens between letters
and the like. Then a full stop goes back to its abbreviation, and `it's`, `don't` fall in two. Case counts.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mothertongue.corpus.shingle import PIECE, Hashes, mixed, powers

Places: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Points: TypeAlias = npt.NDArray[np.uint32]
Kinds: TypeAlias = npt.NDArray[np.uint16]

(_SPACE, _LETTER, _UPPER, _DIGIT, _MARK, _FIRST, _LAST, _INNER, _BEFORE_STOP, _END, _SIGN, _RUN, _COUNTED) = (
    1 << bit for bit in range(13)
)
_HYPHEN, _OPERATOR, _PARTING = (1 << bit for bit in range(13, 16))
_PLANES = 1 << 17
_ADDRESS = re.compile(r"[a-z]{2,9}://[^\s<>\"“”»)\]]{1,2000}(?<![.,;:!?'])")
_ENDING = re.compile(r"['’](?:[sSmd]|ll|re|ve)(?![\w'’-])|n['’]t(?![\w'’-])")
_STOP = ord(".")
_EDGE = frozenset("…,:;!?¿¡()[]{}<>_#*&%=§—–。？！，、；：～·।،۔؛٪'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉")
_AFTER_DIGIT = frozenset("%+")  # marks at the end of a number
_NO_EDGE_BEHIND = frozenset("%=§")  # marks at the beginning of a word that belong to it at its end
_CURRENCY = frozenset("$£€¥₽₴₹")
_RUNS = frozenset(".-")  # a run of one of these is a single token
# what datatrove's Gopher filter takes for punctuation, beyond what Unicode says of it
_MARKS = frozenset("!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»")
# words that keep their full stop, where the tokenizer of the language has any; so does a single letter of a-z
_SHORT = {
    "en": "Mr Mrs Ms Dr St Prof Rev Jr Sr Gen Col Capt Lt Gov Sen Rep Co Corp Inc Ltd Bros Mt Messrs vs Jan Feb Mar "
    "Apr Jun Jul Aug Sep Sept Oct Nov Dec e.g i.e E.g I.e a.m p.m",
    "bg": "чл ал бр лв г гр ул бул др напр проф пр стр лат нар сп с в ч т.е т.н т.нар",
}
_LONGEST = 6
_ENDS = frozenset("!.?。！？｡।॥")  # a token that is one of these ends a sentence


@dataclass(frozen=True)
class Tokens:
    """The tokens of one text, in order."""

    starts: Places
    ends: Places
    hashes: Hashes
    kinds: Kinds  # of each character of the text

    def __len__(self) -> int:
        return len(self.starts)

    def has_letter(self) -> Flags:
        """Of each token whether a letter is in it."""
        return self._count(_LETTER) > 0

    def is_symbol(self) -> Flags:
        """Of each token whether it is punctuation alone, in the sense of datatrove."""
        found: Flags = self._count(_MARK) == self.ends - self.starts
        return found

    def is_punctuation(self) -> Flags:
        """The same in the sense of Unicode."""
        found: Flags = self._count(_SIGN) == self.ends - self.starts
        return found

    def is_end(self) -> Flags:
        """Of each token whether it is a full stop or the like."""
        found: Flags = ((self.kinds[self.starts] & _END) != 0) & (self.ends - self.starts == 1)
        return found

    def _count(self, kind: int) -> Places:
        total = np.zeros(len(self.kinds) + 1, dtype=np.int32)
        np.cumsum((self.kinds & kind) != 0, out=total[1:])
        counts: Places = total[self.ends] - total[self.starts]
        return counts


@lru_cache(maxsize=1)  # every rule asks for those of the same text
def tokens(text: str, language: str = "en") -> Tokens:
    """The tokens of `text`, as the tokenizer of a language cuts it: they differ in abbreviations and hyphens."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    kinds = _kinds()[np.minimum(points, _PLANES - 1)]
    core = _cores(points, kinds)
    _cut_inside(points, kinds, core, numbers=language == "en")
    for address in _ADDRESS.finditer(text) if "://" in text else ():
        core[address.start() : address.end()] = True
    space = (kinds & _SPACE) != 0
    begins = ~space
    begins[1:] &= (core[1:] != core[:-1]) | ~core[1:] | space[:-1]
    run = np.flatnonzero(kinds[1:] & _RUN) + 1
    begins[run[(points[run] == points[run - 1]) & ~core[run] & ~core[run - 1]]] = False
    for ending in _ENDING.finditer(text) if "'" in text or "’" in text else ():
        begins[ending.start()] |= core[ending.start()]
    starts = np.flatnonzero(begins)
    borders = np.append(np.flatnonzero(begins | space), len(points))
    ends = borders[np.searchsorted(borders, starts) + 1]
    sums = _sums(points)
    starts, ends = _with_stops(points, sums, starts, ends, language)
    return Tokens(starts, ends, _hashes(sums, starts, ends), kinds)


def sentences(text: str, language: str = "en") -> int:
    """How many sentences `text` has: one begins at the first word behind a full stop and its quotation marks."""
    found = tokens(text, language)
    end = found.is_end()
    words = np.flatnonzero(~found.is_punctuation() & ~end)
    ends_before = np.cumsum(end)[words]
    return 1 + int((np.diff(ends_before, prepend=0) > 0).sum())


def token_hash(word: str) -> int:
    """The number that `tokens` gives to a word."""
    points = np.frombuffer(word.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return int(_hashes(_sums(points), np.array([0]), np.array([len(points)]))[0])


def _cores(points: Points, kinds: Kinds) -> Flags:
    """Whether each character is inside a word, behind the marks at its beginning and before those at its end."""
    space = (kinds & _SPACE) != 0
    edges = np.flatnonzero(np.diff(np.concatenate(([True], space, [True]))))
    begins, ends = edges[::2], edges[1::2]
    first, last = (kinds & _FIRST) != 0, (kinds & _LAST) != 0
    stops = np.flatnonzero(points == _STOP)
    before = np.where(stops > 0, kinds[stops - 1], _SPACE)
    capitals = ((before & _UPPER) != 0) & (stops > 1) & ((kinds[stops - 2] & _UPPER) != 0)
    last[stops] = ((before & _BEFORE_STOP) != 0) | capitals
    counted = np.flatnonzero(kinds & _COUNTED)
    last[counted] = (counted > 0) & ((kinds[counted - 1] & _DIGIT) != 0)
    run = stops[:-1][np.diff(stops) == 1]
    for flags in (first, last):
        flags[run] = flags[run + 1] = True
    inner = np.append(np.flatnonzero(~first), len(points))
    begins = inner[np.searchsorted(inner, begins)]
    inner = np.concatenate(([-1], np.flatnonzero(~last)))
    ends = inner[np.searchsorted(inner, ends) - 1] + 1
    whole = begins < ends
    steps = np.zeros(len(points) + 1, dtype=np.int8)
    steps[begins[whole]] += 1
    steps[ends[whole]] -= 1
    return np.cumsum(steps[:-1], dtype=np.int8) > 0


def _cut_inside(points: Points, kinds: Kinds, core: Flags, *, numbers: bool) -> None:
    """Hyphens between letters (or `numbers` and letters), full stops before capitals and the like part a word."""
    at = np.flatnonzero(((kinds[1:-1] & _INNER) != 0) & core[1:-1]) + 1
    before, mark, after, sign, following = kinds[at - 1], kinds[at], kinds[at + 1], points[at], points[at + 1]
    twice = ((mark & _RUN) != 0) & (following == sign) & (at + 2 < len(points))
    behind = np.where(twice, kinds[np.minimum(at + 2, len(points) - 1)], after)
    from_letter, from_digit = (before & _LETTER) != 0, (before & _DIGIT) != 0
    to_letter, to_digit, stop = (after & _LETTER) != 0, (after & _DIGIT) != 0, sign == _STOP
    cut = ((mark & _HYPHEN) != 0) & from_letter & ((behind & _LETTER) != 0)
    if numbers:
        cut |= ((mark & _HYPHEN) != 0) & (sign != ord(",")) & from_digit & to_letter
    cut |= ((mark & _OPERATOR) != 0) & from_digit & (to_digit | (following == ord("-")))
    cut |= ((mark & _PARTING) != 0) & (from_digit | from_letter) & to_letter
    cut |= stop & from_letter & ((before & _UPPER) == 0) & ((after & _UPPER) != 0)
    cut |= stop & ((following == _STOP) | (points[at - 1] == _STOP))
    core[at[cut]] = False
    core[at[cut & twice] + 1] = False


def _with_stops(points: Points, sums: Hashes, starts: Places, ends: Places, language: str) -> tuple[Places, Places]:
    """Abbreviations together with the full stop behind them."""
    stops = np.flatnonzero((points[starts[1:]] == _STOP) & (starts[1:] == ends[:-1])) + 1
    stops = stops[(ends[stops] - starts[stops] == 1) & (ends[stops - 1] - starts[stops - 1] <= _LONGEST)]
    begin, end = starts[stops - 1], ends[stops - 1]
    known = (end - begin == 1) & (points[begin] - ord("a") < 26)
    if language in _SHORT:
        known |= np.isin(_hashes(sums, begin, end), _short(language))
    if not known.any():
        return starts, ends
    stays = np.ones(len(starts), dtype=np.bool_)
    stays[stops[known]] = False
    ends[stops[known] - 1] += 1
    return starts[stays], ends[stays]


def _sums(points: Points) -> Hashes:
    """From which the number of any stretch of the text can be told."""
    # a word across the border of two pieces gets a number of its own: one in 260,000 characters
    factors, _ = powers(PIECE)
    values = points.astype(np.uint64)
    for at in range(0, len(values), PIECE):
        piece = values[at : at + PIECE]
        piece *= factors[: len(piece)]
    sums = np.zeros(len(values) + 1, dtype=np.uint64)
    np.cumsum(values, out=sums[1:])
    return sums


def _hashes(sums: Hashes, starts: Places, ends: Places) -> Hashes:
    _, inverses = powers(PIECE)
    return mixed((sums[ends] - sums[starts]) * inverses[starts & (PIECE - 1)])


@cache
def _short(language: str) -> Hashes:
    return np.array([token_hash(word) for word in _SHORT.get(language, "").split()], dtype=np.uint64)


@cache
def _kinds() -> Kinds:
    """Code point -> what it is, as bits."""
    return np.array([_kind(chr(point)) for point in range(_PLANES)], dtype=np.uint16)


def _kind(character: str) -> int:
    if character.isspace():
        return _SPACE
    category = unicodedata.category(character)
    foreign = category == "Po" and character > "\u0500"
    icon = category == "So"
    kinds = {
        _LETTER: category[0] == "L",
        _UPPER: category in ("Lu", "Lt"),
        _DIGIT: category == "Nd",
        _MARK: character in _MARKS or category == "Cc" or foreign,
        _FIRST: character in _EDGE or character in _CURRENCY or icon,
        _LAST: (character in _EDGE and character not in _NO_EDGE_BEHIND) or character in _CURRENCY or icon,
        _INNER: character in "-–—~+*^:<>=/.,",
        _HYPHEN: character in "-–—~,",
        _OPERATOR: character in "+-*^",
        _PARTING: character in ":<>=/",
        _END: character in _ENDS,
        _SIGN: category[0] == "P",
        _RUN: character in _RUNS,
        _COUNTED: character in _AFTER_DIGIT,
        _BEFORE_STOP: category in ("Ll", "Lo", "Lm", "Nd") or character in _EDGE or character in "-+²",
    }
    return sum(bit for bit, holds in kinds.items() if holds)
