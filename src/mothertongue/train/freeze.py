"""Parameter groups: embeddings and the thirds of the blocks, each split by whether weight decay applies."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from torch import nn
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy


def group_parameters(model: PreTrainedModel) -> dict[str, list[nn.Parameter]]:
    """Group name (schedule.GROUPS) -> its parameters, each parameter once; parameters that nobody may train are left out."""
    parts = anatomy(model)
    count = len(parts.blocks)
    groups: dict[str, list[nn.Parameter]] = {"bottom": [], "middle": [], "top": [], "embeddings": []}
    seen: set[int] = set()
    for index, block in enumerate(parts.blocks):
        name = ("bottom", "middle", "top")[index * 3 // count]
        groups[name].extend(block.parameters())
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
