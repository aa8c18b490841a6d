"""How large a model is on disk and how much faster it can write: arithmetic of its shapes, no measurement.

Types are those that `export --format gguf` writes: matrices of the blocks in the type asked for, embeddings and head
in at least 8 bits unless it is `.._pure`, vectors exact; position tables have 16 bits, like rows that do not divide
into blocks of 32 weights.
"""

from __future__ import annotations

import json

from tokenizers import Tokenizer
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy
from mothertongue.tokenizer.bytelevel import is_gpt2_like

BLOCK = 32  # weights that share a scale of 16 bits
BYTES = {"float32": 4.0, "float16": 2.0, "q8_0": (2 + 32) / BLOCK, "q4_0": (2 + 16) / BLOCK}  # for each weight
PURE = "_pure"  # embeddings and head in the type of the blocks
TOKEN_BYTES = 34.0  # of a token's name, type and merge in a GGUF file, about, in a language with Latin letters
STRING_BYTES, TYPE_BYTES = 8, 4  # before each text of a GGUF file; for each token
HEADER_BYTES = 5000


def type_of(dtype: str, *, outer: bool, rows_of: int) -> str:
    """The type that a matrix with rows of `rows_of` weights has in a file of `dtype`; `outer`: embeddings or head."""
    if not dtype.startswith("q"):
        return dtype
    if rows_of % BLOCK:
        return "float16"
    if dtype.endswith(PURE):
        return dtype.removesuffix(PURE)
    return "q8_0" if outer else dtype


def matrix_bytes(weights: int, rows_of: int, dtype: str, *, outer: bool = False) -> float:
    """Bytes of a matrix of so many weights.

    >>> matrix_bytes(64, 32, "q4_0"), matrix_bytes(64, 32, "q4_0", outer=True), matrix_bytes(60, 30, "q4_0")
    (36.0, 68.0, 120.0)
    """
    return weights * BYTES[type_of(dtype, outer=outer, rows_of=rows_of)]


def block_bytes(model: PreTrainedModel, dtype: str) -> float:
    """Bytes of one layer."""
    total = 0.0
    for name, weight in anatomy(model).blocks[0].named_parameters():
        inputs = weight.shape[0] if _is_transposed(model, name) else weight.shape[-1]
        total += matrix_bytes(weight.numel(), inputs, dtype) if weight.ndim > 1 else 4.0 * weight.numel()
    return total


def token_bytes(tokenizer: Tokenizer) -> float:
    """Bytes that a token of `tokenizer` takes in a GGUF file, on the mean, beside its weights."""
    merges = json.loads(tokenizer.to_str())["model"].get("merges")
    if not merges or not is_gpt2_like(tokenizer):
        return 0.0  # the file then holds no vocabulary
    names = tokenizer.get_vocab()
    joined = [merge if isinstance(merge, str) else " ".join(merge) for merge in merges]
    texts = sum(len(text.encode()) + STRING_BYTES for text in (*names, *joined))
    return texts / len(names) + TYPE_BYTES


def file_bytes(
    model: PreTrainedModel, dtype: str, *, layers: int, vocab_size: int = 0, token_bytes: float = TOKEN_BYTES
) -> float:
    """Bytes of a GGUF file of `model` with so many layers and tokens (0 = its own), about."""
    parts = anatomy(model)
    width, tokens = parts.hidden_size, vocab_size or parts.embeddings.num_embeddings
    rows = matrix_bytes(tokens * width, width, dtype, outer=True) * (1 if parts.tied else 2)
    positions = (4.0 if dtype == "float32" else 2.0) * (parts.positions.weight.numel() if parts.positions else 0)
    norm = 4.0 * sum(weight.numel() for weight in parts.norm.parameters())
    return layers * block_bytes(model, dtype) + rows + positions + norm + token_bytes * tokens + HEADER_BYTES


def speed_factor(model: PreTrainedModel, *, layers: int, vocab_size: int = 0) -> float:
    """How many times as fast a model with so many layers and tokens writes, in the same engine and type.

    Text is written as fast as weights are read: those of the blocks and of the head.
    """
    parts = anatomy(model)
    tokens = parts.embeddings.num_embeddings
    block = sum(weight.numel() for weight in parts.blocks[0].parameters())
    before = len(parts.blocks) * block + tokens * parts.hidden_size
    return before / (layers * block + (vocab_size or tokens) * parts.hidden_size)


def _is_transposed(model: PreTrainedModel, name: str) -> bool:
    return anatomy(model).family == "gpt2" and name.endswith("weight")
