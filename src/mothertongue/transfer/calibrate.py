"""Let the start predict how frequent the new language's tokens are: in closed form, without training.

Seek the direction d along which the final hidden states h of a model differ least: h·d = 1 for all of them, in ridge
regression, d ~ (E[h hᵀ] + r I)⁻¹ E[h]. With a large r it is the mean hidden state itself. Moving every row w along it,

    w  <-  w + (log p - log q + c) d        p: share of the token in the target text, q: what the model predicts

adds log p - log q to the token's logit whatever the context. First q is the softmax at the mean hidden state, then, in
a few more rounds, the average prediction over real contexts (a tied head is the embedding too, so new rows move h).
c changes no prediction; it is chosen so that the rows of frequent tokens move least. Where the head has a bias, the
bias takes the whole correction and no row changes.

Now the start is right on average, but in each context it still says what the source language would say there. Where
that makes it worse than the unigram distribution itself, what sets a state apart from the mean state is made smaller by
one number in the final norm, no more than that takes; near 0 only the unigram is left.
"""

# Axes: B windows, T tokens, N positions, P some of them, V vocabulary, D hidden

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy

LOGITS_AT_ONCE = 1 << 24  # floats
WINDOWS_AT_ONCE = 4
PROMISED = 1e-4  # nats
CLOSE_ENOUGH = 8e-5  # no more rounds then
ROUNDS = 30
CONTEXT_POSITIONS = 512  # on which the share of the context is found
BELOW_LINE = 0.99  # of its loss: other text than that of the calibration is a little harder
SHARES = tuple(share / 20 for share in range(20, 0, -1))
LEAST_WITHOUT_BIAS = 0.5  # all of the state shrinks then, and rows must grow to predict the same: not too much
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
    loss_unigram: float  # of the unigram distribution itself on the same tokens
    context: float  # the share that is left of what sets a context apart
    rounds: int


def unigram(counts_V: Tensor) -> Tensor:
    """Shares [V] of the tokens, float64, each token counted half a time more so that none is impossible."""
    smoothed_V = counts_V.double() + 0.5
    return smoothed_V / smoothed_V.sum()


@torch.no_grad()
def calibrate(model: PreTrainedModel, input_ids_BT: Tensor, unigram_V: Tensor, *, rounds: int = ROUNDS) -> Calibration:
    """Change `model` so that its average prediction over `input_ids_BT` is `unigram_V`, and its loss not above that of
    the unigram distribution.

    Of at most `rounds` the nearest to it stays; if that has a higher loss than the start, the one with the lowest loss.
    """
    line = -float(unigram_V[input_ids_BT[:, 1:]].log().mean())
    first = _fit(model, input_ids_BT, unigram_V, rounds)
    best, done, share = first.best, first.rounds, 1.0
    if best.loss > BELOW_LINE * line:
        hidden_ND = final_hidden(model, input_ids_BT)
        share = best_share(hidden_ND, anatomy(model).head, input_ids_BT, unigram_V, lower=BELOW_LINE * line / best.loss)
        if getattr(anatomy(model).norm, "bias", None) is None:
            share = max(share, LEAST_WITHOUT_BIAS)
        changed = [_adjusted(model), *anatomy(model).norm.parameters()]
        before = [tensor.clone() for tensor in changed]
        damp_context(anatomy(model).norm, hidden_ND.mean(dim=0), share)
        second = _fit(model, input_ids_BT, unigram_V, rounds)
        as_near = divergence(unigram_V, second.best.average) <= max(PROMISED, divergence(unigram_V, best.average))
        if second.best.loss < best.loss and as_near:
            best, done = second.best, done + second.rounds
        else:
            for tensor, old in zip(changed, before, strict=True):
                tensor.copy_(old)
            share = 1.0
    before_after = [divergence(unigram_V, each.average) for each in (first.start, best)]
    return Calibration(before_after[0], before_after[1], first.start.loss, best.loss, line, share, done)


