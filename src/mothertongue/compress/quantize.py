"""Fewer bits for each weight: rounded here as a GGUF file will hold it, so that the price is measured at once.

The last steps of a training can feel it (`rounded_share`), and make up for some of it.

The `gguf` package rounds (llama.cpp's own formats): blocks of 32 weights share a scale. Rounding what is rounded
changes nothing, so `export --format gguf` with the same dtype writes these very weights. The checkpoint itself stays
an ordinary one in float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from mothertongue.compress.distill import Turns
from mothertongue.compress.methods import Lesson
from mothertongue.compress.sizes import type_of
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy
from mothertongue.train.learner import Loss

Matrix = nn.Linear | nn.Embedding | Conv1D


@torch.no_grad()
def round_weights(model: PreTrainedModel, dtype: str) -> None:
    """Give `model` in place the weights that a file of `dtype` can hold; biases and norms are kept."""
    for _, module, kind in _matrices(model, dtype):
        rows = _rows(module)
        rows.copy_(_rounded(rows, kind))


def with_rounding(lesson: Lesson, dtype: str, share: float) -> Lesson:
    """`lesson` whose last steps, a `share` of them, read the text with rounded weights.

    Gradients pass through the rounding as if it were not there (straight-through: Bengio et al. 2013, arXiv 1308.3432),
    so the weights themselves stay exact until the end.
    """
    steps = sum(phase.steps for phase in lesson.phases)
    turns = Turns(steps - round(share * steps), lesson.loss, _rounded_loss(lesson.loss, dtype))

    def before_step(step: int) -> None:
        turns.begin(step)
        if lesson.before_step:
            lesson.before_step(step)

    return replace(lesson, loss=turns.loss, before_step=before_step)


def _rounded_loss(loss: Loss, dtype: str) -> Loss:
    def found(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
        weights = {}
        for name, module, kind in _matrices(model, dtype):
            moved = _rounded(_rows(module).detach(), kind)
            weight = module.weight
            moved = moved.T if isinstance(module, Conv1D) else moved
            weights[f"model.{name}.weight"] = weight + (moved - weight.detach())
        value: Tensor = functional_call(_Losing(model, loss), weights, (tokens_BT,))
        return value

    return found


class _Losing(nn.Module):
    """A loss as a module, whose weights `functional_call` can stand in for."""

    def __init__(self, model: PreTrainedModel, loss: Loss) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, tokens_BT: Tensor) -> Tensor:
        return self.loss(self.model, tokens_BT)


def _matrices(model: PreTrainedModel, dtype: str) -> Iterator[tuple[str, Matrix, str]]:
    """Name, module and type of everything that has rows in a file of `dtype`; tied matrices once, none in float32."""
    parts = anatomy(model)
    seen: set[int] = set()
    for name, module in model.named_modules() if dtype != "float32" else ():
        if isinstance(module, Matrix) and id(module.weight) not in seen:
            seen.add(id(module.weight))
            kind = type_of(dtype, outer=module in (parts.embeddings, parts.head), rows_of=_rows(module).shape[1])
            yield name, module, "float16" if module is parts.positions else kind


def _rows(module: Matrix) -> Tensor:
    """As a file has them: a row for each output."""
    return module.weight.T if isinstance(module, Conv1D) else module.weight


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
