"""Toy stages, for a spine without a model: `letters` reads files, `count` counts them, `join` takes two inputs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mothertongue.run.artifact import Metrics
from mothertongue.run.disk import write_text
from mothertongue.run.files import files_of
from mothertongue.run.recipe import Recipe, parse_recipe
from mothertongue.run.settings import Settings, setting
from mothertongue.run.stages import STAGES, Stage

RECIPE = """
title = "Toy"

[letters]
sources = ["{texts}/*.txt"]
shift = 1

[count]

[join]
"""


@dataclass(frozen=True)
class Text(Settings):
    """A source, as corpora have them."""

    path: str = setting(help="file or glob", path=True)
    weight: float = setting(1.0, "share", least=0, most=1)


@dataclass(frozen=True)
class ToyConfig(Settings):
    """Settings of every toy stage."""

    sources: tuple[Text, ...] = setting((), "texts")
    shift: int = setting(0, "how far letters move", least=0, most=25)
    share: float = setting(0.5, "a share", least=0, most=1)
    mode: str = setting("plain", "how", choices=("plain", "fancy"))
    loud: bool = setting(False, "in capitals")
    seed: int = setting(0, "seed", least=0)


@dataclass(frozen=True)
class ToyStage(Stage):
    """A stage whose function is given here and not found in a room."""

    work: Callable[..., Metrics] = dict

    @property
    def config(self) -> type[Settings]:
        return ToyConfig

    @property
    def function(self) -> Callable[..., Metrics]:
        return self.work


def letters(config: ToyConfig, out: Path) -> Metrics:
    """Copies its sources in two files; a second attempt uses the first file again."""
    first = out / "first.txt"
    if not first.is_file():
        write_text(
            first, "".join(file.read_text("utf-8") for source in config.sources for file in files_of(source.path))
        )
    (out / "second.txt").write_text(first.read_text("utf-8").upper())
    return {"letters": len(first.read_text("utf-8")), "sources": [{"name": "toy", "licence": "CC0", "bytes": 12}]}


def count(config: ToyConfig, out: Path, *, corpus: Path) -> Metrics:
    """Counts."""
    (out / "count.json").write_text(json.dumps({"letters": len((corpus / "first.txt").read_text("utf-8"))}))
    return {"letters": 1, "nothing": float("nan")}


def join(config: ToyConfig, out: Path, *, corpus: Path, tokenizer: Path) -> Metrics:
    """Needs both."""
    (out / "joined.txt").write_text((corpus / "first.txt").read_text("utf-8") + (tokenizer / "count.json").read_text())
    return {"score": 1.5}


TOYS = (
    ToyStage("letters", "corpus", "Letters.", work=letters),
    ToyStage("count", "tokenizer", "Counts.", {"corpus": "corpus"}, work=count),
    ToyStage("join", "report", "Joins.", {"corpus": "corpus", "tokenizer": "tokenizer"}, work=join),
)


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for the disk is most of the time of these tests, and only a power cut would need it."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The table of stages with the toys in it."""
    for toy in TOYS:
        monkeypatch.setitem(STAGES, toy.name, toy)
    return STAGES


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder with one source text."""
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("ahoj světe\n", "utf-8")
    return folder


@pytest.fixture
def recipe(stages: dict[str, Any], texts: Path) -> Recipe:
    """Three toy steps over the text."""
    return parse_recipe(RECIPE.replace("{texts}", str(texts)))
