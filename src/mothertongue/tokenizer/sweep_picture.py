"""The curve of a sweep: bits per byte over vocabulary size, with the spread of the seeds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mothertongue.tokenizer.sweep import Row

INK, CURVE = "#222222", "#1f4e79"


def draw_sweep(rows: Sequence[Row], out: Path, *, caption: str) -> None:
    """Write the picture of `rows` as PNG; the same rows make the same file."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 3.6), facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    sizes, bits = [row.vocab_size for row in rows], [row.bits_per_byte for row in rows]
    axes.errorbar(sizes, bits, yerr=[row.spread / 2 for row in rows], color=CURVE, marker="o", capsize=3, zorder=3)
    for row in rows:
        words = f"{row.bits_per_byte:.3f}\n{row.bytes_per_token:.2f} bytes/token"
        place = (row.vocab_size, row.bits_per_byte)
        axes.annotate(words, place, xytext=(5, 6), textcoords="offset points", ha="left", fontsize=8, color=INK)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes], fontsize=9)
    axes.minorticks_off()
    axes.margins(x=0.18, y=0.3)
    axes.set_xlabel("tokens in the vocabulary", fontsize=9, color=INK)
    axes.set_ylabel("bits per byte", fontsize=9, color=INK)
    axes.set_title(caption, loc="left", fontsize=9, color=INK)
    axes.grid(color="#e4e4e4", linewidth=0.7, zorder=0)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.savefig(out, format="png", dpi=150, metadata={"Software": None})
