"""The tables of docs/why/training.md, from results/train.json: `docs_tables.py` writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import mean, median

from results_file import Row, table

NAMES = {"trainer": "transformers Trainer", "fastai": "fastai", "lightning": "Lightning", "accelerate": "accelerate",
         "plain": "plain loop", "nano": "nanoGPT-style", "ours": "**ours**"}  # fmt: skip
KINDS = (("tiny", 0.0), ("tiny", 0.1), ("small", 0.0), ("small_1024", 0.0))


def speed(rows: Sequence[Row]) -> str:
    """Speed against Trainer in the same round, and peak memory; medians."""
    found = {(row["who"], row["size"], row["dropout"], row["round"]): row for row in rows if row["question"] == "speed"}
    rounds = sorted({key[3] for key in found})

    def against(who: str, kind: tuple[str, float]) -> object:
        pairs = [(found.get((who, *kind, one)), found.get(("trainer", *kind, one))) for one in rounds]
        ratios = [mine["tokens_per_second"] / its["tokens_per_second"] for mine, its in pairs if mine and its]
        return f"{median(ratios):.2f}" if ratios else ""

    def memory(who: str, kind: tuple[str, float]) -> object:
        peaks = [row["peak_megabytes"] for one in rounds if (row := found.get((who, *kind, one)))]
        return f"{median(peaks):,.0f}" if peaks else ""

    heads = ["tokens per second against Trainer's; peak MB"]
    heads += [f"{size.replace('_', ', T ')}{', dropout' * (drop > 0)}" for size, drop in KINDS for _ in "ab"]
    heads[2::2] = ["MB"] * len(KINDS)
    lines = [[name, *(cell(who, kind) for kind in KINDS for cell in (against, memory))] for who, name in NAMES.items()]
    return table(heads, lines)


def planned(rows: Sequence[Row]) -> str:
    """What `plan` predicts against what is measured; medians over rounds."""
    own = [row for row in rows if row["question"] == "plan"]
    lines = []
    for shape in dict.fromkeys(row["shape"] for row in own):
        of = {
            who: [row for row in own if (row["shape"], row["who"]) == (shape, who)] for who in ("predicted", "measured")
        }
        line: list[object] = [shape]
        for measure in ("tokens_per_second", "peak_megabytes"):
            said, was = ([row[measure] for row in of[who]] for who in ("predicted", "measured"))
            off = median(one / other - 1 for one, other in zip(said, was, strict=True))
            line += [f"{median(was):,.0f}", f"{off:+.0%}"]
        lines.append(line)
    return table(["layers x width", "tokens/s", "predicted", "peak MB", "predicted"], lines)


def learnt(rows: Sequence[Row]) -> str:
    """Held-out bits per byte after equal time: mean over the seeds, and their spread."""
    own = [row for row in rows if row["question"] == "trained"]
    languages = list(dict.fromkeys(row["language"] for row in own))
    lines = []
    for who in dict.fromkeys(row["who"] for row in own):
        line: list[object] = [who]
        for language in languages:
            bits = [row["heldout"] for row in own if (row["who"], row["language"]) == (who, language)]
            spread = f"{max(bits) - min(bits):.3f}" if len(bits) > 1 else "one seed"
            line.append(f"{mean(bits):.3f} ({spread})" if bits else "")
        lines.append(line)
    return table(["recipe", *(f"{language}: bits per byte (spread)" for language in languages)], lines)


TABLES: dict[str, Callable[[Sequence[Row]], str]] = {one.__name__: one for one in (speed, planned, learnt)}
