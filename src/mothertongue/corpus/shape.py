"""What the lines and the runs of words of a text tell: lists, menus, code, and text that says the same again and again.

The figures are those of Gopher, C4 and FineWeb (gopher.py has them as they are), re-derived for inflected languages,
other alphabets, verse and dialogue: a verse ends without a full stop and has short lines, so a short line counts only
if it ends in a letter or digit. Thresholds: `languages/<code>.toml`, table [quality]; a rule without one stands aside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from functools import cached_property

import numpy as np

from mothertongue.corpus.gopher import covered, seen_before
from mothertongue.corpus.rule import Rule, first_failed
from mothertongue.corpus.view import RUN_WORDS, View, view
from mothertongue.languages import Language

_LEAST_LINES = 8  # of fewer lines a share says nothing
_LEAST_WORDS = 60
_FIRST_WORDS = 400
_ITEM = re.compile(r"[ \t]*+(?:[-–•*+·▪■●○►>|#]|\d{1,3}[.)])[ \t|]")
_CODE = re.compile(r"[{}`|]|</?[a-zA-Z]|\w\(\)|[=!<>]=|;$|\$\w|\\[a-z]|https?://", re.M)
_FILLER = re.compile(r"lorem\s+ipsum|javascript\s+(?:is\s+)?(?:disabled|required)", re.I)
_LIKE_ASCII = "ſıİ\u212a"  # letters that stand for s, i and k where case does not count


class Shape:
    """The figures of one document; None: too little text to tell."""

    def __init__(self, text: str | View) -> None:
        self._view = view(text)

    def _share(self, is_such: Callable[[str], object]) -> float | None:
        lines = self._view.lines
        return sum(1 for line in lines if is_such(line)) / len(lines) if len(lines) >= _LEAST_LINES else None

    @property
    def open_items(self) -> float | None:
        """Share of the lines that begin with a bullet or number and end no sentence."""
        return self._share(lambda line: (line[-1].isalnum() or line[-1] in "_)]|>") and _ITEM.match(line))

    @property
    def open_short(self) -> float | None:
        """Share of the lines of less than 30 characters that end in a letter or digit."""
        return self._share(lambda line: len(line) < 30 and line[-1].isalnum())

    @property
    def cut_lines(self) -> float | None:
        """Share of the lines that end in an ellipsis."""
        return self._share(lambda line: line.endswith(("…", "...")))

    @property
    def _enough(self) -> bool:
        return len(self._view.words) >= _LEAST_WORDS

    @property
    def code(self) -> float | None:
        """Signs of mark-up, code and addresses, per word."""
        return len(_CODE.findall(self._view.text)) / len(self._view.words) if self._enough else None

    def has_little_code(self, most: float) -> bool:
        """True only if there are at most so many signs of code per word."""
        text = self._view.text  # every sign of code has one of these in it
        signs = self._view.count("{}`|<=;$\\") + text.count("()") + text.count("://")
        return signs < most * len(self._view.words)

    @cached_property
    def repeated_runs(self) -> float | None:
        """Share of the words that stand in a run of five that was there before."""
        if not self._enough:
            return None
        words = len(self._view.words)
        return covered(seen_before(self._view.runs), np.arange(words + 1), RUN_WORDS) / words

    def repeats_few_runs(self, most: float) -> bool:
        """True only if at most such a share of the words stands in runs that were there before."""
        return self._view.most_repeated_runs * RUN_WORDS < most * len(self._view.words)

    @cached_property
    def new_words(self) -> float | None:
        """Different words among the first 400, per word."""
        first = self._view.words[:_FIRST_WORDS]
        return len(np.unique(first)) / len(first) if self._enough else None

    @cached_property
    def filler(self) -> float:
        """Passages of lorem ipsum and the like."""
        return float(len(_FILLER.findall(self._view.text))) if self._may_be_filler() else 0.0

    def _may_be_filler(self) -> bool:
        small = self._view.text.lower()
        return "ipsum" in small or "javascript" in small or self._view.count(_LIKE_ASCII) > 0


SHAPE_RULES: dict[str, Rule[Shape]] = {
    "filler-text": Rule(lambda s: s.filler, False, "passages of lorem ipsum or of a page that wants JavaScript"),
    "list-lines": Rule(lambda s: s.open_items, False, "lines of lists without a sentence"),
    "menu-lines": Rule(lambda s: s.open_short, False, "short lines that end in a letter or digit"),
    "cut-lines": Rule(lambda s: s.cut_lines, False, "lines that end in an ellipsis"),
    "code": Rule(lambda s: s.code, False, "signs of mark-up, code and addresses, per word", Shape.has_little_code),
    "repeated-runs": Rule(
        lambda s: s.repeated_runs, False, "words in runs of five that stood there before", Shape.repeats_few_runs
    ),
    "few-different-words": Rule(lambda s: s.new_words, True, "different words among the first 400"),
}


def reason_by_shape(text: str | View, language: Language, *, skip: Collection[str] = ()) -> str | None:
    """The name of the first of SHAPE_RULES that `text` fails, or None. `skip` names rules to leave out, or "all"."""
    if "all" in skip:
        return None
    return first_failed(SHAPE_RULES, shape(text), language.quality, skip)


def shape(text: str | View) -> Shape:
    """The figures of a text."""
    return Shape(text)
