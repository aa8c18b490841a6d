"""Let the start predict how frequent the new language's tokens are: in closed form, without training.

Seek the direction d along which the final hidden states h of a model differ least: h·d = 1 for all of them, in ridge
regression, d ~ (E[h hᵀ] + r I)⁻¹ E[h]. With a large r it is the mean hidden state itself. Moving every row w along it,

    w  <-  w + (log p - log q + c) d        p: share of the token in the target text, q: what the model predicts

adds log p - log q to the token's logit whatever the context. First q is the softmax at the mean hidden state, then, in
a few more rounds, the average prediction over real contexts (a tied head is the embedding too, so new rows move h).
c changes no prediction; it is chosen so that the rows of frequent tokens move least. Where the head has a bias, the
bias takes the whole correction and no row changes. docs/why/transfer.md compares d with the plain mean.
"""

# Axes: B windows, T tokens, N positions, V vocabulary, D hidden

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy

LOGITS_AT_ONCE = 1 << 24  # floats
WINDOWS_AT_ONCE = 4
CLOSE_ENOUGH = 2e-5  # nats
ROUNDS = 8
RIDGE = 1.0  # r, as a multiple of the mean square of a hidden state's component


@dataclass(frozen=True)
class Prediction:
    """What a model predicts over some windows: average probabilities [V], float64, and its loss in nats per token."""

    average: Tensor
    loss: float


@dataclass(frozen=True)
class Calibration:
    """Nats of divergence of the average prediction from the unigram distribution, and nats per token of loss."""

    divergence_before: float
    divergence_after: float
    loss_before: float
    loss_after: float
    rounds: int


def unigram(counts_V: Tensor) -> Tensor:
    """Shares [V] of the tokens, float64, each token counted half a time more so that none is impossible."""
    smoothed_V = counts_V.double() + 0.5
    return smoothed_V / smoothed_V.sum()


@torch.no_grad()
def calibrate(model: PreTrainedModel, input_ids_BT: Tensor, unigram_V: Tensor, *, rounds: int = ROUNDS) -> Calibration:
    """Change `model` so that its average prediction over `input_ids_BT` is `unigram_V`.

    Of at most `rounds` the nearest to it stays; if that has a higher loss than the start, the one with the lowest loss.
    """
    head, tied = anatomy(model).head, anatomy(model).tied
    adjusted = head.weight if head.bias is None else head.bias
    hidden_ND = final_hidden(model, input_ids_BT)
    history, states = [predict(hidden_ND, head, input_ids_BT)], [adjusted.clone()]
    for number in range(rounds):
        if divergence(unigram_V, history[-1].average) < CLOSE_ENOUGH:
            break
        # far from the goal the average is ruled by a few contexts that are sure of one token: begin at the mean state
        begin_V = torch.softmax(head(hidden_ND.mean(dim=0)), dim=0).double()
        change_V = logit_change(unigram_V, history[-1].average if number else begin_V)
        adjusted.add_(change_V if adjusted.ndim == 1 else torch.outer(change_V, steady_direction(hidden_ND)))
        hidden_ND = final_hidden(model, input_ids_BT) if tied else hidden_ND
        history.append(predict(hidden_ND, head, input_ids_BT))
        states.append(adjusted.clone())
    divergences = [divergence(unigram_V, each.average) for each in history]
    losses = [each.loss for each in history]
    best = min(range(len(history)), key=divergences.__getitem__)
    if losses[best] > losses[0]:
        best = min(range(len(history)), key=losses.__getitem__)
    adjusted.copy_(states[best])
    return Calibration(divergences[0], divergences[best], losses[0], losses[best], rounds=len(history) - 1)


def logit_change(unigram_V: Tensor, predicted_V: Tensor) -> Tensor:
    """What to add to the logits [V], float32, to turn `predicted_V` into `unigram_V`; zero on average in the text."""
    change_V = unigram_V.log() - predicted_V.clamp_min(1e-30).log()
    return (change_V - (unigram_V * change_V).sum()).float()


def steady_direction(hidden_ND: Tensor, *, ridge: float = RIDGE) -> Tensor:
    """The direction d [D] with h·d as near to 1 for every hidden state as ridge regression can make it.

    In a trained model h·d is 0.9 or more; where states have little in common it is smaller, and so are the steps.
    """
    mean_D = hidden_ND.mean(dim=0)
    moments_DD = hidden_ND.T @ hidden_ND / len(hidden_ND)
    moments_DD += ridge * moments_DD.diagonal().mean() * torch.eye(len(mean_D), device=mean_D.device)
    direction_D: Tensor = torch.linalg.solve(moments_DD, mean_D)
    return direction_D


@torch.no_grad()
def final_hidden(model: PreTrainedModel, input_ids_BT: Tensor) -> Tensor:
    """Hidden states [N, D] after the last norm, as the head sees them, of every position that predicts a token."""
    body = cast(Any, model.base_model)
    pieces = [
        body(ids[:, :-1], use_cache=False).last_hidden_state for ids in torch.split(input_ids_BT, WINDOWS_AT_ONCE)
    ]
    return torch.cat(pieces).flatten(0, 1)


@torch.no_grad()
def predict(hidden_ND: Tensor, head: nn.Linear, input_ids_BT: Tensor) -> Prediction:
    """The average prediction from `hidden_ND`, and the loss on the tokens that really follow."""
    labels_N = input_ids_BT[:, 1:].flatten()
    total_V, nats = torch.zeros(len(head.weight), dtype=torch.float64, device=hidden_ND.device), 0.0
    for positions in torch.split(torch.arange(len(labels_N)), max(1, LOGITS_AT_ONCE // len(head.weight))):
        logs_NV = torch.log_softmax(head(hidden_ND[positions]), dim=1)
        nats -= float(logs_NV.gather(1, labels_N[positions, None]).sum())
        total_V += logs_NV.exp_().sum(dim=0)
    return Prediction(total_V / len(labels_N), nats / len(labels_N))


def divergence(unigram_V: Tensor, predicted_V: Tensor) -> float:
    """Kullback-Leibler divergence of `predicted_V` from `unigram_V`, in nats."""
    return float((unigram_V * (unigram_V / predicted_V.clamp_min(1e-30)).log()).sum())
