"""How fast and how large a training will be: a sum of terms, whose costs on this machine model/probe.py measures.

    seconds of a step = sum over the terms of  amount in the step  x  this machine's seconds for one

Pure arithmetic: torch is not imported. Why these terms, and how far they hold: docs/why/training.md.
"""
# Axes of formulas: N tokens of a step, T of a sequence, L layers, D hidden size, W weights of a block, H heads, V words

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mothertongue.errors import ArtifactError
from mothertongue.run.derive import Prediction, Shape
from mothertongue.run.machine import Machine
from mothertongue.run.memory import sequences_at_once

Amount = Callable[[Shape, int, int], float]  # shape, N, T
SECONDS: dict[str, Amount] = {
    "products": lambda s, N, T: 6.0 * N * (s.layers * s.block_weights + s.vocab_size * s.hidden_size),  # operations
    "elements": lambda s, N, T: _elements(s, N) * (not s.llama),  # of activations that are read and written
    "elements_llama": lambda s, N, T: _elements(s, N) * s.llama,
    "attention": lambda s, N, T: 1.0 * N * T * s.layers * s.hidden_size,
    "scores": lambda s, N, T: 1.0 * N * T * s.layers * s.heads,  # of attention, before and after the softmax
    "logits": lambda s, N, T: 1.0 * N * s.vocab_size,
    "parameters": lambda s, N, T: s.parameters,  # what the optimizer reads and writes
    "gradients": lambda s, N, T: s.parameters * (math.ceil(N / T / sequences_at_once(T)) - 1),  # of parts, added up
    "dropout": lambda s, N, T: _elements(s, N) * (s.dropout > 0 and not s.llama),
    "attention_dropout": lambda s, N, T: 1.0 * N * T * s.layers * s.heads * (s.dropout > 0),
    "step": lambda s, N, T: 1.0,
}
BYTES: dict[str, Amount] = {  # that a forward pass and the loss keep for the backward pass
    **{name: SECONDS[name] for name in ("elements", "elements_llama", "dropout", "attention_dropout")},
    "hidden": lambda s, N, T: 1.0 * N * s.hidden_size,
    "head": lambda s, N, T: 1.0 * s.vocab_size * s.hidden_size,
}
FORWARD = 0.4  # of a training step, measured: what a teacher's prediction costs
CHUNK_BYTES = 3 * 4 * 256  # of the loss, for each word of the vocabulary: logits, softmax and a copy of them


def predict(
    shape: Shape, batch_size: int, sequence_length: int, machine: Machine, *, teacher: Shape | None = None
) -> Prediction:
    """Speed and peak memory of training all of `shape`; with a `teacher`, of learning its predictions as well."""
    N, T = batch_size * sequence_length, sequence_length
    seconds = total(SECONDS, machine.seconds, shape, N, T)
    at_once = min(batch_size, sequences_at_once(T)) * T
    kept = total(BYTES, machine.bytes, shape, at_once, T) + CHUNK_BYTES * shape.vocab_size
    weights = 0.0
    if teacher:
        update = SECONDS["parameters"](teacher, N, T) * machine.seconds["parameters"]
        seconds += FORWARD * (total(SECONDS, machine.seconds, teacher, N, T) - update)
        weights = 4 * teacher.parameters + CHUNK_BYTES * teacher.vocab_size
    # weights and two moments stay; a backward pass begins with all activations and ends with all gradients, which the
    # next part of the batch finds there
    gradients = 4 * shape.parameters
    passing = kept + gradients if at_once < N else max(kept, gradients)
    megabytes = machine.base_megabytes + machine.heap_megabytes
    return Prediction(N / seconds, megabytes + (weights + 12 * shape.parameters + passing) / 1e6)


def fit(
    loads: Sequence[tuple[Shape, int, int]], measured: Sequence[float], terms: Mapping[str, Amount]
) -> dict[str, float]:
    """What one of each term costs: least squares of the relative errors, and no cost below zero."""
    rows = np.array([[amount(*load) for amount in terms.values()] for load in loads]) / np.array(measured)[:, None]
    scale = rows.max(0)
    kept = [index for index in range(len(terms)) if scale[index] > 0]
    while kept:
        found = np.linalg.lstsq(rows[:, kept] / scale[kept], np.ones(len(rows)), rcond=None)[0]
        if found.min() >= 0:
            costs = dict(zip(kept, found / scale[kept], strict=True))
            return {name: float(costs.get(index, 0.0)) for index, name in enumerate(terms)}
        kept.pop(int(found.argmin()))
    raise ArtifactError("This machine could not be measured: its times make no sense. Try again when it is idle.")


def total(terms: Mapping[str, Amount], costs: Mapping[str, float], shape: Shape, N: int, T: int) -> float:
    """Everything together, in the unit of `costs`."""
    return sum(costs.get(name, 0.0) * amount(shape, N, T) for name, amount in terms.items())


def _elements(shape: Shape, N: int) -> float:
    return N * shape.layers * shape.block_weights / shape.hidden_size
