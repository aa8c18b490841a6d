"""From hours, text, base model and machine to every number of a plan. Pure arithmetic; `plan.py` writes it down."""
# Axes of formulas: L layers, D hidden size, V vocabulary, T tokens of context

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from mothertongue.errors import ArtifactError
from mothertongue.run.inputs import locate
from mothertongue.run.machine import Machine

VECTORS = "static_vectors.safetensors"  # as transfer/static.py calls them
UNPACKED = {".xz": 3.5, ".bz2": 3.5, ".gz": 3.0, ".zst": 3.2}  # bytes of text per byte of a compressed file, about
BYTES_PER_TOKEN = 3.5
MAX_EPOCHS = 10  # repeated text teaches less each time, next to nothing after this (Muennighoff 2023, arXiv 2305.16264)
TRAIN_SHARE, COMPRESS_SHARE, MEASURE_SHARE = 0.65, 0.25, 0.02  # of the hours; the rest: text, start-up, export


@dataclass(frozen=True)
class Shape:
    """The base model, as far as its config.json tells."""

    layers: int
    hidden_size: int
    context: int
    has_vectors: bool = False  # it ships static vectors, which the method `align` needs
    assumed: bool = False  # it is on the Hub and not here

    @property
    def block_parameters(self) -> int:
        """Weights of all blocks: 12 L D^2, as in GPT-2."""
        return 12 * self.layers * self.hidden_size**2

    def flop_per_token(self, vocab_size: int) -> float:
        """Operations per training token: forward, and twice that backward."""
        attention = 2.0 * self.context * self.hidden_size * self.layers
        return 3 * (2.0 * self.block_parameters + attention + 2.0 * vocab_size * self.hidden_size)


GPT2_SMALL = Shape(layers=12, hidden_size=768, context=1024, assumed=True)


@dataclass(frozen=True)
class Plan:
    """Every derived number."""

    megabytes: float
    vocab_size: int
    tokens: float  # of one pass
    hours: float  # that are put to use
    train_teraflop: float
    compress_teraflop: float
    epochs: float
    batch_size: int
    layers: int  # after compression; 0: there is nothing to halve
    measured_megabytes: float  # 0: all of the held-out text

    @property
    def tokens_read(self) -> float:
        """By the training, repetitions included."""
        return self.epochs * self.tokens


def derive(hours: float, megabytes: float, shape: Shape, machine: Machine) -> Plan:
    """All numbers from the dial, the text, the model and the machine."""
    vocab_size = vocabulary_for(megabytes, shape)
    tokens = max(1.0, megabytes * 1e6 / BYTES_PER_TOKEN)
    cost = shape.flop_per_token(vocab_size) / 1e12
    wanted = hours * machine.training_teraflop_per_hour
    train = min(wanted * TRAIN_SHARE, MAX_EPOCHS * tokens * cost)
    compress = min(wanted * COMPRESS_SHARE, MAX_EPOCHS / 2 * tokens * cost)
    used = (train + compress) / machine.training_teraflop_per_hour / (TRAIN_SHARE + COMPRESS_SHARE)
    epochs = train / (tokens * cost)
    heldout = heldout_share(megabytes) * megabytes
    # scoring is a forward pass, a third of a training step, over windows that overlap by half
    affordable = used * MEASURE_SHARE * machine.training_teraflop_per_hour / (cost / 3 * 2) * BYTES_PER_TOKEN / 1e6
    return Plan(
        megabytes=megabytes,
        vocab_size=vocab_size,
        tokens=tokens,
        hours=used,
        train_teraflop=_round(train),
        compress_teraflop=_round(compress),
        epochs=epochs,
        batch_size=max(2, min(16, round(epochs * tokens / (1500 * shape.context)))),
        layers=max((n for n in range(1, shape.layers) if shape.layers % n == 0 and n <= shape.layers / 2), default=0),
        measured_megabytes=0.0 if affordable >= heldout else max(0.01, _round(affordable)),
    )


def vocabulary_for(megabytes: float, shape: Shape) -> int:
    """Twice the tokens for ten times the text (4,096 for 1 MB), but no more rows than the blocks have weights."""
    by_text = 12 + math.log10(max(megabytes, 1e-3))
    by_model = math.log2(max(1.0, 1.1 * shape.block_parameters / shape.hidden_size))
    return int(2 ** max(10, min(16, round(by_text), math.floor(by_model))))


def heldout_share(megabytes: float) -> float:
    """About a megabyte of text, between half a percent and five."""
    return round(min(0.05, max(0.005, 1 / max(megabytes, 1e-6))), 3)


def learning_rate(shape: Shape) -> float:
    """1e-3 at 256 wide, less for wider models, by the root of the width."""
    return float(f"{1e-3 * math.sqrt(256 / shape.hidden_size):.1g}")


def text_megabytes(file: Path) -> float:
    """Megabytes of text in a file, guessed from its size and suffix."""
    return file.stat().st_size / 1e6 * UNPACKED.get(file.suffix, 1.0)


def read_shape(base: str) -> Shape:
    """The shape of the base model; one that is still on the Hub is taken to be like GPT-2 small, without a download."""
    if base.startswith("hub:"):
        return GPT2_SMALL
    file = locate(base) / "config.json"
    try:
        config = json.loads(file.read_text("utf-8"))
        layers = config.get("num_hidden_layers", config.get("n_layer"))
        hidden = config.get("hidden_size", config.get("n_embd"))
        context = config.get("max_position_embeddings", config.get("n_positions"))
        return Shape(int(layers), int(hidden), int(context), has_vectors=(file.parent / VECTORS).is_file())
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{file} does not tell the shape of a model: {error}. Choose another --base.") from error


def _round(value: float) -> float:
    return float(f"{value:.3g}")
