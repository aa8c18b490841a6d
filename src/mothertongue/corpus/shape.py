"""What the lines and the runs of words of a text tell: lists, menus, code, and text that says the same again and again.

The figures are those of Gopher, C4 and FineWeb (gopher.py has them as they are), re-derived for inflected languages,
other alphabets, verse and dialogue: a verse ends without a full stop and has short lines, so a short line counts only
if it ends in a letter or digit. Thresholds: `languages/<code>.toml`, table [quality]; a rule without one stands aside.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mothertongue.corpus.gopher import covered, seen_before
from mothertongue.corpus.rule import Rule, first_failed
from mothertongue.corpus.shingle import shingles, word_hashes
from mothertongue.languages import Language

RUN_WORDS = 5
_LEAST_LINES = 8  # of fewer lines a share says nothing
_LEAST_WORDS = 60
_FIRST_WORDS = 400
_LINE = re.compile(r"[^\n]+")
# the end is looked at from its last character: a search for the rest of the line would be slow
_ITEM = r"^[ \t]*+(?:[-–•*+·▪■●○►>|#]|\d{1,3}[.)])(?=[ \t|])"
_OPEN = r"[^\n]*+(?<=[\w)\]|>])$"
_OPEN_ITEM = re.compile(_ITEM + _OPEN, re.M)
_OPEN_SHORT = re.compile(r"^[^\n]{0,29}(?<=[^\W_])$", re.M)
_CUT = re.compile(r"(?:…|\.\.\.)$", re.M)
_CODE = re.compile(r"[{}`|]|</?[a-zA-Z]|\w\(\)|[=!<>]=|;$|\$\w|\\[a-z]|https?://", re.M)
_FILLER = re.compile(r"lorem\s+ipsum|javascript\s+(?:is\s+)?(?:disabled|required)", re.I)


@dataclass(frozen=True)
class Shape:
    """The figures of one document; None: too little text to tell."""

    open_items: float | None  # share of the lines that begin with a bullet or number and end no sentence
    open_short: float | None  # share of the lines of less than 30 characters that end in a letter or digit
    cut_lines: float | None  # share of the lines that end in an ellipsis
    code: float | None  # signs of mark-up, code and addresses, per word
    repeated_runs: float | None  # share of the words that stand in a run of five that was there before
    new_words: float | None  # different words among the first 400, per word
    filler: float  # passages of lorem ipsum and the like


SHAPE_RULES: dict[str, Rule[Shape]] = {
    "filler-text": Rule(lambda s: s.filler, False, "passages of lorem ipsum or of a page that wants JavaScript"),
    "list-lines": Rule(lambda s: s.open_items, False, "lines of lists without a sentence"),
    "menu-lines": Rule(lambda s: s.open_short, False, "short lines that end in a letter or digit"),
    "cut-lines": Rule(lambda s: s.cut_lines, False, "lines that end in an ellipsis"),
    "code": Rule(lambda s: s.code, False, "signs of mark-up, code and addresses, per word"),
    "repeated-runs": Rule(lambda s: s.repeated_runs, False, "words in runs of five that stood there before"),
    "few-different-words": Rule(lambda s: s.new_words, True, "different words among the first 400"),
}


def reason_by_shape(text: str, language: Language, *, skip: Collection[str] = ()) -> str | None:
    """The name of the first of SHAPE_RULES that `text` fails, or None. `skip` names rules to leave out, or "all"."""
    if "all" in skip:
        return None
    return first_failed(SHAPE_RULES, shape(text), language.quality, skip)


def shape(text: str) -> Shape:
    """The figures of a text."""
    lines = len(_LINE.findall(text))
    many = lines >= _LEAST_LINES
    words = word_hashes(text)
    enough = len(words) >= _LEAST_WORDS
    first = words[:_FIRST_WORDS]
    return Shape(
        open_items=len(_OPEN_ITEM.findall(text)) / lines if many else None,
        open_short=len(_OPEN_SHORT.findall(text)) / lines if many else None,
        cut_lines=len(_CUT.findall(text)) / lines if many else None,
        code=len(_CODE.findall(text)) / len(words) if enough else None,
        repeated_runs=_repeated_runs(words) if enough else None,
        new_words=len(np.unique(first)) / len(first) if enough else None,
        filler=float(len(_FILLER.findall(text))),
    )


def _repeated_runs(words: np.typing.NDArray[np.uint64]) -> float:
    later = seen_before(shingles(words, RUN_WORDS))
    return covered(later, np.arange(len(words) + 1), RUN_WORDS) / len(words)
