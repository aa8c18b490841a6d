"""The loss: cross-entropy against the text and against the predecessor's prediction of it.

Hinton et al. 2015, arXiv 1503.02531, at temperature 1.
"""

# Axes: B batch, T tokens, N = B*T, D hidden, V vocabulary

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy
from mothertongue.model.loss import Teacher, cross_entropy, hidden_and_labels, next_token_loss
from mothertongue.train.learner import Loss


def distillation_loss(predecessor: PreTrainedModel, share: float) -> Loss:
    """Mean cross-entropy in nats against (1 - share) * text + share * the predecessor's distribution; share 0-1.

    As a function of the successor it differs from share * KL + (1 - share) * cross-entropy by a constant only.
    """
    if not share:
        return next_token_loss
    head_VD = anatomy(predecessor).head.weight

    def loss(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
        with torch.no_grad():
            teacher_ND, _ = hidden_and_labels(predecessor, tokens_BT)
        hidden_ND, labels_N = hidden_and_labels(model, tokens_BT)
        return cross_entropy(hidden_ND, anatomy(model).head, labels_N, Teacher(teacher_ND, head_VD, share))

    return loss
