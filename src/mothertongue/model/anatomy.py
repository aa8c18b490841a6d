"""Where a decoder keeps its parts: embeddings, blocks, final norm, head. The one place that knows names of model families.

A new family is one more entry in FAMILIES; everything else (transfer, freezing, compression) asks the Anatomy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from torch import nn
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError


@dataclass(frozen=True)
class Family:
    """Attribute paths of one model family, from the language-model class."""

    embeddings: str
    blocks: str
    norm: str
    positions: str | None = None


GPT2 = Family("transformer.wte", "transformer.h", "transformer.ln_f", positions="transformer.wpe")
LLAMA = Family("model.embed_tokens", "model.layers", "model.norm")
FAMILIES: dict[str, Family] = {"gpt2": GPT2, **dict.fromkeys(("llama", "mistral", "qwen2", "qwen3", "smollm3"), LLAMA)}


@dataclass(frozen=True)
class Anatomy:
    """The parts of one model; the modules are the model's own, not copies."""

    family: str  # "gpt2" or "llama": the family whose layout it has
    embeddings: nn.Embedding
    positions: nn.Embedding | None  # None for rotary positions
    blocks: nn.ModuleList
    norm: nn.Module
    head: nn.Linear
    tied: bool  # head and embeddings are one matrix
    hidden_size: int
    context: int  # longest input in tokens


def anatomy(model: PreTrainedModel) -> Anatomy:
    """The parts of `model`; CheckpointError names the families that are known."""
    kind = model.config.model_type
    if kind not in FAMILIES:
        raise CheckpointError(
            f'The model type "{kind}" is not known here. Known: {", ".join(sorted(FAMILIES))}. A new family is one entry in model/anatomy.py.'
        )
    family = FAMILIES[kind]
    embeddings = cast(nn.Embedding, model.get_submodule(family.embeddings))
    head = cast(nn.Linear, model.get_output_embeddings())
    return Anatomy(
        family="gpt2" if family is GPT2 else "llama",
        embeddings=embeddings,
        positions=cast(nn.Embedding, model.get_submodule(family.positions)) if family.positions else None,
        blocks=cast(nn.ModuleList, model.get_submodule(family.blocks)),
        norm=model.get_submodule(family.norm),
        head=head,
        tied=head.weight is embeddings.weight,
        hidden_size=model.config.hidden_size,
        context=model.config.max_position_embeddings,
    )


def set_layers(model: PreTrainedModel, blocks: list[nn.Module]) -> None:
    """Give `model` these blocks in this order, and make its configuration and cache indices agree with them."""
    family = FAMILIES[model.config.model_type]
    owner, _, name = family.blocks.rpartition(".")
    setattr(model.get_submodule(owner), name, nn.ModuleList(blocks))
    for index, block in enumerate(blocks):
        for module in block.modules():
            if hasattr(module, "layer_idx"):
                module.layer_idx = index
    model.config.num_hidden_layers = len(blocks)
    if getattr(model.config, "layer_types", None):
        model.config.layer_types = model.config.layer_types[: len(blocks)]
