"""The table of stages: name -> what it makes, its settings, its function, what it needs. The only list of stages.

Functions and settings are named as "module:name" and imported on first use, so that this room stays light.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, suggest
from mothertongue.run.table import resolve

if TYPE_CHECKING:
    from mothertongue.run.artifact import Kind, Metrics


@dataclass(frozen=True)
class Stage:
    """One verb. `version` rises when the same settings would give another result."""

    name: str
    makes: Kind
    help: str
    needs: dict[str, Kind] = field(default_factory=dict)  # role -> kind of artifact
    optional: dict[str, Kind] = field(default_factory=dict)  # taken if there is one
    version: int = 1
    team: bool = False  # of several processes (run/team.py) all take part, not the first alone

    @property
    def roles(self) -> dict[str, Kind]:
        """Every input it takes: role -> kind of artifact."""
        return {**self.needs, **self.optional}

    @property
    def config(self) -> type[Settings]:
        """The dataclass of its settings: `mothertongue.train.config:TrainConfig` for train."""
        settings: type[Settings] = resolve(f"mothertongue.{self.name}.config:{self.name.capitalize()}Config")
        return settings

    @property
    def function(self) -> Callable[..., Metrics]:
        """The stage itself: `mothertongue.train.stage:train` for train."""
        stage: Callable[..., Metrics] = resolve(f"mothertongue.{self.name}.stage:{self.name}")
        return stage


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage(
            "corpus",
            "corpus",
            "Raw text (dumps, books, web pages, data sets) into clean shards with a held-out side.",
            version=2,
        ),
        Stage(
            "tokenizer",
            "tokenizer",
            "A vocabulary from a corpus: byte-level BPE or unigram.",
            {"corpus": "corpus"},
        ),
        Stage(
            "model",
            "checkpoint",
            "A fresh model with random weights, for training from scratch.",
            {"tokenizer": "tokenizer"},
        ),
        Stage(
            "transfer",
            "checkpoint",
            "Move a model to a new vocabulary, keeping what it knows.",
            {"checkpoint": "checkpoint", "corpus": "corpus"},
            {"tokenizer": "tokenizer"},
        ),
        Stage(
            "train",
            "checkpoint",
            "Train a checkpoint on a corpus.",
            {"checkpoint": "checkpoint", "corpus": "corpus"},
            team=True,
        ),
        Stage(
            "compress",
            "checkpoint",
            "Fewer layers, by Theseus module replacing.",
            {"checkpoint": "checkpoint", "corpus": "corpus"},
            team=True,
        ),
        Stage(
            "evaluate",
            "report",
            "Measure a checkpoint on held-out text, beside honest baselines.",
            {"checkpoint": "checkpoint", "corpus": "corpus"},
        ),
        Stage(
            "compare",
            "report",
            "Draw the honest curve: what each way of transfer saves against training from scratch.",
            {"checkpoint": "checkpoint", "tokenizer": "tokenizer", "corpus": "corpus"},
        ),
        Stage(
            "export",
            "export",
            "A folder that other tools open, read back and compared.",
            {"checkpoint": "checkpoint"},
            {"report": "report"},
        ),
    )
}


def find_stage(name: str, *, where: str) -> Stage:
    """The stage called `name`; ConfigError with the nearest name otherwise."""
    if name not in STAGES:
        raise ConfigError(
            f'{where}: there is no stage "{name}". {suggest(name, STAGES)} A step of another name says stage = "...".'
        )
    return STAGES[name]
