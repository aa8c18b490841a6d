"""What each term of run/predict.py costs on this machine, from short trainings of small models, in about 20 seconds.

    python -m mothertongue.model.probe 20      # as `mothertongue plan` calls it: shares done, then one line of JSON

Steps are those of the loop: the same products, loss and optimizer. Each model has two turns, and the
clock is that of this thread, so that other programs disturb less; how much they took is told as `busy`.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from mothertongue.model.anatomy import set_dropout
from mothertongue.model.loss import next_token_loss
from mothertongue.model.products import fast_products
from mothertongue.run.derive import Shape, shape_from
from mothertongue.run.memory import keep_freed_memory, sequences_at_once, set_large_blocks_apart
from mothertongue.run.predict import BYTES, SECONDS, fit

# family, layers, hidden size, heads, vocabulary, batch, sequence, dropout
Load = tuple[str, int, int, int, int, int, int, float]
# wide and narrow, deep and flat, long and short: in each the terms have other shares
LOADS: tuple[Load, ...] = (
    ("gpt2", 4, 192, 3, 512, 16, 128, 0.0),  # keeps the most: memory is measured with it
    ("gpt2", 1, 192, 3, 512, 4, 128, 0.0), ("gpt2", 2, 192, 6, 512, 4, 512, 0.0),
    ("gpt2", 1, 192, 3, 8192, 16, 128, 0.0), ("gpt2", 2, 384, 6, 512, 8, 256, 0.0),
    ("gpt2", 1, 384, 6, 32768, 1, 128, 0.0), ("gpt2", 1, 512, 8, 16384, 4, 128, 0.0),
    ("gpt2", 2, 768, 12, 512, 4, 128, 0.0), ("gpt2", 1, 768, 24, 512, 1, 1024, 0.0),
    ("gpt2", 2, 192, 3, 512, 8, 128, 0.1), ("gpt2", 1, 384, 6, 512, 2, 512, 0.1),
    ("llama", 2, 192, 3, 512, 8, 128, 0.0), ("llama", 1, 384, 6, 512, 4, 256, 0.0),
)  # fmt: skip
WARM_UP: Load = ("gpt2", 1, 64, 1, 512, 1, 16, 0.0)  # what every training needs, however small: kernels, threads


@dataclass(frozen=True)
class Turn:
    """What a few steps of one small model took."""

    shape: Shape
    seconds: float  # of the median step
    idle: float  # share of a core that other programs left
    peak: float  # bytes of the process so far
    kept: float  # bytes that a forward pass keeps for the backward pass


def measure(seconds: float, loads: Sequence[Load], *, on_turn: Callable[[float], None]) -> dict[str, Any]:
    """The costs of each term in seconds and in bytes, as Machine takes them; `on_turn` hears the share done.

    Each model has two turns, of which the faster counts; a turn has two steps at least, however few `seconds`.
    """
    start = time.monotonic()
    _turn(WARM_UP, 0.0, 2)
    base = peak_bytes()
    turns: dict[Load, list[Turn]] = {load: [] for load in loads}
    for number, load in enumerate([*loads, *loads]):
        left = seconds - (time.monotonic() - start)
        least = 2 if number else 6  # the allocator's heap grows in the first steps
        turns[load].append(_turn(load, left / (2 * len(loads) - number), least))
        on_turn((number + 1) / (2 * len(loads)))
    first = turns[loads[0]][0]
    best = [min(pair, key=lambda turn: turn.seconds) for pair in turns.values()]
    sizes = [(turn.shape, load[5] * load[6], load[6]) for turn, load in zip(best, loads, strict=True)]
    parts = [(shape, min(N, sequences_at_once(T) * T), T) for shape, N, T in sizes]
    return {
        "seconds": fit(sizes, [turn.seconds for turn in best], SECONDS),
        "bytes": fit(parts, [turn.kept for turn in best], BYTES),
        "base_megabytes": base / 1e6,
        "heap_megabytes": max(0.0, first.peak - base - 16 * first.shape.parameters - first.kept) / 1e6,
        "threads": torch.get_num_threads(),
        "idle": statistics.median(turn.idle for turn in best),
    }


def _turn(load: Load, seconds: float, least: int) -> Turn:
    *_, words, batch_size, length, dropout = load
    torch.manual_seed(0)
    model = _fresh(load).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    times: list[float] = []

    part = min(batch_size, sequences_at_once(length))

    def loss(rows: int) -> Tensor:
        return next_token_loss(model, torch.randint(words, (rows, length + 1)))

    set_large_blocks_apart()
    with fast_products(model):
        begun, own = time.monotonic(), time.thread_time()
        while len(times) < least or time.monotonic() - begun < seconds:
            start = time.thread_time()
            for first in range(0, batch_size, part):
                loss(min(part, batch_size - first)).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            keep_freed_memory()
            times.append(time.thread_time() - start)
        idle = (time.thread_time() - own) / (time.monotonic() - begun)
        peak = peak_bytes()
        kept = _kept_bytes(model, partial(loss, part))
    return Turn(shape_of(model, dropout=dropout), statistics.median(times[1:]), min(1.0, idle), peak, float(kept))


def shape_of(model: PreTrainedModel, *, dropout: float = 0.0) -> Shape:
    """The shape of an open model, as `predict` takes it."""
    return replace(shape_from(model.config.to_dict()), dropout=dropout)


def _fresh(load: Load) -> PreTrainedModel:
    family, layers, width, heads, words, _, length, dropout = load
    common: dict[str, Any] = {"vocab_size": words, "bos_token_id": 0, "eos_token_id": 0}
    model: PreTrainedModel
    if family == "llama":
        model = LlamaForCausalLM(LlamaConfig(
            num_hidden_layers=layers, hidden_size=width, num_attention_heads=heads, intermediate_size=width * 8 // 3,
            max_position_embeddings=length, **common,
        ))  # fmt: skip
    else:
        model = GPT2LMHeadModel(GPT2Config(n_layer=layers, n_embd=width, n_head=heads, n_positions=length, **common))
    return set_dropout(model, dropout)


def _kept_bytes(model: PreTrainedModel, loss: Callable[[], Tensor]) -> int:
    """What stands in memory between the forward and the backward pass, weights aside."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
    sizes: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            sizes[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        value = loss()  # while it lives, so does what is kept: no address is used twice
    del value
    return sum(sizes.values())


def peak_bytes() -> float:
    """The most memory that this process has had; 0 where the system does not say."""
    status = Path("/proc/self/status")
    if status.is_file():  # Linux; its getrusage tells the parent's peak if that was higher
        return 1024.0 * int(status.read_text("utf-8").split("VmHWM:")[1].split()[0])
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def main() -> None:
    """Measure for as many seconds as the command line says."""

    def tell(line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    tell(json.dumps(measure(float(sys.argv[1]), LOADS, on_turn=lambda share: tell(f"{share:.3f}"))))


if __name__ == "__main__":
    main()
