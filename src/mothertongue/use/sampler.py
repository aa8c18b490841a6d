"""The one sampler: from the logits of any engine to the next token.

The rules, their order and their meaning are those of transformers' `generate`: repetition_penalty and
no_repeat_ngram_size first, then, when drawing, temperature, top_k, top_p, min_p, typical_p. What remains is kept as
few tokens with their probabilities, so that after top_k the rest costs nothing. Every continuation draws from random
numbers of its own: the first of three is the same text as the only one of one.
"""

# Axes: V vocabulary, K tokens that are left

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mothertongue.errors import ConfigError
from mothertongue.use.config import GenerateConfig

if TYPE_CHECKING:
    from mothertongue.use.engine import Floats


@dataclass(frozen=True, slots=True)
class Choice:
    """The tokens that are left and their logits; all others have probability 0."""

    ids: NDArray[np.int64]
    logits: NDArray[np.float64]

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Of `ids`; their sum is 1."""
        weights = np.exp(self.logits - self.logits.max())
        return np.asarray(weights / weights.sum())

    def only(self, kept: NDArray[np.bool_]) -> Choice:
        """The tokens for which `kept` is true."""
        return self if kept.all() else Choice(self.ids[kept], self.logits[kept])


class Sampler:
    """Draws the tokens of one continuation, and remembers what the rules must know of its text."""

    def __init__(
        self, options: GenerateConfig, prompt: Sequence[int], *, banned: Sequence[int] = (), number: int = 0
    ) -> None:
        """`banned` tokens are never drawn; `number` tells continuations of one prompt apart."""
        self._options, self._banned = options, np.asarray(banned, dtype=np.int64)
        self._random = np.random.default_rng(None if options.seed is None else [options.seed, number])
        self._seen: dict[int, None] = {}
        self._last: tuple[int, ...] = ()
        self._followers: dict[tuple[int, ...], list[int]] = {}
        for token in prompt:
            self.accept(token)

    def accept(self, token: int) -> None:
        """`token` stands in the text now."""
        if self._options.repetition_penalty != 1:
            self._seen[token] = None
        if size := self._options.no_repeat_ngram_size:
            if len(self._last) == size - 1:
                self._followers.setdefault(self._last, []).append(token)
            self._last = (*self._last, token)[1 - size or size :]

    def draw(self, logits_V: Floats) -> int:
        """The next token, which then stands in the text. ConfigError if the rules leave none."""
        choice = self.choice(logits_V)
        if self._options.do_sample:
            sums = choice.probabilities.cumsum()
            place = int(sums.searchsorted(self._random.random() * sums[-1], side="right"))
            token = int(choice.ids[min(place, len(sums) - 1)])
        else:
            token = int(choice.ids[0])
        self.accept(token)
        return token

    def choice(self, logits_V: Floats) -> Choice:
        """What may come next; without drawing, the likeliest token alone."""
        ruled_V = self._ruled(logits_V)
        if not self._options.do_sample:
            best = int(ruled_V.argmax())
            return _checked(Choice(np.array([best]), ruled_V[best : best + 1].astype(np.float64)))
        choice = _checked(_top_k(ruled_V, self._options.top_k))
        with np.errstate(over="ignore"):  # of a tiny temperature: then the likeliest alone is left
            choice = Choice(choice.ids, (choice.logits - choice.logits.max()) / self._options.temperature)
        for rule, value, off in (
            (_top_p, self._options.top_p, 1),
            (_min_p, self._options.min_p, 0),
            (_typical, self._options.typical_p, 1),
        ):
            choice = choice if value == off else rule(choice, value)
        return choice

    def _ruled(self, logits_V: Floats) -> Floats:
        """The logits after all rules that look at the text."""
        ruled_V = logits_V.copy()
        if self._seen:
            ids, penalty = np.fromiter(self._seen, dtype=np.int64), np.float32(self._options.repetition_penalty)
            ruled_V[ids] = np.where(ruled_V[ids] < 0, ruled_V[ids] * penalty, ruled_V[ids] / penalty)
        ruled_V[self._followers.get(self._last, [])] = -np.inf
        ruled_V[self._banned] = -np.inf
        return ruled_V


def _checked(choice: Choice) -> Choice:
    if not len(choice.ids) or choice.logits.max() == -np.inf:
        raise ConfigError("The options leave no token to draw. Give a larger no_repeat_ngram_size, or 0.")
    return choice


def _top_k(logits_V: Floats, k: int) -> Choice:
    """The `k` likeliest tokens and all that are as likely as the last of them; 0 = all."""
    size = len(logits_V)
    least = np.partition(logits_V, size - k)[size - k] if 0 < k < size else -np.inf
    ids = np.flatnonzero((logits_V >= least) & (logits_V > -np.inf))
    return Choice(ids, logits_V[ids].astype(np.float64))


def _top_p(choice: Choice, mass: float) -> Choice:
    """The likeliest tokens of this total probability: without those of the unlikely end that sum up to the rest."""
    probabilities = choice.probabilities
    # all those below this share sum up to less than the rest: they need not be sorted
    kept = probabilities >= (1 - mass) / len(probabilities)
    likely = np.flatnonzero(kept)
    order = likely[probabilities[likely].argsort()]
    kept[order] = probabilities[~kept].sum() + probabilities[order].cumsum() > 1 - mass
    kept[order[-1]] = True
    return choice.only(kept)


def _min_p(choice: Choice, share: float) -> Choice:
    """The tokens at least `share` times as likely as the likeliest (Nguyen et al. 2024, arXiv 2407.01082)."""
    probabilities = choice.probabilities
    return choice.only(probabilities >= share * probabilities.max())


def _typical(choice: Choice, mass: float) -> Choice:
    """Those whose information is nearest to the expected, of this mass (Meister et al. 2022, arXiv 2202.00666)."""
    probabilities = choice.probabilities
    information = -np.log(np.maximum(probabilities, 1e-300))
    distance = abs(information - (probabilities * information).sum())
    order = distance.argsort(kind="stable")
    last = min(int((probabilities[order].cumsum() < mass).sum()), len(order) - 1)
    return choice.only(distance <= distance[order[last]])
