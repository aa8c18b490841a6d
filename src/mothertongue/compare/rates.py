"""Rates chosen by trying them: a few short trainings, each annealed to zero as the real one will be.

A loss curve at a growing rate (train/finder.py) sees one step ahead; a rate that is good for a whole training shows in
a short whole training. The search walks along the body's rate while that helps, then along the embeddings' multiple,
then tries the other optimizers, each for as many steps as the same arithmetic buys; its cost is known and is counted.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.run.disk import write_json
from mothertongue.run.manifest import PROGRESS
from mothertongue.train.config import TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.loop import fit, phase_flop
from mothertongue.train.schedule import Phase, phases

STRIDE = 2.5  # from one rate to the next
GUILLOU_PEAK = 2e-3
Score = Callable[[PreTrainedModel], float]


@dataclass(frozen=True)
class Rates:
    """What a probe varies: the body's peak rate, the embeddings' as a multiple of it, who makes steps of them."""

    learning_rate: float
    embedding_rate: float = 1.0
    optimizer: str = "adamw"


@dataclass(frozen=True)
class Tried:
    """A probe: its rates, the bits per byte it reached (inf if it broke), and its arithmetic (0 if it broke)."""

    rates: Rates
    bits_per_byte: float
    tflop: float = 0.0


def search(
    run: Callable[[Rates], float],
    start: Rates,
    *,
    tries: int,
    embeddings: bool = True,
    optimizers: Sequence[str] = (),
) -> Rates:
    """The best of at most `tries` rates, by what `run` gives (lower is better); no rates are run twice.

    Then each of the other `optimizers` is tried, at the same rate and one stride away: Muon's is the higher one where
    weights are random, and the same where they are not (docs/why/LOG.md, 2026-11-22).
    Without `embeddings` only the body's rate is looked for.

    >>> best = search(lambda rates: abs(math.log(rates.learning_rate / 0.012)), Rates(0.002), tries=5)
    >>> round(best.learning_rate, 4)
    0.0125
    """
    scores: dict[Rates, float] = {}

    def score(rates: Rates) -> float:
        if rates not in scores and len(scores) < tries:
            scores[rates] = run(rates)
        return scores.get(rates, math.inf)

    best = start
    score(best)
    for direction in _directions(embeddings):
        while score(further := direction(best)) < score(best):
            best = further
    others = [rates for optimizer in optimizers for rates in _made_by(optimizer, best)]
    return min((best, *others), key=lambda rates: scores[rates] if rates in scores else run(rates))


def _directions(embeddings: bool) -> Iterator[Callable[[Rates], Rates]]:
    """Up, and down (where up has helped, down is a step back and costs nothing); body first, then embeddings."""
    for change in (_body, _embeddings) if embeddings else (_body,):
        for factor in (STRIDE, 1 / STRIDE):
            yield partial(change, factor=factor)


def _body(rates: Rates, factor: float) -> Rates:
    return replace(rates, learning_rate=min(1.0, _round(rates.learning_rate * factor)))


def _embeddings(rates: Rates, factor: float) -> Rates:
    return replace(rates, embedding_rate=min(100.0, max(0.01, _round(rates.embedding_rate * factor))))


def _made_by(optimizer: str, rates: Rates) -> tuple[Rates, ...]:
    """`rates` for another optimizer; nothing for the same one."""
    if optimizer == rates.optimizer:
        return ()
    same = replace(rates, optimizer=optimizer)
    return same, _body(same, STRIDE if optimizer == "muon" else 1 / STRIDE)


def _round(value: float) -> float:
    return float(f"{value:.4g}")  # so that up and down again is the same rate


def rates_of(config: TrainConfig) -> Rates:
    """The rates that `config` has."""
    return Rates(config.learning_rate, config.embedding_rate, config.optimizer)


def with_rates(config: TrainConfig, rates: Rates) -> TrainConfig:
    """`config` with these rates."""
    return replace(config, **asdict(rates))


def plan_of(config: TrainConfig) -> tuple[Phase, ...]:
    """The phases of a training of `config.steps` steps; Guillou's at his own rates times learning_rate / 2e-3."""
    plan = phases(config, config.steps, config.learning_rate)
    if config.preset != "guillou":
        return plan
    factor = config.learning_rate / GUILLOU_PEAK
    return tuple(replace(phase, rates={group: rate * factor for group, rate in phase.rates.items()}) for phase in plan)


def find_rates(
    fresh: Callable[[], PreTrainedModel],
    windows: Windows,
    config: TrainConfig,
    score: Score,
    folder: Path,
    *,
    tries: int,
    optimizers: Sequence[str] = (),
) -> tuple[Tried, ...]:
    """Trainings on models that `fresh` gives, each as long as `config.steps` at its own rates; the best one first.

    The search begins at the rates of `config`. What has been tried is not tried again after a kill.
    """
    tried: dict[Rates, Tried] = {}

    def run(rates: Rates) -> float:
        place = folder / f"try-{len(tried) + 1}"
        tried[rates] = _known(place, rates) or _try(fresh(), windows, config, rates, score, place)
        return tried[rates].bits_per_byte

    embeddings = config.preset != "guillou"  # it has rates of its own for all groups
    best = search(run, rates_of(config), tries=tries, embeddings=embeddings, optimizers=optimizers)
    return (tried[best], *(found for rates, found in tried.items() if rates != best))


def _try(
    model: PreTrainedModel, windows: Windows, begun: TrainConfig, rates: Rates, score: Score, place: Path
) -> Tried:
    place.mkdir(parents=True, exist_ok=True)
    config = _as_long(begun, with_rates(begun, rates), model, windows.length)
    try:
        fitted = fit(model, windows, plan_of(config), config, place, name=f"probe at {config.learning_rate:g}")
        found, tflop = score(model), fitted.tflop
    except CheckpointError:  # so high a rate that the weights broke: an answer as well
        found, tflop = math.inf, 0.0
    tried = Tried(rates, found if math.isfinite(found) else math.inf, tflop)
    write_json(place / "tried.json", asdict(tried))
    shutil.rmtree(place / PROGRESS, ignore_errors=True)
    return tried


def _as_long(begun: TrainConfig, config: TrainConfig, model: PreTrainedModel, length: int) -> TrainConfig:
    """`config` with as many steps as cost what those of `begun` do."""
    own, other = (phase_flop(each, model, length)(plan_of(each)[-1]) for each in (begun, config))
    return replace(config, steps=max(1, round(begun.steps * own / other)))


def _known(place: Path, rates: Rates) -> Tried | None:
    file = place / "tried.json"
    if not file.is_file():
        return None
    tried = tried_from(json.loads(file.read_text("utf-8")))
    return tried if tried.rates == rates else None


def tried_from(kept: Mapping[str, Any]) -> Tried:
    """A probe as it was written down."""
    return Tried(Rates(**kept["rates"]), kept["bits_per_byte"], kept["tflop"])
