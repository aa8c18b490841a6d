"""Transfer against from-scratch at the demo's scale, three seeds: is `align` below `mean`, and both below from-scratch?

    python benchmarks/demo_seeds.py            about 20 minutes of CPU per language; resumable

The demo's own recipe and text (the miniature encyclopaedia), equal compute for every arm, held-out bits per byte.
"""

from __future__ import annotations

import statistics
import sys

from controls import controls
from mothertongue.demo import demo_languages, demo_recipe
from mothertongue.evaluate.report import compare_reports
from mothertongue.languages import open_language
from mothertongue.run.artifact import read_manifest
from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe
from results_file import RESULTS, ROOT, write_results

SEEDS = (0, 1, 2)
RUNS = ROOT / "runs" / "demo-seeds"
ARMS = {
    "scratch": "evaluate-scratch",
    "mean": "evaluate-mean",
    "align": "evaluate",
    "theseus": "evaluate-compress",
    "truncation": "evaluate-truncate",
}

TRUNCATION_RATE = 3e-4  # chosen on development text (docs/why/LOG.md)


def run(language: str, seed: int) -> dict[str, float]:
    """Held-out bits per byte of every arm for one seed."""
    recipe = demo_recipe(language, seed=seed)
    text = recipe.text + "\n" + controls(recipe.text, truncation_rate=TRUNCATION_RATE)
    changes = {**recipe.changes, "mean.seed": str(seed), "truncate.seed": str(seed)}
    manifests = run_recipe(parse_recipe(text, changes=changes), RUNS / f"{language}-{seed}")
    found = {arm: manifests[step]["metrics"]["bits_per_byte"] for arm, step in ARMS.items()}
    return found | {"fivegram": manifests["evaluate"]["metrics"]["fivegram_bits_per_byte"]}


def main() -> None:
    rows = []
    figures: dict[str, float] = {}
    for language in [name for name in sys.argv[1:] if name in demo_languages()] or demo_languages():
        found = [run(language, seed) for seed in SEEDS]
        rows += [{"language": language, "seed": seed, **arms} for seed, arms in zip(SEEDS, found, strict=True)]
        for arm in found[0]:
            values = [arms[arm] for arms in found]
            figures[f"{language}_{arm}_bits_per_byte"] = round(statistics.mean(values), 5)
            figures[f"{language}_{arm}_spread"] = round(max(values) - min(values), 5)
        for better, worse in (("align", "mean"), ("mean", "scratch"), ("theseus", "truncation")):
            figures[f"{language}_{better}_wins_over_{worse}"] = sum(arms[better] < arms[worse] for arms in found)
    groups = sorted({str(row["language"]) for row in rows})
    labels = {
        f"{open_language(name).name}/{arm}": RUNS / f"{name}-0" / step for name in groups for arm, step in ARMS.items()
    }
    print(compare_reports(labels, RESULTS / "demo_seeds.png"))
    print(
        write_results(
            "demo_seeds", figures, rows, seconds=sum(read_manifest(folder)["seconds"] for folder in RUNS.glob("*/*/"))
        )
    )
    for name, value in figures.items():
        print(f"{name:45} {value}")


if __name__ == "__main__":
    main()
