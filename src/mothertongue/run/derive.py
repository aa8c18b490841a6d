"""From hours, text, base model and machine to every number of a plan. Pure arithmetic; `plan.py` writes it down."""
# Axes of formulas: L layers, D hidden size, V vocabulary, T tokens of context

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.run.inputs import locate
from mothertongue.run.machine import Machine

VECTORS = "static_vectors.safetensors"  # as transfer/static.py calls them
UNPACKED = {".xz": 3.5, ".bz2": 3.5, ".gz": 3.0, ".zst": 3.2}  # bytes of text per byte of a compressed file, about
BYTES_PER_TOKEN = 3.5
MAX_EPOCHS = 10  # repeated text teaches less each time, next to nothing after this (Muennighoff 2023, arXiv 2305.16264)
DEV_SCORES, DEV_MEGABYTES = 6, 0.1  # the defaults of [train]
SCORING_COST = 2 / 3  # of a training token's: forward only, over windows that overlap by half
MEMORY_SHARE = 0.9  # of the machine's memory; the rest is the system's
TRAIN_SHARE, COMPRESS_SHARE, MEASURE_SHARE = 0.65, 0.25, 0.02  # of the hours; the rest: text, start-up, export


@dataclass(frozen=True)
class Shape:
    """The base model, as far as its config.json tells."""

    layers: int
    hidden_size: int
    context: int
    heads: int = 12
    vocab_size: int = 50257
    block_weights: int = 0  # of one block's matrices; 0: GPT-2's 12 D^2
    tied: bool = True  # head and embeddings are one matrix
    llama: bool = False  # its blocks are Llama's: gated, rotary
    dropout: float = 0.0  # in training
    has_vectors: bool = False  # it ships static vectors, which the method `align` needs
    assumed: bool = False  # it is on the Hub and not here

    def __post_init__(self) -> None:
        if not self.block_weights:
            object.__setattr__(self, "block_weights", 12 * self.hidden_size**2)

    @property
    def parameters(self) -> float:
        """Of the whole model, without biases and norms."""
        rows = self.vocab_size * (1 if self.tied else 2) + (0 if self.llama else self.context)
        return float(self.layers * self.block_weights + rows * self.hidden_size)

    @property
    def flop_per_token(self) -> float:
        """Operations per training token: forward, and twice that backward."""
        attention = 2.0 * self.context * self.hidden_size * self.layers
        return 3 * (2.0 * self.layers * self.block_weights + attention + 2.0 * self.vocab_size * self.hidden_size)


GPT2_SMALL = Shape(layers=12, hidden_size=768, context=1024, assumed=True)


@dataclass(frozen=True)
class Prediction:
    """What predict.py says of a training on a machine that does nothing else."""

    tokens_per_second: float
    megabytes: float  # at most, of the whole process


Predict = Callable[[Shape, int, "Shape | None"], Prediction]  # learner, batch size, teacher


@dataclass(frozen=True)
class Length:
    """Of one training."""

    hours: float
    tokens: float
    teraflop: float


@dataclass(frozen=True)
class Plan:
    """Every derived number."""

    megabytes: float  # of text
    vocab_size: int
    tokens: float  # of one pass
    batch_size: int
    train: Length
    compress: Length
    layers: int  # after compression; 0: there is nothing to halve
    tokens_per_second: float  # of the training, as that of
    training_megabytes: float  # the larger of both trainings
    measured_megabytes: float  # 0: all of the held-out text

    @property
    def epochs(self) -> float:
        """Passes of the training over the text."""
        return self.train.tokens / self.tokens

    @property
    def hours(self) -> float:
        """That are put to use, the rest of the recipe included."""
        shares = TRAIN_SHARE + (COMPRESS_SHARE if self.layers else 0.0)
        return (self.train.hours + self.compress.hours) / shares


