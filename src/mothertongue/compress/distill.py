"""Learning from the predecessor: its predictions, its hidden states behind each group, each group's output for itself.

Predictions: Hinton et al. 2015 (arXiv 1503.02531) at temperature 1. Hidden states: as in TinyBERT (Jiao et al. 2020,
arXiv 1909.10351), without a projection, for the widths are equal.
"""
# Axes: B batch, T tokens, N = B*T, D hidden, V vocabulary

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.compress.cost import phase_flop
from mothertongue.compress.hooks import calls, outputs
from mothertongue.compress.methods import Lesson, Material
from mothertongue.compress.schedule import phases
from mothertongue.model.anatomy import anatomy
from mothertongue.model.loss import Teacher, cross_entropy, hidden_and_labels, next_token_loss
from mothertongue.train.learner import Loss

if TYPE_CHECKING:
    from mothertongue.compress.spelling import Spelling
    from mothertongue.compress.theseus import ReplaceableModule


def distill(material: Material) -> Callable[[int], Lesson]:
    """Train the successor alone on the text, the predecessor's predictions and its hidden states."""
    config, flop = material.config, phase_flop(material)
    loss = teaching(material)

    def lesson(steps: int) -> Lesson:
        turns = Turns(config.local_steps(steps), local_loss(material.predecessor, material.modules), loss)
        return Lesson(phases(config, steps, material.longest), turns.loss, flop, turns.begin)

    return lesson


class Turns:
    """One loss for the first steps, another one for the rest."""

    def __init__(self, steps: int, first: Loss, rest: Loss) -> None:
        self.steps, self.first, self.rest = steps, first, rest

    def begin(self, step: int) -> None:
        """Before each step."""
        self.now = self.first if step < self.steps else self.rest

    def loss(self, model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
        """The loss whose turn it is."""
        return self.now(model, tokens_BT)


def teaching(material: Material) -> Loss:
    """The loss that the settings ask for."""
    config = material.config
    asked = (config.teacher_share, config.hidden_weight, material.modules)
    return distillation_loss(material.teacher, *asked, spelling=material.spelling)


def distillation_loss(
    predecessor: PreTrainedModel,
    share: float,
    hidden: float = 0.0,
    modules: Sequence[ReplaceableModule] = (),
    *,
    spelling: Spelling | None = None,
) -> Loss:
    """Mean cross-entropy in nats against (1 - share) * text + share * the predecessor's distribution; share 0-1.

    As a function of the successor it differs from share * KL + (1 - share) * cross-entropy by a constant only. To it
    `hidden` times the distance of hidden states behind the `modules` is added. With a `spelling` the predecessor has
    more tokens than the successor, and teaches where one of them ends; elsewhere the text alone does.
    """
    if not share and not hidden:
        return next_token_loss
    head_VD = anatomy(predecessor).head.weight
    borders = [module.predecessors[-1] for module in modules]

    def loss(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
        read_BT, ends_BT = spelling.join(tokens_BT[:, :-1]) if spelling else (tokens_BT[:, :-1], None)
        with torch.no_grad(), outputs(borders) as wanted:
            teacher_BTD = predecessor.base_model(input_ids=read_BT, use_cache=False).last_hidden_state
        with outputs(modules) as found:
            hidden_ND, labels_N = hidden_and_labels(model, tokens_BT)
        weight: float | Tensor = share
        if spelling and ends_BT is not None:
            rows_B1 = torch.arange(len(ends_BT), device=ends_BT.device)[:, None]
            taught_BT = ends_BT >= 0
            found, wanted = [one[taught_BT] for one in found], [one[rows_B1, ends_BT][taught_BT] for one in wanted]
            teacher_BTD, weight = teacher_BTD[rows_B1, ends_BT], share * taught_BT.flatten().to(hidden_ND.dtype)
        as_ours = spelling.first_pieces if spelling else None
        teacher = Teacher(teacher_BTD.flatten(0, 1), head_VD, weight, as_ours) if share else None
        total = cross_entropy(hidden_ND, anatomy(model).head, labels_N, teacher)
        return total + hidden * _mean_distance(found, wanted) if hidden else total

    return loss


def local_loss(predecessor: PreTrainedModel, modules: Sequence[ReplaceableModule]) -> Loss:
    """How far each layer is from its group's output when it gets the input that the group got, on the mean."""
    first, last = [m.predecessors[0] for m in modules], [m.predecessors[-1] for m in modules]

    def loss(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
        with torch.no_grad(), calls(first) as begun, outputs(last) as wanted:
            predecessor.base_model(input_ids=tokens_BT[:, :-1], use_cache=False)
        for module in modules:
            module.replaced = True
        # the module itself is called: FSDP gathers its weights for the call
        found = [call.of(module) for module, call in zip(modules, begun, strict=True)]
        return _mean_distance(found, wanted)

    return loss


def _mean_distance(found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Tensor:
    """Squared error as a share of the variance over all tokens, so that every border weighs the same."""
    shares = []
    for ours, theirs in zip(found, wanted, strict=True):  # [.., D]
        spread = (theirs - theirs.flatten(0, -2).mean(dim=0)).square().mean()
        shares.append((ours - theirs).square().mean() / spread.clamp(min=1e-12))
    return torch.stack(shares).mean()
