"""Learning-rate shapes, and phases: who learns at which rate for how many steps.

A shape is a function of (step, steps) giving a share 0-1 of the peak rate. A training is a tuple of phases.
Sources: one-cycle, Smith 2018 (arXiv 1803.09820), as fastai v2 does it; warm-up/plateau/decay, Hu et al. 2024
(arXiv 2404.06395); `guillou`: gradual unfreezing and discriminative rates of the GPorTuguese-2 notebook (Guillou 2020),
after Howard & Ruder 2018. Pictures of all of them: docs/why/training.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import GROUPS
from mothertongue.train.config import LoopConfig, TrainConfig

Shape = Callable[[int, int], float]


@dataclass(frozen=True)
class Phase:
    """Part of a training; a group that is not in `rates` is frozen."""

    name: str
    steps: int
    rates: Mapping[str, float]  # group -> peak learning rate
    shape: Shape
    momentum: Shape | None = None  # beta1 over the phase, where the recipe moves it
    length: int = 0  # tokens per sequence, where it is not that of the windows


Flop = Callable[[Phase], float]  # operations per token in a phase


def plateau(step: int, steps: int, *, warmup: float, decay: float) -> float:
    """Rise over the first `warmup` share, stay at 1, fall in a straight line to 0 over the last `decay` share.

    >>> [round(plateau(s, 10, warmup=0.2, decay=0.5), 2) for s in (0, 1, 4, 9)]
    [0.5, 1.0, 1.0, 0.2]
    """
    rise = (step + 1) / max(1.0, warmup * steps)
    fall = (steps - step) / max(1.0, decay * steps)
    return min(1.0, rise, fall)


def cosine(step: int, steps: int, *, warmup: float) -> float:
    """Rise over `warmup`, then fall by half a cosine to 0."""
    begin = warmup * steps
    if step + 1 < begin:
        return (step + 1) / begin
    return 0.5 * (1 + math.cos(math.pi * max(0.0, step - begin) / max(1.0, steps - begin)))


def one_cycle(step: int, steps: int, *, warmup: float = 0.25) -> float:
    """Rise by cosine from 1/25 over `warmup`, then fall by cosine to 1e-5 (fastai's fit_one_cycle)."""
    return _there_and_back(step, steps, warmup, first=1 / 25, peak=1.0, last=1e-5)


def one_cycle_momentum(step: int, steps: int, *, warmup: float = 0.25) -> float:
    """AdamW's beta1 opposite to the rate: .95 -> .85 -> .95 (fastai's fit_one_cycle)."""
    return _there_and_back(step, steps, warmup, first=0.95, peak=0.85, last=0.95)


def shape_of(config: LoopConfig) -> Shape:
    """The shape that the settings name."""
    shapes: dict[str, Shape] = {
        "plateau": partial(plateau, warmup=config.warmup, decay=config.decay),
        "cosine": partial(cosine, warmup=config.warmup),
        "one-cycle": partial(one_cycle, warmup=_cycle(config)),
    }
    return shapes[config.schedule]


def _cycle(config: LoopConfig) -> float:
    return max(config.warmup, 0.01)


def phases(config: TrainConfig, steps: int, learning_rate: float, longest: int = 0) -> tuple[Phase, ...]:
    """The phases of a training of `steps` optimizer steps, the last one in sequences of `longest` tokens if given."""
    if config.preset == "guillou":
        return guillou(steps)
    speeds = [config.discriminative ** (index - 2) for index in range(3)] + [config.embedding_rate]
    rates = {group: learning_rate * speed for group, speed in zip(GROUPS, speeds, strict=True)}
    momentum = partial(one_cycle_momentum, warmup=_cycle(config)) if config.schedule == "one-cycle" else None
    shares = (config.embeddings_first, config.unfreezing / 2, config.unfreezing / 2)
    result, left = [], steps
    for share, name, count in zip(shares, ("embeddings", "top third too", "middle third too"), (1, 2, 3), strict=True):
        length = min(round(share * steps), left - 1)
        if length > 0:
            learning = {group: rates[group] for group in GROUPS[-count:]}
            result.append(Phase(name, length, learning, partial(plateau, warmup=0.1, decay=0.0)))
            left -= length
    last = Phase("everything", left, rates, shape_of(config), momentum)
    return with_long_end((*result, last), config.long_share, longest)


def with_long_end(plan: Sequence[Phase], share: float, longest: int) -> tuple[Phase, ...]:
    """`plan` whose last phase ends in sequences of `longest` tokens: for a `share` of all steps, at the same rates."""
    *others, last = plan
    long = min(round(share * sum(phase.steps for phase in plan)), last.steps - 1) if longest else 0
    if long < 1:
        return tuple(plan)
    short = last.steps - long
    return (*others, _part(last, 0, short), _part(replace(last, name="long", length=longest), short, long))


def _part(phase: Phase, begin: int, steps: int) -> Phase:
    """`steps` of `phase` from its step `begin` on, with the rates that they have in it."""
    momentum = phase.momentum and part_of(phase.momentum, begin, phase.steps)
    return replace(phase, steps=steps, shape=part_of(phase.shape, begin, phase.steps), momentum=momentum)


def part_of(shape: Shape, begin: int, steps: int) -> Shape:
    """A part of `shape` over all of `steps`, from step `begin` on."""
    return lambda step, _: shape(begin + step, steps)


def guillou(steps: int) -> tuple[Phase, ...]:
    """The card's five epochs: embeddings at 2e-3, then + top third 1e-3, + middle 5e-4, and two with all at 1e-4.

    Each phase is one cycle, also the last one of two epochs. Within a phase the groups' rates are spread geometrically
    over slice(rate / 2.6^4, rate), lowest blocks slowest. Raises ConfigError for fewer than five steps.
    """
    if steps < 5:
        raise ConfigError(f"The preset guillou has five epochs; {steps} steps cannot hold them. Give at least 5 steps.")
    spread = {group: 2.6 ** (-4 * (3 - i) / 3) for i, group in enumerate(GROUPS)}
    result = []
    for first, last, rate, learning in ((0, 1, 2e-3, 1), (1, 2, 1e-3, 2), (2, 3, 5e-4, 3), (3, 5, 1e-4, 4)):
        length = round(steps * last / 5) - round(steps * first / 5)
        rates = {group: rate * spread[group] for group in GROUPS[-learning:]}
        name = f"epoch {last}" if last - first == 1 else f"epochs {first + 1}-{last}"
        result.append(Phase(name, length, rates, one_cycle, one_cycle_momentum))
    return tuple(result)


def _there_and_back(step: int, steps: int, warmup: float, *, first: float, peak: float, last: float) -> float:
    place = step / max(1, steps - 1)
    if place < warmup or warmup == 1:
        return _between(first, peak, place / warmup)
    return _between(peak, last, (place - warmup) / (1 - warmup))


def _between(start: float, end: float, place: float) -> float:
    """From `start` to `end` along half a cosine."""
    return start + (end - start) * (1 - math.cos(math.pi * place)) / 2
