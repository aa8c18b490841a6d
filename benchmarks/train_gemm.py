"""The matrix products of a training step alone: `train_gemm.py bound JOB` gives the seconds below which no step can be.

For each linear layer and the head: forward [N, K] @ [K, M], the gradient of the input, the gradient of the weights; for
attention: queries by keys, weights by values, and their four backward. Each product is tried with the operands stored
either way, through MKL (`@`) and oneDNN, and the fastest way that torch has here is the one that counts, in cache. The
caller lets glibc keep freed memory (HEAP in train_rounds.py), so that results cost no page faults. Causal attention
needs half of its square: `causal_seconds` counts half the time of these products.
"""
# Axes: N tokens of the batch, K inputs, M outputs

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch
from torch import Tensor

from train_job import CLOCKS, Job, answer

SQUARE = 2048
PROBE_SECONDS, TIMED_SECONDS = 0.03, 0.2


@dataclass(frozen=True)
class Product:
    """`count` products [rows, inner] @ [inner, columns] of a step, each in `batch` at once (attention) or alone."""

    rows: int
    inner: int
    columns: int
    count: int
    batch: int = 0

    @property
    def flop(self) -> float:
        return 2.0 * self.rows * self.inner * self.columns * self.count * max(1, self.batch)


def products(job: Job) -> Iterator[Product]:
    """Every product of a forward and backward pass."""
    tokens, width = job.tokens, job.width
    layers = [(width, 3 * width), (width, width), (width, 4 * width), (4 * width, width)]
    linear = [(inner, outer, job.layers) for inner, outer in layers] + [(width, job.vocabulary, 1)]
    for inner, outer, count in linear:
        yield Product(tokens, inner, outer, count)
        yield Product(tokens, outer, inner, count)  # the gradient of the input
        yield Product(inner, tokens, outer, count)  # the gradient of the weights
    head, heads = width // job.heads, job.batch * job.heads
    # queries by keys forward, and the gradient of the weights by values
    yield Product(job.length, head, job.length, 2 * job.layers, heads)
    # weights by values forward, and the gradients of queries, keys and values
    yield Product(job.length, job.length, head, 4 * job.layers, heads)


def ways(product: Product) -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """Each library with each way to store the two operands."""
    size = (product.batch,) if product.batch else ()
    for order in ("nn", "nt", "tn", "tt"):
        left = _stored(product.rows, product.inner, size, transposed=order[0] == "t")
        right = _stored(product.inner, product.columns, size, transposed=order[1] == "t")
        yield f"MKL {order}", partial(torch.matmul, left, right)
        if hasattr(torch.ops.mkldnn, "_linear_pointwise"):
            call = _onednn_each if size else _onednn
            yield f"oneDNN {order}", partial(call, left, right)


def _stored(rows: int, columns: int, batch: tuple[int, ...], *, transposed: bool) -> Tensor:
    if transposed:
        return torch.randn(*batch, columns, rows).transpose(-1, -2)
    return torch.randn(*batch, rows, columns)


def _onednn(left: Tensor, right: Tensor) -> Tensor:
    result: Tensor = torch.ops.mkldnn._linear_pointwise(left, right.T, None, "none", [], "")
    return result


def _onednn_each(left: Tensor, right: Tensor) -> Tensor:
    for one, other in zip(left, right, strict=True):  # torch has no batched product of oneDNN in fp32
        result = _onednn(one, other)
    return result


def seconds_of(call: Callable[[], Tensor], least: float, clock: str) -> float:
    """Median time of a call; it is repeated for `least` seconds, three times at least."""
    call()
    now = CLOCKS[clock]
    times, end = list[float](), now() + least
    while len(times) < 3 or now() < end:
        start = now()
        call()
        times.append(now() - start)
    return median(times)


def best(product: Product, clock: str) -> tuple[str, float]:
    """The fastest way and its seconds: the two that a short probe finds fastest are timed for longer."""
    found = sorted(ways(product), key=lambda way: seconds_of(way[1], PROBE_SECONDS, clock))[:2]
    return min(((name, seconds_of(call, TIMED_SECONDS, clock)) for name, call in found), key=lambda pair: pair[1])


def bound(job: Job) -> dict[str, float]:
    """Seconds of all products of a step, their operations, and the speed of one large square product."""
    found: dict[str, float] = {"seconds": 0.0, "causal_seconds": 0.0, "gigaflop": 0.0, "causal_gigaflop": 0.0}
    for product in products(job):
        seconds = best(product, job.clock)[1] * product.count
        causal = 0.5 if product.batch else 1.0
        found["seconds"] += seconds
        found["causal_seconds"] += causal * seconds
        found["gigaflop"] += product.flop / 1e9
        found["causal_gigaflop"] += causal * product.flop / 1e9
        found["attention_seconds"] = found.get("attention_seconds", 0.0) + seconds * bool(product.batch)
    square = Product(SQUARE, SQUARE, SQUARE, 1)
    peaks = {name: square.flop / seconds_of(call, TIMED_SECONDS, job.clock) / 1e9 for name, call in ways(square)}
    for library in ("MKL", "oneDNN"):
        found[f"{library}_gigaflop_per_second"] = max(
            (peak for name, peak in peaks.items() if name.startswith(library)), default=0.0
        )
    return found


def ways_of(job: Job) -> dict[str, float]:
    """GFLOP/s of the fastest way of each product, by its name: to see which library wins where."""
    found = {}
    for product in products(job):
        name, seconds = best(product, job.clock)
        shape = f"{product.batch or 1} x [{product.rows}, {product.inner}] @ [{product.inner}, {product.columns}]"
        found[f"{shape} by {name}"] = product.flop / product.count / seconds / 1e9
    return found


if __name__ == "__main__":
    answer({"bound": bound, "ways": ways_of})
