"""Our engine as the benchmark calls it: the one place that knows its entry, for speed, kills and what is learnt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from mothertongue.train.config import TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.loop import fit
from mothertongue.train.schedule import phases
from train_job import Job, token_stream


def learn(
    model: Any, job: Job, out: Path, *, steps: int, before_step: Callable[[int], None], save_minutes: float = 1e4
) -> None:
    """Train `model` in place for so many steps, from the newest state in `out` if there is one."""
    config = TrainConfig(
        batch_size=job.batch, sequence_length=job.length, dropout=job.dropout, learning_rate=job.rate, steps=steps,
        seed=job.seed, save_minutes=save_minutes, **job.settings,
    )  # fmt: skip
    windows = Windows(token_stream(job), job.length, job.seed)
    fit(model, windows, phases(config, steps, job.rate), config, out, before_step=before_step)
