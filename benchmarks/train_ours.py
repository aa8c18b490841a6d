"""Our own engine in the comparison: `train_ours.py ours JOB`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from train_engine import learn
from train_job import Job, Meter, answer, gpt2, keep, peak_megabytes


def ours(job: Job) -> dict[str, float]:
    """Its defaults: AdamW, gradients clipped at 1.

    Its only hook is before a step: one step more than is timed tells when the last one has ended, and keeps the saving
    of the state after the very last out of the measure, as nobody else saves anything.
    """
    meter, model = Meter(job), gpt2(job)
    with tempfile.TemporaryDirectory() as folder:
        learn(model, job, Path(folder), steps=job.warm + job.steps + (not job.out), before_step=meter.at)
    if job.out:
        meter.at(job.warm + job.steps)
        keep(job, model)
    return {**meter.found, "peak_megabytes_with_save": peak_megabytes()}


if __name__ == "__main__":
    answer({"ours": ours})
