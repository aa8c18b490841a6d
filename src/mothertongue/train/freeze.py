"""Parameter groups: embeddings and the thirds of the blocks, each split by whether weight decay applies."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy
from mothertongue.train.schedule import GROUPS, third_of


def group_parameters(model: PreTrainedModel) -> dict[str, list[nn.Parameter]]:
    """Group name (schedule.GROUPS) -> its parameters, each parameter of the model once."""
    blocks = anatomy(model).blocks
    groups: dict[str, list[nn.Parameter]] = {group: [] for group in GROUPS}
    seen: set[int] = set()
    for index, block in enumerate(blocks):
        groups[third_of(index, len(blocks))].extend(block.parameters())
        seen.update(id(parameter) for parameter in block.parameters())
    groups["embeddings"] = [parameter for parameter in model.parameters() if id(parameter) not in seen]
    return groups


def optimizer_groups(groups: dict[str, list[nn.Parameter]], weight_decay: float) -> list[dict[str, Any]]:
    """Groups for torch's optimizers; vectors (biases, norms) are never decayed."""
    result: list[dict[str, Any]] = []
    for name, parameters in groups.items():
        matrices = [parameter for parameter in parameters if parameter.ndim >= 2]
        vectors = [parameter for parameter in parameters if parameter.ndim < 2]
        result += [{"params": matrices, "name": name, "weight_decay": weight_decay}] if matrices else []
        result += [{"params": vectors, "name": name, "weight_decay": 0.0}] if vectors else []
    return result


def unfreeze(groups: dict[str, list[nn.Parameter]], learning: Collection[str]) -> None:
    """Let only the groups in `learning` learn; the others have no gradients at all."""
    for name, parameters in groups.items():
        for parameter in parameters:
            parameter.requires_grad_(name in learning)
            if name not in learning:
                parameter.grad = None
