"""A checkpoint is an ordinary Hugging Face folder; model and tokenizer are opened and saved together or not at all.

Only safetensors are read and no code of the folder is ever run. The sizes of both are compared on opening.

    opened = open_checkpoint("runs/czech/train")
    opened.model, opened.tokenizer
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from operator import index
from pathlib import Path
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig, PreTrainedConfig, PreTrainedModel
from transformers.initialization import no_init_weights
from transformers.utils import logging as transformers_logging

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import FAMILIES, anatomy
from mothertongue.tokenizer.bytelevel import check_rows, open_tokenizer, save_tokenizer

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
MAX_HEADER_BYTES = 100 << 20  # as safetensors itself has it
MOST_LABELS = 1000  # classes of a head that is not opened here, kept in many a config.json
MOST_SPARE = 2  # numbers per byte: a head that shares the embeddings' rows is in the file once
COUNTED = re.compile(r"(layers?|labels|blocks?|depth|experts)$")
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
        raise CheckpointError(
            f"{path} has no config.json, so it is no checkpoint. "
            "Point to a folder that `mothertongue train` or `save_pretrained` wrote."
        )
    weights = sorted(path.glob("*.safetensors"))
    if not any(file.name.startswith("model") for file in weights):
        raise CheckpointError(
            f"{path} has no model*.safetensors. Only safetensors are opened; "
            "convert other weights with transformers' save_pretrained."
        )
    tokenizer = open_tokenizer(path)
    tensors = sum(check_safetensors(file) for file in weights)
    model = _open_model(path, dtype, tensors=tensors, size=sum(file.stat().st_size for file in weights))
    check_sizes(model, tokenizer, path)
    model.train(False)
    return Checkpoint(model, tokenizer, path)


def _open_model(path: Path, dtype: torch.dtype, *, tensors: int, size: int) -> PreTrainedModel:
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        _check_counts(json.loads((path / "config.json").read_text("utf-8")), most=max(tensors, MOST_LABELS))
        config = AutoConfig.from_pretrained(path, **options)
        _check_numbers(config, size=size)
        opened: Any = AutoModelForCausalLM.from_pretrained(
            path, config=config, dtype=dtype, use_safetensors=True, output_loading_info=True, **options
        )
    except Exception as error:  # transformers and safetensors raise many kinds
        raise CheckpointError(
            f"{path} cannot be opened as a causal language model: {error}. Restore the folder, or make it again."
        ) from error
    model, info = opened
    _check_names(model, info, path)
    return cast(PreTrainedModel, model)


def _check_counts(settings: Any, *, most: int) -> None:
    """ValueError where a config.json counts more than `most` layers or labels: transformers would list them all."""
    for name, value in settings.items() if isinstance(settings, dict) else ():
        if COUNTED.search(name) and isinstance(value, int | float) and value > most:
            raise ValueError(f"{name} = {value}, but the folder has weights for {most} at most")
        _check_counts(value, most=most)


def _check_numbers(config: PreTrainedConfig, *, size: int) -> None:
    """ValueError if a model of `config` has no room in weights of `size` bytes; it is built without memory to know."""
    with no_init_weights(), torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
    needed = sum(tensor.numel() for tensor in (*empty.parameters(), *empty.buffers()))
    if needed > MOST_SPARE * size:
        raise ValueError(f"config.json describes a model of {needed:,} numbers, but its weights are {size:,} bytes")


def _check_names(model: PreTrainedModel, info: dict[str, Any], path: Path) -> None:
    """CheckpointError if weights are missing, or if there are layers that would be left out silently."""
    missing = sorted(info["missing_keys"])
    if missing:
        raise CheckpointError(
            f"{path} lacks {len(missing)} of the model's weights ({', '.join(missing[:3])}, ...): "
            "the weights belong to another config.json. Restore the folder, or make it again."
        )
    family = FAMILIES.get(model.config.model_type)
    layer = re.compile(rf"(^|\.){family.blocks.rpartition('.')[2]}\.\d+\..*\.weight$") if family else re.compile("$^")
    spare = sorted(name for name in info["unexpected_keys"] if layer.search(name))
    if spare:
        raise CheckpointError(
            f"{path} has {len(spare)} weights that its config.json has no place for ({', '.join(spare[:3])}, ...): "
            "the weights belong to another config.json. Restore the folder, or make it again."
        )


def check_safetensors(file: Path) -> int:
    """The number of a file's tensors; CheckpointError unless its header is sound and agrees with the file's length."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            raw = b"" if length > min(size, MAX_HEADER_BYTES) else stream.read(length)
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror}. Copy it again.") from error
    if size < 8 or len(raw) < length:
        raise CheckpointError(
            f"{file} says its header has {length} bytes, but the file has {size}: "
            "it is truncated or forged. Copy it again."
        )
    try:
        entries = [entry for name, entry in json.loads(raw).items() if name != "__metadata__"]
        end = max((index(entry["data_offsets"][1]) for entry in entries), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise CheckpointError(f"{file} has a header that is not safetensors: {error!r}. Copy it again.") from error
    if 8 + length + end != size:
        raise CheckpointError(
            f"{file} promises {8 + length + end} bytes, but the file has {size}: "
            "it is truncated or forged. Copy it again."
        )
    return len(entries)


def check_sizes(model: PreTrainedModel, tokenizer: Tokenizer, path: Path) -> None:
    """CheckpointError unless the model has one embedding row for each token; see `check_rows`."""
    check_rows(tokenizer, rows=anatomy(model).embeddings.num_embeddings, where=path)


def save_checkpoint(
    model: PreTrainedModel, tokenizer: Tokenizer, out: str | Path, *, dtype: torch.dtype | None = None
) -> None:
    """Write `model` (in `dtype`, default its own) and `tokenizer` into the folder `out`.

    Any Hugging Face tool opens it. Of the habits of generation that a foreign folder may have (a temperature, a
    penalty) none is kept. Raises CheckpointError if the two have different sizes.
    """
    out = Path(out)
    check_sizes(model, tokenizer, out)
    if dtype is not None and dtype != model.dtype:
        model = nn.Module.to(copy.deepcopy(model), dtype=dtype)
    if hasattr(model.config, "auto_map"):
        del model.config.auto_map  # it names a file of code in the folder that this model was opened from
    roles = ("bos_token_id", "eos_token_id", "pad_token_id")
    ids = {role: getattr(model.generation_config, role) for role in roles}
    model.generation_config = GenerationConfig(**ids)  # type: ignore[no-untyped-call]
    model.save_pretrained(out)
    save_tokenizer(tokenizer, out, context=anatomy(model).context)
