"""Compression: what do fewer layers cost, by which method, at equal compute and at most a tenth of the tokens?

    MOTHERTONGUE_DATA=../shared/data chrt -i 0 python benchmarks/compress.py --hours 5       resumable; both languages
    python benchmarks/compress.py --language cs --factor 2 --seed 0 --only theseus distill-all
    python benchmarks/compress.py --toy --only truncate distill paper             minutes: the machinery alone
    python benchmarks/compress.py --collect                                       gather what has finished

Order: the predecessors, then at two times fewer layers every arm once in Czech (to choose by development text), then
the arms that are reported with further seeds and factors. Arms and budgets: compress_arms.py. Ratios are of perplexity
per token of the predecessor, so that a successor with other tokens is measured alike; `ratio_Nx` is that of the chosen
arm with a tenth of the tokens, all other figures at 2x are of arms with equal compute. `disk_..` and `speed_factor` are
of the Czech model with fewer tokens and of a wider Bulgarian one with all, `trimmed_..` of those with fewer tokens in
both. Speeds are those of llama.cpp at batch 1, measured for all models at the end. Languages of which nothing is here
keep the rows that the results have.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compress_arms import (
    ARMS,
    BY_TOKENS,
    CHOSEN,
    CONTROL,
    DISK,
    FACTORS,
    FINAL,
    LONG,
    REAL,
    RECIPES,
    SEEDS,
    SMALL_FACTOR,
    TINY,
    TOY,
    TRIED_IN,
    TRUNCATED,
    UNTRAINED,
    WIDE,
    WIDE_SMALL,
    Scale,
    arm_recipe,
    old_of,
    predecessor_recipe,
    wide_recipe,
)
from compress_picture import draw
from compress_speed import speeds
from compress_tables import perplexity_ratio
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.run.artifact import MANIFEST, Metrics, read_manifest
from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe
from results_file import RESULTS, ROOT, read_rows, write_results


@dataclass(frozen=True)
class Job:
    """One arm of one language."""

    language: str
    factor: int
    seed: int
    arm: str

    def folder(self, runs: Path) -> Path:
        """Where its run is."""
        return runs / self.language / f"{self.factor}x-{self.arm}-{self.seed}"


def jobs(asked: argparse.Namespace) -> list[Job]:
    """Everything that was asked for, the most telling first; the control that sets a budget before the others."""
    every = [
        Job(language, factor, seed, arm)
        for factor in asked.factor or FACTORS
        for seed in SEEDS
        for arm in ARMS
        for language in asked.language or RECIPES
        if arm != WIDE_SMALL or arm == DISK[language]
        if (arm, seed) == (CONTROL, 0) or not asked.seed or seed in asked.seed
        if (seed in FINAL[arm].get(factor, ()) if arm in FINAL else (language, factor, seed) == (TRIED_IN, 2, 0))
    ]
    chosen = [job for job in every if not asked.only or job.arm in asked.only or (job.arm, job.seed) == (CONTROL, 0)]
    return sorted(chosen, key=lambda job: ((job.factor, job.seed) != (2, 0), job.seed, job.factor))


def home_of(language: str, runs: Path, arm: str = "") -> Path:
    """The run of the predecessor that an arm begins from."""
    return runs / language / old_of(arm)


def run(job: Job, runs: Path, scale: Scale) -> None:
    """One arm, with the budget of its factor's control."""
    home = home_of(job.language, runs)
    length: dict[str, Any] = {}
    if job.arm in BY_TOKENS:
        tokens = scale.compressing["batch_size"] * scale.training["sequence_length"]
        read = metrics(home_of(job.language, runs, job.arm) / "train")["tokens"]
        length = {"steps": max(1, int(BY_TOKENS[job.arm] * read / tokens))}
    elif job.arm not in UNTRAINED:
        control = Job(job.language, job.factor, 0, CONTROL).folder(runs)
        length = {"budget_teraflop": float(metrics(control / "arm")["tflop"])}
    text = arm_recipe(job.arm, home, scale, factor=job.factor, seed=job.seed, length=length)
    run_recipe(parse_recipe(text, where=str(job)), job.folder(runs))


