"""Fewer bits for each weight: rounded here as a GGUF file will hold it, so that the price is measured at once.

The `gguf` package rounds (llama.cpp's own formats): blocks of 32 weights share a scale. Rounding what is rounded
changes nothing, so `export --format gguf` with the same dtype writes these very weights. The checkpoint itself stays
an ordinary one in float32.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from mothertongue.compress.sizes import type_of
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy


@torch.no_grad()
def round_weights(model: PreTrainedModel, dtype: str) -> None:
    """Give `model` in place the weights that a file of `dtype` can hold; biases and norms are kept."""
    if dtype == "float32":
        return
    outer = {anatomy(model).embeddings, anatomy(model).head}
    seen: set[int] = set()
    for module in model.modules():
        if not isinstance(module, (nn.Linear, nn.Embedding, Conv1D)):
            continue
        if id(module.weight) not in seen:  # tied matrices once
            seen.add(id(module.weight))
            rows = module.weight.T if isinstance(module, Conv1D) else module.weight
            kind = type_of(dtype, outer=module in outer, rows_of=rows.shape[1])
            rows.copy_(_rounded(rows, "float16" if module is anatomy(model).positions else kind))


def _rounded(rows: Tensor, kind: str) -> Tensor:
    if kind == "float16":
        return rows.half().float()
    gguf = _package(kind)
    number_type = gguf.GGMLQuantizationType[kind.upper()]
    data = gguf.quantize(rows.contiguous().cpu().numpy(), number_type)
    return torch.from_numpy(gguf.dequantize(data, number_type)).to(rows.device)


def check_rounding(dtype: str) -> None:
    """ConfigError, before any training, if `dtype` needs a package that is not there."""
    if dtype.startswith("q"):
        _package(dtype)


def _package(kind: str) -> Any:
    try:
        return import_module("gguf")
    except ImportError as error:
        raise ConfigError(f'dtype = "{kind}" needs: pip install "mothertongue[gguf]" ({error}).') from error
