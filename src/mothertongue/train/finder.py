"""Learning-rate finder (Smith 2017, arXiv 1506.01186): train a copy at a growing rate until the loss gets worse.

The suggestion is the rate at the steepest fall of the smoothed loss, but at most a tenth of the highest rate at which
the loss is as low as anywhere. One batch is harder than another by more than a step can change, so each loss is
compared with the untrained model's on the same batch; without that, rates found for a trained model are noise.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import GROUPS
from mothertongue.model.distributed import mean_of_all
from mothertongue.model.loss import next_token_loss
from mothertongue.model.products import fast_products
from mothertongue.model.score import evaluating
from mothertongue.run.progress import track
from mothertongue.run.team import rank, world
from mothertongue.train.config import LoopConfig
from mothertongue.train.data import Windows
from mothertongue.train.learner import Learner
from mothertongue.train.schedule import Phase

SMOOTHING = 0.8  # share of the old value in the running mean of the loss


@dataclass(frozen=True)
class Found:
    """Rates that were tried, the smoothed loss at each (nats per token), and the suggestion."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    learning_rate: float


def find_learning_rate(
    model: PreTrainedModel,
    windows: Windows,
    config: LoopConfig,
    *,
    steps: int = 60,
    lowest: float = 1e-6,
    highest: float = 0.3,
) -> Found:
    """Probe `steps` rates from `lowest` to `highest` on a copy of `model`, with the optimizer and batch of `config`.

    Changes neither the model nor the random state, and the same model and windows give the same rate. Raises
    CheckpointError if the loss is no number from the start.
    """
    probe = Learner(copy.deepcopy(model), replace(config, weight_decay=0.0, gradient_clip=0.0, average=0.0))
    probe.begin()
    rates: list[float] = []
    before: list[float] = []  # the untrained model's loss on each batch
    gains: list[float] = []  # running mean of what training has changed
    change = 0.0
    with torch.random.fork_rng(), fast_products(probe.model), track("finding the learning rate", total=steps) as bar:
        torch.manual_seed(windows.seed)
        for step in range(steps):
            rate = lowest * (highest / lowest) ** (step / max(1, steps - 1))
            tokens_BT = windows.batch(step, config.batch_size)[rank() :: world()].to(model.device)
            with evaluating(model):
                untrained = mean_of_all(next_token_loss(model, tokens_BT))[0]
            probe.set_rates(Phase("probe", steps, dict.fromkeys(GROUPS, rate), lambda step, steps: 1.0), step)
            loss, _ = probe.gradients(next_token_loss, tokens_BT)
            probe.step(step + 1)
            if not math.isfinite(loss):
                break
            change = SMOOTHING * change + (1 - SMOOTHING) * (loss - untrained)
            rates.append(rate)
            before.append(untrained)
            gains.append(change / (1 - SMOOTHING ** (step + 1)))
            bar.advance(note=f"rate {rate:.1e}, loss {loss:.2f}")
            if gains[-1] > min(gains) + 0.5 * untrained:
                break
    if not rates:
        raise CheckpointError(f"The model's loss is {loss} before any training: its weights are damaged. Restore it.")
    level = sum(before) / len(before)
    losses = [level + gain for gain in gains]
    return Found(tuple(rates), tuple(losses), suggest_rate(rates, losses))


def suggest_rate(rates: Sequence[float], losses: Sequence[float]) -> float:
    """The rate of steepest fall per log-rate, at most a tenth of the highest rate with (within 1 %) the lowest loss.

    The fall is measured over a tenth of the tries. Where the loss falls by less than 1 % in all, nothing is to be seen
    in its slope, and the second rate alone counts.

    >>> suggest_rate([1e-5, 1e-4, 1e-3, 1e-2, 1e-1], [9.0, 8.9, 7.0, 6.0, 8.0])
    0.001
    """
    lowest, slack = min(losses), 0.01 * losses[0]
    safe = max(i for i, loss in enumerate(losses) if loss <= lowest + slack)
    if losses[0] - lowest <= slack:
        return rates[safe] / 10
    reach = max(1, len(losses) // 10)
    steepest = min(range(reach, safe + 1), key=lambda i: losses[i] - losses[i - reach], default=safe)
    return min(rates[steepest - reach // 2], rates[safe] / 10)


def draw_finder(found: Found, file: Path) -> None:
    """The picture of the search: loss against rate, the suggestion marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="learning rate", ylabel="loss (nats per token, smoothed)")
    axes.plot(found.rates, found.losses, color="#1f4e79")
    axes.axvline(found.learning_rate, color="#b5541c", linestyle="--", label=f"suggested {found.learning_rate:.1e}")
    axes.legend(frameon=False)
    figure.savefig(file, dpi=150)
