"""How far can a mixture row be believed? Shared tokens tell: the row they really have is known.

    python benchmarks/mixture_belief.py            a minute

For every token that both vocabularies have, the demo's transfer makes a mixture without using that token's own source
row, and the slope of the true row on the mixture (both less the mean row) is taken, by how often the token was seen in
the training text. A slope of 1: the mixture is right as far as it goes; 0: the mean row is as good. The number of
occurrences that is half believed is fitted as count / (count + half). Nothing held out is read.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mothertongue.demo import demo_languages, demo_recipe
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.run.build import run_recipe
from mothertongue.run.inputs import locate
from mothertongue.tokenizer.bytelevel import open_tokenizer
from mothertongue.transfer.anchors import find_rotation, trusted_anchors
from mothertongue.transfer.config import TransferConfig
from mothertongue.transfer.gather import corpus_streams, gather
from mothertongue.transfer.mixture import mixed_rows, softmax_of_nearest
from results_file import write_results

BINS = (5, 20, 60, 200, 10**9)
HALVES = range(1, 61)


def left_out(language: str, folder: Path) -> tuple[Tensor, Tensor, Tensor]:
    """Counts [N], mixtures [N, W] and true rows [N, W], less the mean row, of the shared tokens of one language."""
    run_recipe(demo_recipe(language), folder, until="tokenizer")
    config, tokenizer = TransferConfig(), open_tokenizer(folder / "tokenizer")
    source = open_checkpoint(locate("english-base"))
    material = gather(config, source, tokenizer, corpus_streams(config, tokenizer, folder / "corpus"))
    pair, mean_W = material.vectors(), material.source_rows.mean(dim=0)
    turned_VD = pair.target.vectors @ find_rotation(pair, trusted_anchors(pair, material))
    weigh = softmax_of_nearest(config.neighbours, config.temperature)
    counts, mixtures, rows = [], [], []
    for target, own in material.matches.items():
        if min(pair.target.counts[target], pair.source.counts[own]) < BINS[0]:
            continue
        others_SD = pair.source.vectors.clone()
        others_SD[own] = 0
        mixture = mixed_rows(turned_VD[[target]], others_SD, material.source_rows, weigh)[0]
        counts.append(pair.target.counts[target])
        mixtures.append(mixture - mean_W)
        rows.append(material.source_rows[own] - mean_W)
    return torch.stack(counts), torch.stack(mixtures), torch.stack(rows)


def slope(mixtures: Tensor, rows: Tensor) -> float:
    """Least squares of rows = slope * mixtures."""
    return round(float((mixtures * rows).sum() / mixtures.square().sum()), 4)


def error(half: int, counts: Tensor, mixtures: Tensor, rows: Tensor) -> float:
    """Squared distance of the drawn mixtures from the true rows."""
    return float((rows - (counts / (counts + half))[:, None] * mixtures).square().sum())


def main() -> None:
    started = time.monotonic()
    figures: dict[str, float] = {}
    lines: list[dict[str, Any]] = []
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for language in demo_languages():
            counts, mixtures, rows = left_out(language, Path(folder) / language)
            found.append((counts, mixtures, rows))
            for low, high in itertools.pairwise(BINS):
                chosen = (counts >= low) & (counts < high)
                line = {"language": language, "seen_from": low, "tokens": int(chosen.sum())}
                lines.append({**line, "slope": slope(mixtures[chosen], rows[chosen])})
                figures[f"{language}_slope_from_{low}"] = lines[-1]["slope"]
            figures[f"{language}_half"] = min(HALVES, key=lambda half: error(half, *found[-1]))
    figures["half"] = min(HALVES, key=lambda half: sum(error(half, *arrays) for arrays in found))
    print(figures, write_results("mixture_belief", figures, lines, seconds=time.monotonic() - started))


if __name__ == "__main__":
    main()
