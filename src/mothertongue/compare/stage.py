"""The step `compare`: every training that is asked for, then report.json, report.md and curve.png."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mothertongue.compare.arms import find_arm
from mothertongue.compare.config import CompareConfig
from mothertongue.compare.curves import Spot, best_arm, figures_of, notes_of, point_of, spots, tflop_per_second
from mothertongue.compare.ground import Ground, open_ground
from mothertongue.compare.jobs import jobs_of, run_jobs
from mothertongue.compare.picture import draw_curves
from mothertongue.compare.training import Result
from mothertongue.errors import ArtifactError
from mothertongue.run.artifact import Metrics, write_json
from mothertongue.run.disk import write_text
from mothertongue.run.files import expand
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.progress import say

POLICY = (
    "Each point is a training of its own, annealed to zero. Arms read the same text in the same order. Compute counts "
    "training, probes of rates and initial rows. The saving is the compute with which training from scratch reaches "
    "the same bits per byte, divided by the arm's own."
)


def compare(config: CompareConfig, out: Path, *, checkpoint: Path, tokenizer: Path, corpus: Path) -> Metrics:
    """Compare the arms into `out`. Trainings stay in `out`/progress, or in the workspace, until all are finished."""
    work = Path(expand(config.workspace)) if config.workspace else out / PROGRESS / "trainings"
    ground = open_ground(config, work, checkpoint=checkpoint, tokenizer=tokenizer, corpus=corpus)
    total = len(list(jobs_of(config)))
    say(f"  {total} trainings of {ground.parameters / 1e6:.3g} M parameters, {', '.join(config.arms)}")
    done = run_jobs(ground, max_hours=config.max_hours)
    if done.left:
        raise ArtifactError(
            f"{len(done.left)} of {total} trainings are not finished: the time is over, or another process works on "
            "them. The same command continues."
        )
    found, speed = spots(done.results), tflop_per_second(done.results)
    figures, notes = figures_of(found), notes_of(found)
    write_json(
        out / "report.json",
        {
            "figures": figures,
            "rows": [row(result, speed) for result in done.results],
            "notes": notes,
            "measured": {
                "split": config.split,
                "documents": len(ground.texts),
                "bytes": sum(len(text.encode()) for text in ground.texts),
                "parameters": ground.parameters,
            },
        },
    )
    told = "\n".join(render(ground, found, notes))
    write_text(out / "report.md", told + "\n")
    say(told)
    draw_curves({f"{ground.parameters / 1e6:.3g} M parameters": found}, out / "curve.png")
    best = best_arm(found)
    chosen = {"best": best, "best_method": find_arm(best).method} if best else {}
    measured = {"parameters": ground.parameters, "tflop_per_processor_second": speed}
    return {"trainings": total, **measured, **chosen, **figures}


def row(result: Result, speed: float) -> dict[str, Any]:
    """A training in a line; seconds, which differ each time, stand in it as the TFLOP that they are worth."""
    kept = {key: value for key, value in asdict(result).items() if not key.endswith("_seconds")}
    return {**kept, "tflop": point_of(result, speed).tflop}


def render(ground: Ground, found: Sequence[Spot], notes: Sequence[str]) -> Iterator[str]:
    """The report as a table and sentences."""
    side = {"heldout": "held-out", "dev": "development"}[ground.config.split]
    yield from ("# What does the transfer save?", "", POLICY, "")
    yield f"Measured on {len(ground.texts)} {side} documents; {ground.config.seeds} seeds (spread: worst less best)."
    yield from (
        "",
        "| arm | tokens per parameter | TFLOP | bits per byte | spread | saving |",
        "|---|---:|---:|---:|---:|---:|",
    )
    for spot in found:
        spread = f"{max(spot.bits) - min(spot.bits):.4f}" if len(spot.bits) > 1 else ""
        factor = str(spot.saving) if spot.saving else ""
        cells = (spot.arm, f"{spot.budget:g}", f"{spot.point.tflop:.3g}", f"{spot.point.bits:.4f}", spread, factor)
        yield f"| {' | '.join(cells)} |"
    yield from ("", *(f"- {note}" for note in notes))
