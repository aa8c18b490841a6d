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


def first_failed(
    rules: Mapping[str, Rule[F]], figures: F, thresholds: Mapping[str, float], skip: Collection[str]
) -> str | None:
    """The name of the first rule that the figures fail, or None; a rule without a threshold is not applied."""
    for name, rule in rules.items():
        threshold, figure = thresholds.get(name), rule.figure(figures)
        if threshold is None or figure is None or name in skip:
            continue
        if (figure < threshold) if rule.least else (figure > threshold):
            return name
    return None
