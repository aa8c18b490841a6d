"""The tables of docs/why/theseus.md, from results/compress.json: `docs_tables.py` writes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from compress_arms import BY_TOKENS, CONTROL, FINAL, TRIED_IN, old_of
from curve_tables import LANGUAGES
from results_file import Row, table

ALIKE = ("arm", "factor")


def perplexity_ratio(row: Row, old: Row) -> float:
    """Held-out perplexity per token of the predecessor `old`, as a multiple: of as many bytes for both."""
    bytes_per_token = math.log2(old["perplexity_per_token"]) / old["bits_per_byte"]
    return float(2 ** ((row["bits_per_byte"] - old["bits_per_byte"]) * bytes_per_token))


def reported(rows: Sequence[Row]) -> str:
    """Held-out results of each language; means of the seeds, and the distance of the outer ones."""
    parts = []
    for language in dict.fromkeys(row["language"] for row in rows):
        mine = [row for row in rows if row["language"] == language and "bits_per_byte" in row]
        olds = {row["arm"]: row for row in mine if "factor" not in row}
        lines: list[list[object]] = []
        for key in dict.fromkeys(tuple(row.get(name) for name in ALIKE) for row in mine):
            seeds = [row for row in mine if tuple(row.get(name) for name in ALIKE) == key]
            lines.append(_line(seeds, olds.get(key[0]) or olds[old_of(key[0])]))
        heads = [LANGUAGES[language], "layers", "perplexity ratio", "bits per byte", "next word", "tokens read"]
        parts.append(table([*heads, "MB", "tokens/s", "peak MB"], lines))
    return "\n".join(parts)


def _line(seeds: Sequence[Row], old: Row) -> list[object]:
    first = seeds[0]
    ratios = [perplexity_ratio(row, old) for row in seeds]
    spread = f" ({max(ratios) - min(ratios):.3f})" if len(ratios) > 1 else ""
    return [
        f"`{first['arm']}`" if first["arm"] in FINAL else first["arm"],
        first["layers"],
        f"{fmean(ratios):.3f}{spread}",
        f"{fmean(row['bits_per_byte'] for row in seeds):.3f}",
        f"{fmean(row['next_word_accuracy'] for row in seeds):.1%}",
        f"{first.get('tokens', 0) / old['tokens']:.1%}",
        f"{first['megabytes']:.1f}",
        f"{first['tokens_per_second']:.0f}",
        f"{first['peak_megabytes']:.0f}",
    ]


def tried(rows: Sequence[Row]) -> str:
    """What the default was chosen by: development text, one seed, two times fewer layers, equal compute."""
    found = [row for row in rows if (row["language"], row.get("factor"), row.get("seed")) == (TRIED_IN, 2, 0)]
    found = [row for row in found if row["arm"] not in set(BY_TOKENS) - {CONTROL}]
    lines = [[f"`{row['arm']}`", f"{row['dev_bits_per_byte']:.4f}", f"{row.get('tokens', 0) / 1e3:.0f}"]
             for row in sorted(found, key=lambda row: float(row["dev_bits_per_byte"]))]  # fmt: skip
    return table(["arm", "bits per byte", "thousand tokens"], lines)


def _ratio(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def smollm2(rows: Sequence[Row]) -> str:
    """A predecessor of 30 layers: each start by the number of layers left, and what was trained."""
    old, *others = rows
    layers = sorted({row["layers"] for row in others}, reverse=True)
    found = {(row["arm"], row["layers"], "tokens" in row): row for row in others}
    lines: list[list[object]] = [["predecessor", *["1"] * len(layers), f"{old['bits_per_byte']:.3f}", "", ""]]
    for arm, trained in dict.fromkeys((row["arm"], "tokens" in row) for row in others):
        mine = [found.get((arm, count, trained)) for count in layers]
        first = next(row for row in mine if row)
        name = f"`{arm}`" + " trained" * trained
        ratios = ["" if row is None else _ratio(row["perplexity_ratio"]) for row in mine]
        read = [f"{first['tokens'] / 1e3:.0f}", f"{first['tflop']:.0f}"] if trained else ["0", ""]
        lines.append([name, *ratios, f"{first['bits_per_byte']:.3f}", *read])
    heads = ["SmolLM2-135M", *(f"{count} layers" for count in layers), f"bits per byte, {layers[0]} layers"]
    return table([*heads, "thousand tokens", "TFLOP"], lines)


SMOLLM2: Mapping[str, Callable[[Sequence[Row]], str]] = {"compress_smollm2": smollm2}
TABLES: Mapping[str, Callable[[Sequence[Row]], str]] = {"compress_reported": reported, "compress_tried": tried}
