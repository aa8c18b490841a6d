"""A reason to refuse a document: a figure of its text held against a threshold of the language."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

F = TypeVar("F")  # the figures of a text


@dataclass(frozen=True)
class Rule(Generic[F]):
    """One reason to refuse a document."""

    figure: Callable[[F], float | None]  # None: it cannot be told of this text
    least: bool  # True: the figure must not be below the threshold; False: not above
    meaning: str
    # true only if the figure, which costs much more to know, is on the right side of the threshold
    surely: Callable[[F, float], bool] = lambda figures, threshold: False


def first_failed(
    rules: Mapping[str, Rule[F]], figures: F, thresholds: Mapping[str, float], skip: Collection[str]
) -> str | None:
    """The name of the first rule that the figures fail, or None; a rule without a threshold is not applied."""
    for name, rule in rules.items():
        threshold = thresholds.get(name)
        if threshold is None or name in skip or rule.surely(figures, threshold):
            continue
        figure = rule.figure(figures)
        if figure is not None and ((figure < threshold) if rule.least else (figure > threshold)):
            return name
    return None
