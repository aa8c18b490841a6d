"""The whole road on real text: what transfer gives against from-scratch, and Theseus against truncation.

Question: from the shipped English base and the text of recipes/czech-small.toml and bulgarian-small.toml, what are the
held-out bits per byte of each arm at equal compute? Arms: from scratch, `mean` and `align` rows (same training budget);
then, from the `align` model, the Theseus successor of half the layers and plain truncation (same budget).

    MOTHERTONGUE_DATA=../shared/data python benchmarks/road.py [cs] [bg]      over an hour of CPU each; resumable
    python benchmarks/road.py --collect                                       only gather what has finished

Manifests, logs and reports (no weights) are kept in benchmarks/results/road/.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from controls import controls, from_scratch
from mothertongue.evaluate.report import compare_reports
from mothertongue.languages import open_language
from mothertongue.run.artifact import Manifest, read_manifest
from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe
from results_file import RESULTS, ROOT, keep, read_figures, write_results

RECIPES = {"cs": "czech-small", "bg": "bulgarian-small"}
RUNS = ROOT / "runs" / "road"

# chosen on development text (docs/why/LOG.md), as the rates in the recipes were
SCRATCH_RATE, TRUNCATION_RATE = 1e-3, 1e-3

REPORTS = {
    "scratch": "evaluate-scratch",
    "mean": "evaluate-mean",
    "align": "evaluate-train",
    "predecessor": "evaluate-train",
    "theseus": "evaluate",
    "truncation": "evaluate-truncate",
}


def run(language: str) -> None:
    """Run recipe and controls of one language; finished steps are kept."""
    text = (ROOT / "recipes" / f"{RECIPES[language]}.toml").read_text("utf-8")
    arms = from_scratch(text, learning_rate=SCRATCH_RATE), controls(text, truncation_rate=TRUNCATION_RATE)
    run_recipe(parse_recipe("\n".join((text, *arms)), where=f"{language} road"), RUNS / language)


def collect() -> Path:
    """Figures, table and picture of everything that has finished."""
    figures: dict[str, float] = {}
    rows: list[dict[str, Any]] = []
    seconds = 0.0
    labels: dict[str, Path] = {}
    for language in RECIPES:
        manifests = {
            folder.name: read_manifest(folder)
            for folder in sorted((RUNS / language).glob("*/"))
            if (folder / "manifest.json").is_file()
        }
        seconds += sum(manifest["seconds"] for manifest in manifests.values())
        for arm, step in REPORTS.items():
            if step in manifests:
                figures[f"{language}_{arm}_bits_per_byte"] = manifests[step]["metrics"]["bits_per_byte"]
                labels[f"{open_language(language).name}/{arm}"] = RUNS / language / step
        if "evaluate" in manifests:
            for line in ("fivegram", "unigram", "xz", "uniform"):
                figures[f"{language}_{line}_bits_per_byte"] = manifests["evaluate"]["metrics"][f"{line}_bits_per_byte"]
        if "train" in manifests:
            training = manifests["train"]["metrics"]
            figures[f"{language}_training_tflop"] = round(training["tflop"], 1)
            figures[f"{language}_passes"] = round(training["tokens"] / training["tokens_per_epoch"], 3)
        rows += [row(language, name, manifest) for name, manifest in manifests.items()]
        keep_texts(language, manifests)
    labels = {label: folder for label, folder in labels.items() if not label.endswith("/predecessor")}
    if labels:
        print(compare_reports(labels, RESULTS / "road.png"))
    timings = {
        key: value for key, value in read_figures("clean_clone").items() if key in ("demo_seconds", "test_seconds")
    }
    return write_results("road", figures | timings, rows, seconds=seconds)


def row(language: str, name: str, manifest: Manifest) -> dict[str, Any]:
    """One step in a line: what it cost and what it gave."""
    numbers = {key: value for key, value in manifest["metrics"].items() if isinstance(value, (int, float, str))}
    return {"language": language, "step": name, "stage": manifest["stage"], "seconds": manifest["seconds"], **numbers}


def keep_texts(language: str, manifests: dict[str, Manifest]) -> None:
    """Copy manifests, logs and reports beside the results; no weights, and no text of the corpus."""
    for name in manifests:
        for file in ("manifest.json", "log.jsonl", "report.json", "report.md"):
            if (RUNS / language / name / file).is_file():
                keep(RUNS / language / name / file, RESULTS / "road" / language / name / file)


if __name__ == "__main__":
    started = time.monotonic()
    if "--collect" not in sys.argv:
        for chosen in [name for name in sys.argv[1:] if name in RECIPES] or list(RECIPES):
            run(chosen)
    print(collect(), f"{time.monotonic() - started:.0f} s")