def derive(hours: float, megabytes: float, shape: Shape, machine: Machine, predict: Predict) -> Plan:
    """All numbers from the dial, the text, the model and the machine; ConfigError if the model does not fit into it."""
    large = replace(shape, vocab_size=vocabulary_for(megabytes, shape))
    layers = max((n for n in range(1, shape.layers) if shape.layers % n == 0 and n <= shape.layers / 2), default=0)
    small = replace(large, layers=layers)
    tokens = max(1.0, megabytes * 1e6 / BYTES_PER_TOKEN)
    heldout = heldout_share(megabytes) * megabytes
    scoring = DEV_SCORES * min(DEV_MEGABYTES, heldout / 2) * 1e6 / BYTES_PER_TOKEN * SCORING_COST

    def needed(size: int) -> float:
        compressing = predict(small, size, large).megabytes if layers else 0.0
        return max(compressing, predict(large, size, None).megabytes)

    def length(size: int, share: float, most: float, learner: Shape, teacher: Shape | None = None) -> Length:
        rate = predict(learner, size, teacher).tokens_per_second
        able = hours * share * 3600 * rate
        read = min(max(able - scoring, able / 2), most * tokens)
        flop = learner.flop_per_token + (teacher.flop_per_token / 3 if teacher else 0.0)
        return Length((read + scoring) / rate / 3600, read, _round(read * flop / 1e12))

    guess = length(8, TRAIN_SHARE, MAX_EPOCHS, large)
    batch_size = fitting_batch(max(2, min(16, round(guess.tokens / (1500 * shape.context)))), needed, machine)
    train = length(batch_size, TRAIN_SHARE, MAX_EPOCHS, large)
    rate = predict(large, batch_size, None).tokens_per_second
    affordable = train.hours / TRAIN_SHARE * MEASURE_SHARE * 3600 * rate / SCORING_COST * BYTES_PER_TOKEN / 1e6
    return Plan(
        megabytes=megabytes,
        vocab_size=large.vocab_size,
        tokens=tokens,
        batch_size=batch_size,
        train=train,
        compress=length(batch_size, COMPRESS_SHARE, MAX_EPOCHS / 2, small, large) if layers else Length(0.0, 0.0, 0.0),
        layers=layers,
        tokens_per_second=rate,
        training_megabytes=needed(batch_size),
        measured_megabytes=0.0 if affordable >= heldout else max(0.01, _round(affordable)),
    )


def fitting_batch(wanted: int, needed: Callable[[int], float], machine: Machine) -> int:
    """`wanted` sequences or as many fewer as this machine's memory holds; ConfigError if it does not hold one."""
    most = MEMORY_SHARE * machine.memory_megabytes
    for size in range(wanted, 0, -1):
        if needed(size) <= most:
            return size
    raise ConfigError(
        f"Training this base needs about {needed(1):,.0f} MB of memory, one sequence at a time, and of this machine's "
        f"{machine.memory_megabytes:,.0f} MB it may take {most:,.0f}. Choose a smaller --base, or a machine with more."
    )


def vocabulary_for(megabytes: float, shape: Shape) -> int:
    """Twice the tokens for ten times the text (4,096 for 1 MB), but no more rows than the blocks have weights."""
    by_text = 12 + math.log10(max(megabytes, 1e-3))
    by_model = math.log2(max(1.0, 1.1 * shape.layers * shape.block_weights / shape.hidden_size))
    return int(2 ** max(10, min(16, round(by_text), math.floor(by_model))))


def heldout_share(megabytes: float) -> float:
    """About a megabyte of text, between half a percent and five."""
    return round(min(0.05, max(0.005, 1 / max(megabytes, 1e-6))), 3)


def learning_rate(shape: Shape) -> float:
    """AdamW's after a transfer: 2e-3 up to 256 wide, as measured (docs/why/LOG.md), and less in proportion beyond."""
    return float(f"{2e-3 * min(1.0, 256 / shape.hidden_size):.1g}")


def text_megabytes(file: Path) -> float:
    """Megabytes of text in a file, guessed from its size and suffix."""
    return file.stat().st_size / 1e6 * UNPACKED.get(file.suffix, 1.0)


def read_shape(base: str) -> Shape:
    """The shape of the base model; one that is still on the Hub is taken to be like GPT-2 small, without a download."""
    if base.startswith("hub:"):
        return GPT2_SMALL
    file = locate(base) / "config.json"
    try:
        shape = shape_from(json.loads(file.read_text("utf-8")))
        return replace(shape, has_vectors=(file.parent / VECTORS).is_file())
    except (OSError, ValueError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ArtifactError(f"{file} does not tell the shape of a model: {error}. Choose another --base.") from error


def shape_from(config: Any) -> Shape:
    """The shape that a config.json tells, in the words of GPT-2 or of Llama."""
    layers = int(config.get("num_hidden_layers", config.get("n_layer")))
    width = int(config.get("hidden_size", config.get("n_embd")))
    heads = int(config.get("num_attention_heads", config.get("n_head")) or 1)
    llama = "n_layer" not in config
    inner = int(config.get("intermediate_size", config.get("n_inner")) or 4 * width)
    attended = int(config.get("head_dim") or width // heads) * (heads + int(config.get("num_key_value_heads") or heads))
    return Shape(
        layers=layers,
        hidden_size=width,
        context=int(config.get("max_position_embeddings", config.get("n_positions"))),
        heads=heads,
        vocab_size=int(config.get("vocab_size", 50257)),
        block_weights=2 * width * attended + (3 if llama else 2) * width * inner,
        tied=bool(config.get("tie_word_embeddings", not llama)),
        llama=llama,
    )


def _round(value: float) -> float:
    return float(f"{value:.3g}")