def metrics(folder: Path) -> Metrics:
    """Of a finished step."""
    found: Metrics = read_manifest(folder)["metrics"]
    return found


def rows(runs: Path) -> Iterator[dict[str, Any]]:
    """A line for every arm that has finished, and for the predecessors."""
    for home in (runs / language / name for language in sorted(RECIPES) for name in ("predecessor", WIDE)):
        if (home / "evaluate" / MANIFEST).is_file():
            yield {"language": home.parent.name, "arm": home.name, **_row(home, "train")}
    for folder in sorted(runs.glob("*/*x-*")):
        if (folder / "choose" / MANIFEST).is_file():
            factor, _, rest = folder.name.partition("x-")
            arm, _, seed = rest.rpartition("-")
            place = {"language": folder.parent.name, "arm": arm, "factor": int(factor), "seed": int(seed)}
            yield {**place, **_row(folder, "arm")}


def _row(folder: Path, step: str) -> dict[str, Any]:
    made, chosen = metrics(folder / step), metrics(folder / "choose")
    model = open_checkpoint(folder / step).model
    layers, dtype = len(anatomy(model).blocks), str(made.get("dtype", "float32"))
    row: dict[str, Any] = {key: made[key] for key in ("tokens", "tflop", "steps", "parameters") if key in made}
    row |= {"layers": layers, "dtype": dtype}
    row |= {"vocabulary": anatomy(model).embeddings.num_embeddings, "dev_bits_per_byte": chosen["bits_per_byte"]}
    row |= {"seconds": made.get("seconds", read_manifest(folder / step)["seconds"])}  # the former survives a kill
    if (folder / "evaluate" / MANIFEST).is_file():
        found = metrics(folder / "evaluate")
        wanted = ("bits_per_byte", "perplexity_per_token", "next_word_accuracy")
        row |= {key: found[key] for key in wanted if key in found}
    return row


def with_speeds(found: list[dict[str, Any]], runs: Path) -> list[dict[str, Any]]:
    """The rows with size, speed and memory, measured now and by turns; models of one shape and type share theirs."""

    def shape(row: dict[str, Any]) -> str:
        return "-".join(str(row[key]) for key in ("language", "layers", "vocabulary", "parameters", "dtype"))

    def place(row: dict[str, Any]) -> Path:
        if "factor" not in row:
            return runs / row["language"] / row["arm"] / "train"
        return Job(row["language"], row["factor"], row["seed"], row["arm"]).folder(runs) / "arm"

    measured = speeds({shape(row): (place(row), row["dtype"]) for row in found})
    return [{**row, **asdict(measured[shape(row)])} for row in found]


def figures(found: list[dict[str, Any]]) -> dict[str, float]:
    """What the issue asks for by name, for every language with a finished predecessor: means over seeds."""
    result: dict[str, float] = {}
    for language in dict.fromkeys(row["language"] for row in found):
        mine = [row for row in found if row["language"] == language and "bits_per_byte" in row]
        olds = {row["arm"]: row for row in mine if "factor" not in row}
        names = {f"ratio_{factor}x": (LONG, factor) for factor in FACTORS}
        names |= {f"{arm}_ratio_2x": (arm, 2) for arm in ("paper", "distill", "theseus", "scratch")}
        names |= {"truncation_ratio_2x": (TRUNCATED, 2), "equal_compute_ratio_2x": (CHOSEN, 2)}
        names |= {"disk_ratio": (DISK[language], SMALL_FACTOR), "trimmed_disk_ratio": (TINY, SMALL_FACTOR)}
        for name, (arm, factor) in names.items():
            seeds = [row for row in mine if (row["arm"], row.get("factor")) == (arm, factor)]
            ratios = [perplexity_ratio(row, olds[old_of(arm)]) for row in seeds]
            if ratios:
                result[f"{language}_{name}"] = round(statistics.mean(ratios), 5)
            if len(ratios) > 1:
                result[f"{language}_{name}_spread"] = round(max(ratios) - min(ratios), 5)
        result |= {f"{language}_{name}": value for name, value in _factors(mine, olds, disk=DISK[language]).items()}
        result |= {f"{language}_{name}": value for name, value in _gaps(mine, olds).items()}
    return result