@dataclass(frozen=True)
class Fit:
    """What was predicted at the start and at the best of so many rounds; the model is left at that."""

    start: Prediction
    best: Prediction
    rounds: int


def _adjusted(model: PreTrainedModel) -> Tensor:
    """What takes the correction: the head's bias, or its rows where it has none."""
    head = anatomy(model).head
    return head.weight if head.bias is None else head.bias


def _fit(model: PreTrainedModel, input_ids_BT: Tensor, unigram_V: Tensor, rounds: int) -> Fit:
    head, tied = anatomy(model).head, anatomy(model).tied
    adjusted = _adjusted(model)
    hidden_ND = final_hidden(model, input_ids_BT)
    start = predict(hidden_ND, head, input_ids_BT)
    now, best, state = start, start, adjusted.clone()
    for number in range(rounds):
        if divergence(unigram_V, now.average) < CLOSE_ENOUGH:
            rounds = number
            break
        # far from the goal the average is ruled by a few contexts that are sure of one token: begin at the mean state
        begin_V = torch.softmax(head(hidden_ND.mean(dim=0)), dim=0).double()
        change_V = logit_change(unigram_V, now.average if number else begin_V)
        adjusted.add_(change_V if adjusted.ndim == 1 else torch.outer(change_V, steady_direction(hidden_ND)))
        hidden_ND = final_hidden(model, input_ids_BT) if tied else hidden_ND
        now = predict(hidden_ND, head, input_ids_BT)
        if _is_better(now, best, start, unigram_V):
            best, state = now, adjusted.clone()
    adjusted.copy_(state)
    return Fit(start, best, rounds)


def _is_better(new: Prediction, old: Prediction, start: Prediction, unigram_V: Tensor) -> bool:
    """Nearer to the unigram distribution; but what has a higher loss than the start is judged by its loss."""
    sound_new, sound_old = new.loss <= start.loss, old is not start and old.loss <= start.loss
    if sound_new and sound_old:
        return divergence(unigram_V, new.average) < divergence(unigram_V, old.average)
    return sound_new or (not sound_old and new.loss < old.loss)


def best_share(hidden_ND: Tensor, head: nn.Linear, input_ids_BT: Tensor, unigram_V: Tensor, *, lower: float) -> float:
    """The largest share (0-1) of what sets a state apart from the mean state with which the loss on some positions is
    `lower` (below 1) times what it is with all of it; if none is, the one with the lowest loss.

    More is not taken away: a start that is lower still has lost what training can use. At each share the logits are
    corrected so that the average prediction stays the unigram distribution.
    """
    positions_P = torch.linspace(0, len(hidden_ND) - 1, min(CONTEXT_POSITIONS, len(hidden_ND))).long()
    labels_P = input_ids_BT[:, 1:].flatten()[positions_P]
    mean_D = hidden_ND.mean(dim=0)
    apart_PV = (hidden_ND[positions_P] - mean_D) @ head.weight.T
    common_V = head(mean_D)
    losses: list[float] = []
    for share in SHARES:
        if losses and losses[-1] <= lower * losses[0]:
            break
        logits_PV = torch.add(common_V, apart_PV, alpha=share)
        for _ in range(2):
            logits_PV += logit_change(unigram_V, torch.softmax(logits_PV, dim=1).mean(dim=0).double())
        losses.append(float(torch.nn.functional.cross_entropy(logits_PV, labels_P)))
    return SHARES[losses.index(min(losses))]


def damp_context(norm: nn.Module, mean_D: Tensor, share: float) -> None:
    """Leave `share` of what sets the states after `norm` apart from `mean_D`; a norm without a bias shrinks all."""
    weight, bias = cast(Tensor, norm.weight), cast("Tensor | None", getattr(norm, "bias", None))
    weight.mul_(share)
    if bias is not None:
        bias.mul_(share).add_((1 - share) * mean_D)


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
