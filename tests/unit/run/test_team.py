"""Several processes with one command: the first makes the folders, all do what is for all. Threads play them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mothertongue.run import build
from mothertongue.run.artifact import Metrics
from mothertongue.run.recipe import Recipe
from mothertongue.run.team import rank, world


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, (0, 1)),
        ({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "here"}, (1, 2)),
        ({"RANK": "1", "WORLD_SIZE": "2"}, (0, 1)),  # left over from something else: they could not meet
        ({"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "here"}, (0, 1)),
    ],
)
def test_processes_know_of_each_other_if_they_know_where_to_meet(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, str], expected: tuple[int, int]
) -> None:
    for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR"):
        monkeypatch.delenv(name, raising=False)
        if name in known:
            monkeypatch.setenv(name, known[name])
    assert (rank(), world()) == expected


def test_all_take_part_in_a_stage_for_all_and_the_first_alone_makes_the_folders(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "rank", lambda: int(threading.current_thread().name[-1]))
    meeting = threading.Barrier(2, timeout=30)
    alone: list[int] = []

    def letters(config: Any, out: Path) -> Metrics:
        alone.append(build.rank())
        (out / "first.txt").write_text("abc")
        return {"letters": 3}

    def count(config: Any, out: Path, *, corpus: Path) -> Metrics:
        meeting.wait()
        assert (corpus / "first.txt").read_text() == "abc"
        if not build.rank():
            (out / "count.json").write_text("3")
        return {"letters": build.rank()}

    work = {"letters": {"work": letters}, "count": {"work": count, "team": True}, "join": {}}
    steps = tuple(replace(step, stage=replace(step.stage, **work[step.name])) for step in recipe.steps)
    with ThreadPoolExecutor(2, "process") as processes:
        runs = [processes.submit(build.run_recipe, replace(recipe, steps=steps), tmp_path / "run") for _ in range(2)]
        first, other = (run.result(timeout=60) for run in runs)
    assert first == other
    assert alone == [0]
    assert first["count"]["metrics"] == {"letters": 0}  # the first's
    assert not list((tmp_path / "run").glob("*.partial"))