def _factors(mine: list[dict[str, Any]], olds: dict[str, dict[str, Any]], *, disk: str) -> dict[str, float]:
    """Size, speed and tokens, beside those of the predecessor."""
    result = {}
    for name, arm in {"": disk, "trimmed_": TINY}.items():
        for row in (row for row in mine if row["arm"] == arm):
            old = olds[old_of(arm)]
            result[f"{name}disk_factor"] = round(old["megabytes"] / row["megabytes"], 3)
            result[f"{name}disk_tokens_share"] = round(row["tokens"] / old["tokens"], 4)
            if "tokens_per_second" in old:
                result[f"{name}speed_factor"] = round(row["tokens_per_second"] / old["tokens_per_second"], 3)
    if read := [row["tokens"] for row in mine if row["arm"] == LONG]:
        result["tokens_share"] = round(max(read) / olds[old_of(LONG)]["tokens"], 4)
    return result


def _gaps(mine: list[dict[str, Any]], olds: dict[str, dict[str, Any]]) -> dict[str, float]:
    """What of a gap the chosen arm closes at two times fewer layers and equal compute.

    `retained_2x` is of the gap between training from scratch and the predecessor, `.._gap_closed_2x` of those of
    truncation and of the paper's recipe.
    """

    def bits(arm: str) -> list[float]:
        return [row["bits_per_byte"] for row in mine if (row["arm"], row.get("factor")) == (arm, 2)]

    result = {}
    gaps = {"retained_2x": "scratch", "truncation_gap_closed_2x": TRUNCATED, "paper_gap_closed_2x": "paper"}
    for name, arm in gaps.items():
        if bits(CHOSEN) and bits(arm):
            theirs, ours = statistics.mean(bits(arm)), statistics.mean(bits(CHOSEN))
            gap = theirs - olds[old_of(CHOSEN)]["bits_per_byte"]
            result[name] = round((theirs - ours) / gap, 4) if gap > 0 else math.nan
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", nargs="*", choices=list(RECIPES))
    parser.add_argument("--factor", nargs="*", type=int, choices=FACTORS)
    parser.add_argument("--seed", nargs="*", type=int)
    parser.add_argument("--only", nargs="*", choices=list(ARMS), help="these arms, and the one that sets their budget")
    parser.add_argument("--hours", type=float, default=math.inf, help="begin nothing new after so long")
    parser.add_argument("--toy", action="store_true", help="tiny models: proves the machinery, and writes no results")
    parser.add_argument("--collect", action="store_true", help="only gather what has finished")
    asked = parser.parse_args()
    runs, scale = ROOT / "runs" / ("compress-toy" if asked.toy else "compress"), TOY if asked.toy else REAL
    begun = time.monotonic()
    for language in () if asked.collect else asked.language or RECIPES:
        home = home_of(language, runs)
        run_recipe(parse_recipe(predecessor_recipe(language, scale), where=language), home)
        if DISK[language] == WIDE_SMALL:
            run_recipe(parse_recipe(wide_recipe(home, scale), where=language), home.with_name(WIDE))
    for job in [] if asked.collect else jobs(asked):
        if time.monotonic() - begun > 3600 * asked.hours:
            print(f"{asked.hours:g} hours are over; the same command goes on from here")
            break
        run(job, runs, scale)
    found = with_speeds(list(rows(runs)), runs)
    if not asked.toy:
        here = {row["language"] for row in found}
        found = [*(row for row in read_rows("compress") if row["language"] not in here), *found]
    for row in found:
        print({key: round(value, 4) if isinstance(value, float) else value for key, value in row.items()})
    print(figures(found))
    if not asked.toy:
        draw(found, RESULTS / "compress.png")
        print(write_results("compress", figures(found), found, seconds=sum(row["seconds"] for row in found)))


if __name__ == "__main__":
    main()
