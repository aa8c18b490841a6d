"""A checkpoint is an ordinary Hugging Face folder; model and tokenizer are opened and saved together or not at all.

Only safetensors are read and no code of the folder is ever run. The sizes of both are compared on opening.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from tokenizers import Tokenizer
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import anatomy
from mothertongue.tokenizer.bytelevel import END_OF_TEXT, open_tokenizer, save_tokenizer

transformers_logging.disable_progress_bar()
BASES = Path(__file__).parent / "bases"


@dataclass(frozen=True)
class Checkpoint:
    """A model with the tokenizer it was trained with."""

    model: PreTrainedModel
    tokenizer: Tokenizer
    path: Path


def open_checkpoint(path: str | Path, *, dtype: torch.dtype = torch.float32) -> Checkpoint:
    """The model (in eval mode, of `dtype`) and tokenizer in folder `path`.

    Raises CheckpointError if a file is missing or damaged, or if model and tokenizer have different sizes.
    """
    path = Path(path)
    if not (path / "config.json").is_file():
        raise CheckpointError(f"{path} has no config.json, so it is no checkpoint. Point to a folder that `mothertongue train` or `save_pretrained` wrote.")
    weights = sorted(path.glob("*.safetensors"))
    if not any(file.name.startswith("model") for file in weights):
        raise CheckpointError(f"{path} has no model*.safetensors. Only safetensors are opened; convert other weights with transformers' save_pretrained.")
    tokenizer = open_tokenizer(path)
    for file in weights:
        check_safetensors(file)
    model = _open_model(path, dtype)
    check_sizes(model, tokenizer, path)
    return Checkpoint(model.eval(), tokenizer, path)


def _open_model(path: Path, dtype: torch.dtype) -> PreTrainedModel:
    try:
        config = AutoConfig.from_pretrained(path, trust_remote_code=False, local_files_only=True)
        model, info = AutoModelForCausalLM.from_pretrained(
            path, config=config, dtype=dtype, use_safetensors=True, trust_remote_code=False, local_files_only=True, output_loading_info=True
        )
    except Exception as error:  # transformers and safetensors raise many kinds
        raise CheckpointError(f"{path} cannot be opened as a causal language model: {error}. Restore the folder, or make it again.") from error
    if info["missing_keys"]:
        some = ", ".join(sorted(info["missing_keys"])[:3])
        raise CheckpointError(f"{path} lacks {len(info['missing_keys'])} of the model's weights ({some}, ...): the weights belong to another config.json.")
    return cast(PreTrainedModel, model)


def check_safetensors(file: Path) -> None:
    """CheckpointError unless the header of a safetensors file is sound and agrees with the file's length."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(size - 8, 100 << 20):
            raise CheckpointError(f"{file} says its header has {length} bytes, but the file has {size}: it is truncated or forged. Copy it again.")
        try:
            header = json.loads(stream.read(length))
            end = max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise CheckpointError(f"{file} has a header that is not safetensors: {error}. Copy it again.") from error
    if 8 + length + end != size:
        raise CheckpointError(f"{file} promises {8 + length + end} bytes, but the file has {size}: it is truncated or forged. Copy it again.")


def check_sizes(model: PreTrainedModel, tokenizer: Tokenizer, path: Path) -> None:
    """CheckpointError, naming both sizes, if the tokenizer has ids that the model has no embedding for."""
    rows, tokens = anatomy(model).embeddings.num_embeddings, tokenizer.get_vocab_size()
    highest = max(tokenizer.get_vocab().values(), default=-1) + 1
    # more rows than tokens is common (padded to a multiple of 64 or 128), fewer never right
    if highest > rows or rows - highest > max(1024, rows // 20):
        raise CheckpointError(
            f"{path} has {rows} embedding rows but its tokenizer has {tokens} tokens. They come from different runs. "
            "Use the tokenizer files of the folder that the model was trained in."
        )


def save_checkpoint(model: PreTrainedModel, tokenizer: Tokenizer, out: str | Path, *, dtype: torch.dtype | None = None) -> None:
    """Write `model` (in `dtype`, default its own) and `tokenizer` into the folder `out` so that any Hugging Face tool opens it."""
    out = Path(out)
    check_sizes(model, tokenizer, out)
    if dtype is not None and dtype != model.dtype:
        model = copy.deepcopy(model).to(dtype)
    model.save_pretrained(out)
    save_tokenizer(tokenizer, out, context=anatomy(model).context)


def end_of_text_id(tokenizer: Tokenizer) -> int:
    """The id of the token that starts and ends a document; CheckpointError if the vocabulary has none."""
    for token in (END_OF_TEXT, "<|end_of_text|>", "</s>", "<eos>"):
        found = tokenizer.token_to_id(token)
        if found is not None:
            return cast(int, found)
    raise CheckpointError(f"The tokenizer has no end-of-text token ({END_OF_TEXT}). Train one with `mothertongue tokenizer`, or add the token to its vocabulary.")
