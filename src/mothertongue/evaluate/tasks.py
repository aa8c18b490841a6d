"""What can be measured: a table from a task's name to "module:function", resolved on first use.

A task is a function from a `Subject` to an `Outcome`. A new one is a file and a line in TASKS; another package adds one
by an entry point in the group `mothertongue.evaluate_tasks`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mothertongue.run.table import Table

if TYPE_CHECKING:
    from mothertongue.evaluate.config import EvaluateConfig
    from mothertongue.model.checkpoint import Checkpoint


@dataclass(frozen=True)
class Subject:
    """What a task may look at."""

    checkpoint: Checkpoint
    corpus: Path  # its training side is for baselines only
    texts: Sequence[str]  # the documents to measure on
    config: EvaluateConfig
    workspace: Path  # a folder for files that are needed while the task runs


@dataclass(frozen=True)
class Outcome:
    """What a task found."""

    figures: dict[str, float]  # flat: what the manifest and other reports compare by name
    rows: list[dict[str, Any]] = field(
        default_factory=list
    )  # {"name", "bits_per_byte", "what"}: lines of table and picture
    notes: list[str] = field(default_factory=list)  # what a reader of the figures must know


Task = Callable[[Subject], Outcome]

TASKS: Table[Task] = Table(
    "evaluation task",
    "mothertongue.evaluate_tasks",
    {
        "baselines": "mothertongue.evaluate.baselines:baselines",
        "bits_per_byte": "mothertongue.evaluate.bits_per_byte:bits_per_byte",
        "next_word": "mothertongue.evaluate.next_word:next_word",
        "speed": "mothertongue.evaluate.speed:speed",
    },
)
