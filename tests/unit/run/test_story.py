"""A folder tells its story and the next command, whatever state it is in."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mothertongue.errors import ArtifactError
from mothertongue.run.build import run_recipe
from mothertongue.run.compare import differences, tell_differences
from mothertongue.run.disk import locked
from mothertongue.run.figures import PHRASES, key_figures, magnitude
from mothertongue.run.next_command import next_command
from mothertongue.run.recipe import Recipe, parse_recipe
from mothertongue.run.stages import STAGES
from mothertongue.run.story import _sources, story, tell


@pytest.fixture
def run(recipe: Recipe, tmp_path: Path) -> Path:
    run_recipe(parse_recipe(recipe.text, changes={"count.shift": "3"}), tmp_path / "my run", until="count")
    return tmp_path / "my run"


def test_a_finished_folder_tells_what_when_from_what_and_what_next(run: Path) -> None:
    lines = tell(run / "count").splitlines()
    assert len(lines) <= 12
    assert lines[0] == f"{run}/count: tokenizer, made by count"
    told = dict(line.split(maxsplit=1) for line in lines[1:])
    assert "UTC in 0.0 s on" in told["made"] and "torch" in told["made"]
    assert told["from"].startswith(f"corpus {run}/letters (")
    assert told["text"] == "toy (CC0, 12 B)"
    assert told["settings"] == "shift = 3"
    assert told["result"] == "letters 1"
    assert told["lineage"] == "letters > count"
    assert shlex.split(told["next"]) == [
        *("mothertongue", "run", f"{run}/recipe.toml", "--out", str(run), "--set", "count.shift=3")
    ]


def test_a_run_tells_every_step_and_its_overrides(run: Path) -> None:
    text = tell(run)
    assert "Toy. 2 of 3 steps are finished." in text
    assert [line.split()[0] for line in text.splitlines()[1:5]] == ["step", "letters", "count", "join"]
    assert "to do" in text
    assert "set    count.shift = 3" in text


def test_the_own_texts_come_before_those_of_the_base() -> None:
    def corpus(*names: str) -> dict[str, Any]:
        return {"kind": "corpus", "step": "corpus", "metrics": {"sources": [{"name": name} for name in names]}}

    model = {"kind": "checkpoint", "metrics": {}, "lineage": [corpus("english"), corpus("a", "b", "c", "d")]}
    assert [text for _, text in _sources(model)] == [
        *(f"{name} (unknown)" for name in "abcd"),
        "and 1 more (unknown)",
    ]


def test_a_run_for_machines_is_its_manifests(run: Path) -> None:
    assert list(story(run)) == ["letters", "count"]
    assert story(run / "count")["metrics"]["letters"] == 1


def test_a_run_whose_recipe_is_of_another_version_is_still_told(run: Path) -> None:
    (run / "recipe.toml").write_text("[letters]\nnew_setting = 3\n")
    (run / "overrides.json").unlink()
    assert "2 of 2 steps are finished" in tell(run)


@pytest.mark.parametrize("name", ["join", "join.partial"])
def test_an_unfinished_folder_is_told_with_the_command_that_continues(run: Path, name: str) -> None:
    (run / "join.partial").mkdir()
    request = {"stage": "train", "version": 1, "config": {"steps": 7}, "inputs": {}, "files": {}}
    (run / "join.partial" / "step.json").write_text(json.dumps(request))
    (run / "join.partial" / "log.jsonl").write_text('{"step": 3, "loss": 2.5}\n')
    text = tell(run / name)
    assert "unfinished: train works in" in text
    assert "log       step: 3, loss: 2.5" in text
    assert "steps = 7" in text
    assert "mothertongue run" in text.splitlines()[-1]
    assert "unfinished" in tell(run)
    with locked(run / "join"):
        assert "wait: a process is working on it now" in tell(run / name)
        assert "wait: a process is working on join now" in tell(run)


def test_an_unfinished_folder_outside_of_a_run_names_its_own_command(tmp_path: Path) -> None:
    (tmp_path / "x.partial").mkdir()
    request = {"stage": "train", "version": 1, "config": {}, "inputs": {}, "files": {}}
    (tmp_path / "x.partial" / "step.json").write_text(json.dumps(request))
    assert "the same `mothertongue train ... --out" in tell(tmp_path / "x")


def test_a_foreign_folder_and_none_at_all(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert "a checkpoint that was not made by mothertongue" in tell(tmp_path)
    for name in ("nothing", "nothing.partial"):
        with pytest.raises(ArtifactError):
            tell(tmp_path / name)


def test_only_what_differs_is_compared(run: Path, recipe: Recipe, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run_recipe(recipe, other)
    assert differences(run / "count", other / "count") == [{"key": "settings.shift", "first": 3, "second": 0}]
    assert differences(run / "letters", other / "letters") == []
    keys = [row["key"] for row in differences(run, other)]
    assert keys[:2] == ["count.settings.shift", "join.stage"]


def test_files_of_one_name_are_compared_by_their_whole_path(tmp_path: Path) -> None:
    for side, digest in (("a", "old"), ("b", "new")):
        files = {"2020/part.txt": digest, "2021/part.txt": "same", "c.txt": "same"}
        inputs = [{"role": "file", "path": path, "fingerprint": made} for path, made in files.items()]
        manifest = {"kind": "corpus", "stage": "corpus", "fingerprint": "f", "config": {}, "outputs": {}, "metrics": {}}
        (tmp_path / side).mkdir()
        (tmp_path / side / "manifest.json").write_text(json.dumps({**manifest, "inputs": inputs}))
    rows = differences(tmp_path / "a", tmp_path / "b")
    assert rows == [{"key": "inputs.file.2020/part.txt", "first": "old", "second": "new"}]
    with pytest.raises(ArtifactError, match="nosuch is not a folder"):
        differences(tmp_path / "nosuch", tmp_path / "a")


def test_differences_in_words() -> None:
    rows = [
        {"key": "metrics.loss", "first": 4.0, "second": 3.0},
        {"key": "settings.mode", "first": "a", "second": None},
        {"key": "settings.loud", "first": True, "second": False},
    ]
    assert tell_differences(rows).splitlines() == [
        "metrics.loss: 4.0 | 3.0  (-25.0%)",
        'settings.mode: "a" | null',
        "settings.loud: true | false",
    ]
    assert tell_differences([]) == "no differences"


def test_every_stage_has_its_figures() -> None:
    assert set(PHRASES) == set(STAGES)


def test_figures_are_rounded_for_people_and_absent_ones_left_out() -> None:
    metrics = {"documents": 1624, "bytes": 49_866_901, "dropped": {"short": 30, "long": 2}, "dropped_documents": 32}
    assert key_figures({"stage": "corpus", "config": {}, "metrics": metrics}) == [
        "1,624 documents",
        "49.87 MB",
        "32 dropped",
    ]
    metrics = {"bits_per_byte": 2.34567, "next_word_accuracy": None}
    assert key_figures({"stage": "evaluate", "config": {}, "metrics": metrics}) == ["2.346 bits per byte"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (9_999, "9,999"), (10_000, "10 k"), (1.25e6, "1.25 M"), (0.5, "0.5"), (-2e9, "-2 G"), (3e15, "3000 T")],
)
def test_magnitudes(value: float, text: str) -> None:
    assert magnitude(value) == text


@pytest.mark.parametrize(("stage", "kind"), [(stage.name, stage.makes) for stage in STAGES.values()])
def test_the_next_command_is_one_that_exists(stage: str, kind: str, tmp_path: Path) -> None:
    import click

    from mothertongue.cli import cli

    inputs: list[dict[str, Any]] = [{"role": "corpus", "path": "c", "fingerprint": ""}]
    inputs.append({"role": "checkpoint", "path": "m", "fingerprint": ""})
    words = shlex.split(next_command(tmp_path / stage, {"stage": stage, "kind": kind, "inputs": inputs}))
    assert words[0] == "mothertongue"
    command = cli.get_command(click.Context(cli), words[1])
    assert command is not None
    command.make_context(words[1], words[2:])  # parses, or raises a usage error


def test_the_next_command_is_not_one_that_is_done(tmp_path: Path) -> None:
    def make(step: str, kind: str) -> dict[str, Any]:
        manifest = {"kind": kind, "stage": step, "fingerprint": "f", "config": {}, "outputs": {}, "metrics": {}}
        manifest["inputs"] = [{"role": "checkpoint", "path": "m", "fingerprint": ""}]
        (tmp_path / step).mkdir()
        (tmp_path / step / "manifest.json").write_text(json.dumps(manifest))
        return manifest

    train = make("train", "checkpoint")
    assert shlex.split(next_command(tmp_path / "train", train))[1] == "evaluate"
    make("evaluate", "report")
    words = shlex.split(next_command(tmp_path / "train", train))
    assert words[1:4] == ["export", "--report", str(tmp_path / "evaluate")]
    make("export", "export")
    assert shlex.split(next_command(tmp_path / "train", train))[1:3] == ["generate", str(tmp_path / "export")]


def test_a_finished_run_with_an_export_is_to_be_used(stages: dict[str, Any], recipe: Recipe, tmp_path: Path) -> None:
    made = replace(stages["join"], makes="export")
    stages["join"] = made
    run_recipe(parse_recipe(recipe.text), tmp_path / "run")
    assert tell(tmp_path / "run" / "letters").endswith(f"generate {tmp_path}/run/join --max-new-tokens 40")


def test_the_folder_one_stands_in_has_a_story_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ArtifactError, match="no artifact"):
        tell(Path())
