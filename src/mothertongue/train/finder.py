"""Learning-rate finder (Smith 2017, arXiv 1506.01186): a short training on a copy whose rate grows until the loss gets worse.

The suggestion is the rate at the steepest fall of the smoothed loss, but never above a tenth of where the loss was lowest.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import PreTrainedModel

from mothertongue.run.progress import track
from mothertongue.train.data import Windows
from mothertongue.train.freeze import group_parameters, optimizer_groups
from mothertongue.train.loss import next_token_loss


@dataclass(frozen=True)
class Found:
    """Rates that were tried, the smoothed loss at each (nats per token), and the suggestion."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    learning_rate: float


def find_learning_rate(
    model: PreTrainedModel, windows: Windows, *, batch_size: int, steps: int = 60, lowest: float = 1e-6, highest: float = 0.3
) -> Found:
    """Probe `steps` rates from `lowest` to `highest` on a copy of `model`; the model itself is not changed."""
    probe = copy.deepcopy(model).train()
    optimizer = torch.optim.AdamW(optimizer_groups(group_parameters(probe), 0.0), fused=True)
    rates: list[float] = []
    losses: list[float] = []
    smooth, best = 0.0, math.inf
    with track("finding the learning rate", total=steps) as bar:
        for step in range(steps):
            rate = lowest * (highest / lowest) ** (step / (steps - 1))
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = next_token_loss(probe, windows.batch(step, batch_size).to(probe.device))
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            smooth = 0.8 * smooth + 0.2 * loss.item()
            rates.append(rate)
            losses.append(smooth / (1 - 0.8 ** (step + 1)))
            best = min(best, losses[-1])
            bar.advance(note=f"rate {rate:.1e}, loss {losses[-1]:.2f}")
            if not math.isfinite(smooth) or losses[-1] > 1.5 * best:
                break
    return Found(tuple(rates), tuple(losses), suggest_rate(rates, losses))


def suggest_rate(rates: list[float], losses: list[float]) -> float:
    """The rate of steepest fall per log-rate, at most a tenth of the rate with the lowest loss.

    >>> suggest_rate([1e-5, 1e-4, 1e-3, 1e-2, 1e-1], [9.0, 8.9, 7.0, 6.0, 8.0])
    0.001
    """
    lowest = min(range(len(losses)), key=losses.__getitem__)
    falls = [losses[i] - losses[i - 1] for i in range(1, max(2, lowest + 1))]
    steepest = 1 + min(range(len(falls)), key=falls.__getitem__)
    return min(rates[steepest], rates[lowest] / 10)


def draw_finder(found: Found, file: Path) -> None:
    """The picture of the search: loss against rate, the suggestion marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.add_subplot(xscale="log", xlabel="learning rate", ylabel="loss (nats per token, smoothed)")
    axes.plot(found.rates, found.losses, color="#1f4e79")
    axes.axvline(found.learning_rate, color="#b5541c", linestyle="--", label=f"suggested {found.learning_rate:.1e}")
    axes.legend(frameon=False)
    figure.savefig(file, dpi=150)
