"""The step `evaluate`: every task on the same held-out documents, then report.json, report.md and report.png."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from mothertongue.corpus.split import Split
from mothertongue.evaluate.config import EvaluateConfig
from mothertongue.evaluate.heldout import heldout_texts
from mothertongue.evaluate.report import write_report
from mothertongue.evaluate.tasks import TASKS, Outcome, Subject
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.run.artifact import Metrics, write_json
from mothertongue.run.manifest import PROGRESS


def evaluate(config: EvaluateConfig, out: Path, *, checkpoint: Path, corpus: Path) -> Metrics:
    """Measure `checkpoint` on a side of `corpus` into `out`; metrics are the figures of all tasks, by name.

    Tasks that a killed attempt has finished are not measured again.
    """
    workspace = out / PROGRESS
    workspace.mkdir(exist_ok=True)
    for file in out.glob(".report.*"):
        file.unlink()  # half-written by a killed attempt
    texts = heldout_texts(corpus, cast(Split, config.split), max_megabytes=config.max_megabytes, seed=config.seed)
    subject = Subject(open_checkpoint(checkpoint), corpus, texts, config, workspace)
    outcomes = {task: _measure(task, subject) for task in config.tasks}
    report = write_report(out, outcomes, subject)
    return {"split": config.split, **report["figures"]}


def _measure(task: str, subject: Subject) -> Outcome:
    file = subject.workspace / f"{task}.json"
    if file.is_file():
        return Outcome(**json.loads(file.read_text("utf-8")))
    outcome = TASKS.load(task)(subject)
    write_json(file, {"figures": outcome.figures, "rows": outcome.rows, "notes": outcome.notes})
    return outcome
