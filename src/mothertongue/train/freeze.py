"""Parameter groups (model/anatomy.py): embeddings and the thirds of the blocks; a frozen one has no gradients."""

from __future__ import annotations

from collections.abc import Collection

from torch import nn
from transformers import PreTrainedModel

from mothertongue.model.anatomy import GROUPS, anatomy, third_of


def group_parameters(model: PreTrainedModel) -> dict[str, list[nn.Parameter]]:
    """Group name (anatomy.GROUPS) -> its parameters, each parameter of the model once."""
    blocks = anatomy(model).blocks
    thirds = {id(weight): third_of(n, len(blocks)) for n, block in enumerate(blocks) for weight in block.parameters()}
    groups: dict[str, list[nn.Parameter]] = {group: [] for group in GROUPS}
    for weight in model.parameters():
        groups[thirds.get(id(weight), "embeddings")].append(weight)
    return groups


def unfreeze(groups: dict[str, list[nn.Parameter]], learning: Collection[str]) -> None:
    """Let only the groups in `learning` learn; the others have no gradients at all."""
    for name, parameters in groups.items():
        for parameter in parameters:
            parameter.requires_grad_(name in learning)
            if name not in learning:
                parameter.grad = None
