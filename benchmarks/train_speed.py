"""Speed and memory of all trainers at equal settings, and how near ours is to the matrix products alone."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from functools import partial
from statistics import median

from train_job import SIZES
from train_rounds import Bench, Round, ratio

ARMS = ("trainer", "fastai", "lightning", "accelerate", "plain", "nano", "ours")
NOTES = (
    "speed: fp32, AdamW, a step for each batch (ours adds up the gradients of 768 tokens at a time, its default on a "
    "CPU, the others take it whole), equal batch, length, dropout and tokens (seeded draws); gradients are "
    "clipped at 1 by Trainer, nano and ours, as they do by default, not by fastai, Lightning, accelerate, plain",
    "speed: a step's seconds are the median of the timed steps after the warm-up, by the clock that was asked for; "
    "rows have mean and least by both clocks (processor: of all threads); peak_megabytes is VmHWM at their end, "
    "imports included; X_vs_Y is the median over rounds of X's tokens per second over Y's in the same round",
    "memory_vs_trainer: ours over Trainer's, tiny, without dropout; those of other sizes are figures of their own",
    "share_of_gemm: seconds of a step's matrix products alone over seconds of our step, of the same round, without "
    "dropout; small is GPT-2 124 M at T 256, small_1024 at T 1,024. The products are those of every linear layer and "
    "of the head, forward and both gradients, and attention's two and their four backward over the whole square, each "
    "the fastest way torch has (MKL or oneDNN, operands stored any way, in cache, no page faults). "
    "share_of_gemm_..._causal counts half of attention's, as a causal mask needs only half: no step can be below it",
    "share_of_peak: operations of the products (attention's half) per second of our step, over those of a large "
    "square product by the faster library",
)


def speed(bench: Bench, asked: argparse.Namespace) -> dict[str, float]:
    """Figures of every size that was asked for, at every dropout."""
    figures: dict[str, float] = {}
    for size in asked.sizes:
        for dropout in asked.dropouts:
            job = SIZES[size].with_(dropout=dropout, steps=asked.steps or SIZES[size].steps, clock=asked.clock)
            arms = {arm: partial(bench.train, arm, job) for arm in asked.arms}
            if "ours" in arms and not dropout:
                arms["bound"] = partial(bench.bound, job)
            rounds = bench.turns("speed", {"size": size, "dropout": dropout, "job": asdict(job)}, arms)
            figures |= ratios(size + "{}" + ("_dropout" if dropout else ""), rounds)
            if "bound" in arms:
                figures |= shares(size, rounds)
    if "memory_vs_trainer_tiny" in figures:
        figures["memory_vs_trainer"] = figures["memory_vs_trainer_tiny"]
    return figures


def ratios(name: str, rounds: list[Round]) -> dict[str, float]:
    """Ours against every peer, every peer against Trainer; `name` has a place for what is compared."""
    arms = [arm for arm in rounds[0] if arm != "bound"]
    figures = {name.format("_tokens_per_second"): median(one["ours"]["tokens_per_second"] for one in rounds)}
    figures |= {name.format(f"_vs_{arm}"): ratio(rounds, "ours", arm) for arm in arms if arm != "ours"}
    if "trainer" in arms:
        others = [arm for arm in arms if arm not in ("ours", "trainer")]
        figures |= {name.format(f"_{arm}_vs_trainer"): ratio(rounds, arm, "trainer") for arm in others}
        memory = ratio(rounds, "ours", "trainer", "peak_megabytes")
        figures[f"memory_vs_trainer_{name.format('')}"] = memory
    return figures


def shares(size: str, rounds: list[Round]) -> dict[str, float]:
    """How much of our step is its matrix products, and of the machine's peak is used."""

    def part(measure: str) -> float:
        return round(median(one["bound"][measure] / one["ours"]["step_seconds"] for one in rounds), 3)

    peaks = [max(one["bound"][f"{library}_gigaflop_per_second"] for library in ("MKL", "oneDNN")) for one in rounds]
    used = [one["bound"]["causal_gigaflop"] / one["ours"]["step_seconds"] for one in rounds]
    return {
        f"share_of_gemm_{size}": part("seconds"),
        f"share_of_gemm_{size}_causal": part("causal_seconds"),
        f"share_of_peak_{size}": round(median(one / peak for one, peak in zip(used, peaks, strict=True)), 3),
        f"{size}_gigaflop_per_second": round(median(used), 1),
    }
