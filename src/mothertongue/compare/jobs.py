"""All trainings of a comparison, in an order in which an early stop still leaves whole pairs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from mothertongue.compare.config import CompareConfig
from mothertongue.compare.ground import Ground
from mothertongue.compare.training import RESULT, BusyError, Job, Result, folder_of, run_job
from mothertongue.run.progress import say, span


@dataclass(frozen=True)
class Done:
    """What is finished, and what is not: time ran out, or other processes are still at it."""

    results: tuple[Result, ...]
    left: tuple[Job, ...]


def jobs_of(config: CompareConfig) -> Iterator[Job]:
    """Short trainings before long ones, all arms of a seed together."""
    for budget in sorted(set(config.budgets)):
        for seed in range(config.seeds):
            for arm in dict.fromkeys(config.arms):
                yield Job(arm, budget, seed)


def finished(ground: Ground) -> Done:
    """What is there, without making any."""
    jobs = list(jobs_of(ground.config))
    there = [job for job in jobs if (folder_of(ground, job) / RESULT).is_file()]
    return Done(tuple(run_job(ground, job) for job in there), tuple(job for job in jobs if job not in there))


def run_jobs(ground: Ground, *, max_hours: float = 0.0) -> Done:
    """Make every training that is not there; begin none after `max_hours` (0: no end), pass by those of others."""
    there, begun, made = finished(ground), time.monotonic(), 0.0
    results, left = list(there.results), list[Job]()
    for number, job in enumerate(there.left, 1):
        if max_hours and time.monotonic() - begun > 3600 * max_hours:
            left.append(job)
            continue
        try:
            results.append(run_job(ground, job))
        except BusyError:
            left.append(job)
            continue
        made += job.budget  # the time that a training takes goes with its budget
        to_make = sum(other.budget for other in there.left[number:])
        what = f"{job.arm} {job.budget:g} seed {job.seed}: {results[-1].bits_per_byte:.4f} bits per byte"
        rest = span((time.monotonic() - begun) * to_make / made)
        say(f"  [{number}/{len(there.left)}] {what}, about {rest} to go")
    return Done(tuple(results), tuple(left))
