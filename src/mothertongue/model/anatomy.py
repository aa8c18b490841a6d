"""Where a decoder keeps its parts: embeddings, blocks, final norm, head.

The one place that knows names of model families: a new family is one more entry in FAMILIES, and everything else
(transfer, freezing, compression) asks the Anatomy.

    parts = anatomy(model)
    parts.blocks[0], parts.embeddings.weight, parts.tied
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
# thirds of the blocks, from the input up; "embeddings" = token and position rows, final norm, head
GROUPS = ("bottom", "middle", "top", "embeddings")
# settings that are a list with one entry per layer
PER_LAYER = ("layer_types", "no_rope_layers")
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
            f'The model type "{kind}" is not known here. Known: {", ".join(sorted(FAMILIES))}. '
            "A new family is one entry in model/anatomy.py."
        )
    family = FAMILIES[kind]
    head = cast("nn.Linear | None", model.get_output_embeddings())  # type: ignore[no-untyped-call]
    if head is None:
        raise CheckpointError(
            f"{type(model).__name__} is no causal language model: it has no head. Open it with AutoModelForCausalLM."
        )
    embeddings = cast(nn.Embedding, model.get_submodule(family.embeddings))
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


def third_of(index: int, count: int) -> str:
    """The group of block `index` of `count`.

    >>> [third_of(i, 12) for i in (0, 3, 4, 7, 8, 11)]
    ['bottom', 'bottom', 'middle', 'middle', 'top', 'top']
    """
    return GROUPS[index * 3 // count]


def set_dropout(model: PreTrainedModel, probability: float) -> PreTrainedModel:
    """Give every dropout of `model` this probability; the saved configuration says so too."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = probability
        if isinstance(getattr(module, "attention_dropout", None), (int, float)):
            setattr(module, "attention_dropout", probability)  # noqa: B010  Llama-like blocks hold a number
    for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop", "attention_dropout"):
        if hasattr(model.config, name):
            setattr(model.config, name, probability)
    return model


def set_layers(model: PreTrainedModel, blocks: list[nn.Module]) -> None:
    """Give `model` these blocks in this order, and make its configuration and cache indices agree with them.

    Refuses models whose attention is scaled by the layer's number: a layer would compute something else elsewhere.
    """
    config = model.config
    origins = [_layer_index(block, index) for index, block in enumerate(blocks)]
    if getattr(config, "scale_attn_by_inverse_layer_idx", False) and origins != list(range(len(blocks))):
        raise CheckpointError(
            f"Layers {origins} cannot become layers 0..{len(blocks) - 1}: this model has "
            "scale_attn_by_inverse_layer_idx, so a layer depends on its number. Keep the first layers only."
        )
    owner, _, name = FAMILIES[config.model_type].blocks.rpartition(".")
    setattr(model.get_submodule(owner), name, nn.ModuleList(blocks))
    for index, block in enumerate(blocks):
        for module in block.modules():
            if hasattr(module, "layer_idx"):
                module.layer_idx = index  # type: ignore[assignment]  # torch types every attribute as a module
    config.num_hidden_layers = len(blocks)
    for key in PER_LAYER:
        values = getattr(config, key, None)
        if values:
            setattr(config, key, [values[index] for index in origins])


def _layer_index(block: nn.Module, default: int) -> int:
    """The number of the layer that `block`, or the first block in it, has been so far."""
    return next((cast(int, module.layer_idx) for module in block.modules() if hasattr(module, "layer_idx")), default)
