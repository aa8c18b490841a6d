"""What `plan` says that a training will take against what it takes: tokens per second and memory of five sizes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from statistics import median

from mothertongue.run.derive import shape_from
from mothertongue.run.machine import measure_machine
from mothertongue.run.predict import predict
from train_job import SIZES, Job
from train_rounds import Bench, Result, Round, predictor_hash

SHAPES = {
    "2x128": Job(2, 128, 4, 4096, context=128, length=128, batch=16, steps=30),
    "4x256": Job(4, 256, 8, 8192, context=256, length=256, batch=8, steps=20),
    "6x384": SIZES["tiny"],
    "8x512": Job(8, 512, 8, 32768, context=512, length=512, batch=2, steps=12),
    "12x768": SIZES["small"],
}
NOTES = (
    "plan_worst_error: the largest |predicted / measured - 1| over five sizes, of tokens per second and of peak "
    "memory, each the median over rounds in which the machine is measured anew before each training",
)


def plan(bench: Bench, asked: argparse.Namespace) -> dict[str, float]:
    """The worst error of all sizes."""
    figures, errors = dict[str, float](), list[float]()
    for name, shape in SHAPES.items():
        job = shape.with_(steps=asked.steps or shape.steps)
        jobs = {"predicted": partial(predicted, job), "measured": partial(bench.train, "ours", job)}
        settings = {"shape": name, "job": asdict(job), "predictor": predictor_hash()}
        rounds = bench.turns("plan", settings, jobs)
        for measure in ("tokens_per_second", "peak_megabytes"):
            errors.append(error(rounds, measure))
            figures[f"plan_error_{name}_{measure}"] = round(errors[-1], 3)
    return figures | {"plan_worst_error": round(max(map(abs, errors)), 3)}


def predicted(job: Job) -> Result:
    """Tokens per second and peak megabytes of a training of this shape, as `plan` predicts them."""
    names = {"n_layer": job.layers, "n_embd": job.width, "n_head": job.heads, "n_positions": job.context}
    shape = replace(shape_from({**names, "vocab_size": job.vocabulary}), dropout=job.dropout)
    found = predict(shape, job.batch, job.length, measure_machine())
    return {"tokens_per_second": found.tokens_per_second, "peak_megabytes": found.megabytes}


def error(rounds: Sequence[Round], measure: str) -> float:
    """How much too high the prediction is, as a share; the median of the rounds.

    >>> error([{"predicted": {"x": 110.0}, "measured": {"x": 100.0}}], "x")
    0.10000000000000009
    """
    return median(one["predicted"][measure] / one["measured"][measure] - 1 for one in rounds)
