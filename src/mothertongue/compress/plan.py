"""Layers x vocabulary x bits for a size or a speed that is asked for: what meets it, and the one that costs least.

What a combination costs is probed without training: layers by a bridge (bridge.py), tokens and bits by trimming and
rounding the predecessor. The probe is what the successor has before it learns; training wins most of that back: how
much (RECOVERED, RESPELLED, FELT) hangs on its length, and the report puts what was measured beside what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any

from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.compress.begin import bridged
from mothertongue.compress.config import DTYPES, CompressConfig
from mothertongue.compress.layers import check_layers
from mothertongue.compress.quantize import round_weights
from mothertongue.compress.sizes import TOKEN_BYTES, file_bytes, speed_factor
from mothertongue.compress.theseus import make_successor
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy

# What training with a tenth of the predecessor's tokens wins back, about (benchmarks/results/compress.json):
RECOVERED = 0.8  # of what a bridge lacks: .88 with half of the layers, .84 with a third, .78 with a quarter
RESPELLED = 0.5  # of what fewer tokens cost (LOG.md, 2026-11-23)
FELT = 0.4  # of what fewer bits cost, where the last steps feel the rounding (likewise)
LEAST_TOKENS = 1000  # of a vocabulary that is considered
Scorer = Callable[[PreTrainedModel], float]  # bits per byte
Trimmed = Callable[[int], float]  # of the predecessor with so many tokens


@dataclass(frozen=True)
class Choice:
    """One combination, its size and speed by arithmetic, its price by probes."""

    layers: int
    groups: str
    dtype: str
    megabytes: float
    speedup: float
    predecessor_bits_per_byte: float = 0.0
    bridge_bits_per_byte: float = 0.0  # before any training
    vocab_size: int = 0  # 0 = all tokens
    trimming: float = 0.0  # bits per byte that the fewer tokens cost before any training
    rounding: float = 0.0  # bits per byte that the fewer bits cost, likewise
    expected_bits_per_byte: float = 0.0  # in the end

    def report(self) -> dict[str, Any]:
        """For a manifest."""
        return {"predicted": asdict(self)}

    def line(self) -> str:
        """For people."""
        untrained = self.bridge_bits_per_byte + self.trimming + self.rounding
        tokens = f", {self.vocab_size:,} tokens" if self.vocab_size else ""
        return (
            f"  {self.layers} layers{tokens}, {self.dtype}: {self.megabytes:.3g} MB, {self.speedup:.2f} times as fast; "
            f"bits per byte {untrained:.3f} without training, {self.expected_bits_per_byte:.3f} expected in the end"
        )


def candidates(config: CompressConfig, model: PreTrainedModel, token_bytes: float = TOKEN_BYTES) -> list[Choice]:
    """Every combination with the size and speed asked for, largest first; ConfigError if there is none.

    A file holds `token_bytes` for each token beside its weights. What the settings fix (layers, groups, vocab_size,
    dtype) stays fixed.
    """
    count = len(anatomy(model).blocks)
    check_layers(count, config.layers or 1, "even" if config.method == "paper" else "influence")
    layers = [config.layers] if config.layers else list(range(count, 0, -1))
    dtypes = [config.dtype] if config.dtype != "float32" or not config.target_mb else list(DTYPES)
    every = product(layers, vocabularies(config, model), dtypes)
    possible = [_choice(config, model, *each, token_bytes=token_bytes) for each in every]
    possible = [choice for choice in possible if choice.groups == "even" or config.method != "paper"]
    meeting = [choice for choice in possible if _is_small(config, choice) and choice.speedup >= config.speedup]
    whole = [choice for choice in meeting if choice.layers == count and not choice.vocab_size]
    if whole and not config.target_mb:
        raise ConfigError(f"speedup = {config.speedup:g}: the model is that fast as it is. Ask for more than 1.")
    if whole:
        raise ConfigError(
            f"The model is small enough as it is: all {count} layers in {whole[0].dtype} have {whole[0].megabytes:.3g} "
            f"MB. Export it with --format gguf --dtype {whole[0].dtype}, or ask for less."
        )
    fitting = [choice for choice in meeting if choice.layers < count]
    if not fitting:
        best = min(possible, key=lambda choice: choice.megabytes)  # the fastest as well
        unmet = [f"target_mb = {config.target_mb:g}"] * (not _is_small(config, best))
        unmet += [f"speedup = {config.speedup:g}"] * (best.speedup < config.speedup)
        raise ConfigError(
            f"{' and '.join(unmet)} cannot be met: the nearest is {best.layers} of {count} layers in {best.dtype}, "
            f"{best.megabytes:.3g} MB, {best.speedup:.2f} times as fast. What remains is mostly the vocabulary of "
            f"{anatomy(model).embeddings.num_embeddings:,} tokens: ask for less, or begin with a smaller one."
        )
    return fitting


def vocabularies(config: CompressConfig, model: PreTrainedModel) -> list[int]:
    """Sizes to consider, 0 for all tokens: all, a half, a quarter, an eighth, but a thousand at least."""
    if config.vocab_size:
        return [config.vocab_size]
    tokens = anatomy(model).embeddings.num_embeddings
    return [0, *(size for size in (tokens // 2, tokens // 4, tokens // 8) if size >= LEAST_TOKENS)]


def choose(
    config: CompressConfig,
    predecessor: PreTrainedModel,
    tokens_BT: Tensor,
    score: Scorer,
    trimmed: Trimmed,
    token_bytes: float = TOKEN_BYTES,
) -> tuple[Choice, list[Choice]]:
    """The combination that is expected to cost least, and all that were considered, best first.

    `trimmed` gives bits per byte of the predecessor with so many tokens.
    """
    fitting = candidates(config, predecessor, token_bytes)
    own = score(predecessor)
    bridges = {
        (c.layers, c.groups): score(bridged(config, predecessor, tokens_BT, c.layers, c.groups))
        for c in _most_layers(fitting)
    }
    trimming = {size: trimmed(size) - own if size else 0.0 for size in {choice.vocab_size for choice in fitting}}
    rounding = {dtype: _price(predecessor, dtype, own, score) for dtype in {choice.dtype for choice in fitting}}
    probed = [
        replace(
            choice,
            predecessor_bits_per_byte=own,
            bridge_bits_per_byte=bridges[choice.layers, choice.groups],
            trimming=trimming[choice.vocab_size],
            rounding=rounding[choice.dtype],
        )
        for choice in fitting
        if (choice.layers, choice.groups) in bridges
    ]
    probed = [replace(choice, expected_bits_per_byte=_expected(config, choice)) for choice in probed]
    probed.sort(key=lambda choice: choice.expected_bits_per_byte)
    return probed[0], probed


def _most_layers(fitting: Sequence[Choice]) -> list[Choice]:
    """For each dtype and vocabulary the choice with the most layers: fewer of them cannot be better."""
    best: dict[tuple[str, int], Choice] = {}
    for choice in fitting:
        key = (choice.dtype, choice.vocab_size)
        if key not in best or choice.layers > best[key].layers:
            best[key] = choice
    return list(best.values())


def _expected(config: CompressConfig, choice: Choice) -> float:
    """Bits per byte in the end: where nothing is trained, nothing of what was probed is won back."""
    trained = config.method != "bridge"
    felt = trained and config.rounded_share > 0
    lost = max(0.0, choice.bridge_bits_per_byte - choice.predecessor_bits_per_byte)
    left = (1 - RECOVERED * trained) * lost + (1 - RESPELLED * trained) * choice.trimming
    return choice.predecessor_bits_per_byte + left + (1 - FELT * felt) * choice.rounding


def _price(predecessor: PreTrainedModel, dtype: str, own: float, score: Scorer) -> float:
    if dtype == "float32":
        return 0.0
    rounded = make_successor(predecessor, range(len(anatomy(predecessor).blocks)))
    round_weights(rounded, dtype)
    return score(rounded) - own


def _choice(
    config: CompressConfig, model: PreTrainedModel, layers: int, vocab_size: int, dtype: str, *, token_bytes: float
) -> Choice:
    count = len(anatomy(model).blocks)
    groups = config.groups if count % layers == 0 else "influence"
    size = file_bytes(model, dtype, layers=layers, vocab_size=vocab_size, token_bytes=token_bytes) / 1e6
    speed = speed_factor(model, layers=layers, vocab_size=vocab_size)
    return Choice(layers, groups, dtype, size, speed, vocab_size=vocab_size)


def _is_small(config: CompressConfig, choice: Choice) -> bool:
    return not config.target_mb or choice.megabytes <= config.target_mb
