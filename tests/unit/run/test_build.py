"""Steps become folders, and nothing is ever half-written, overwritten or done twice."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mothertongue.errors import ArtifactError, ConfigError, SourceError
from mothertongue.run.artifact import read_manifest
from mothertongue.run.build import build_step, run_recipe
from mothertongue.run.recipe import Recipe, parse_recipe
from mothertongue.run.request import describe_changes

HERE = Path(__file__).parent


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


def changed(recipe: Recipe, **changes: str) -> Recipe:
    return parse_recipe(recipe.text, changes={key.replace("__", "."): value for key, value in changes.items()})


def with_work(recipe: Recipe, name: str, work: Any) -> Recipe:
    """The recipe with another function behind one step."""
    steps = (replace(s, stage=replace(s.stage, work=work)) if s.name == name else s for s in recipe.steps)  # type: ignore[call-arg]
    return replace(recipe, steps=tuple(steps))


def times(run: Path) -> dict[str, int]:
    return {
        str(file): file.stat().st_mtime_ns for file in run.rglob("*") if file.is_file() and ".lock" not in file.name
    }


def test_each_step_becomes_a_folder_with_its_story(recipe: Recipe, run: Path) -> None:
    made = run_recipe(recipe, run)
    assert list(made) == ["letters", "count", "join"]
    assert (run / "recipe.toml").read_text("utf-8") == recipe.text
    assert not (run / "overrides.json").exists()
    manifest = read_manifest(run / "letters")
    assert manifest["outputs"].keys() == {"first.txt", "second.txt"}
    assert manifest["config"]["shift"] == 1
    assert manifest["inputs"][0]["role"] == "file"
    assert {"python", "mothertongue", "torch"} <= manifest["versions"].keys()
    assert not list(run.rglob("*.partial")) and not list(run.rglob("step.json"))


def test_the_same_command_again_changes_nothing(recipe: Recipe, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mothertongue.run.progress import be_quiet

    run_recipe(recipe, run)
    before = times(run / "letters")
    be_quiet(False)
    run_recipe(recipe, run)
    assert times(run / "letters") == before
    assert capsys.readouterr().err.count("is up to date") == 3


def test_until_stops_after_a_step(recipe: Recipe, run: Path) -> None:
    assert list(run_recipe(recipe, run, until="count")) == ["letters", "count"]
    with pytest.raises(ConfigError, match=r'no step "cuont" to stop after. Did you mean "count"'):
        run_recipe(recipe, run, until="cuont")


def test_a_changed_setting_is_refused_by_name_before_anything_runs(recipe: Recipe, run: Path) -> None:
    run_recipe(recipe, run, until="count")
    before = times(run)
    with pytest.raises(
        ArtifactError, match=r"run/count was made with other settings: shift was 0, is now 3\. Nothing is"
    ):
        run_recipe(changed(recipe, count__shift="3"), run)
    assert times(run) == before  # not even the recipe


def test_a_changed_setting_of_an_unfinished_step_is_refused_too(recipe: Recipe, run: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_recipe(with_work(recipe, "count", interrupt), run)
    with pytest.raises(ArtifactError, match=r"count\.partial was made with other settings: mode was \"plain\""):
        run_recipe(changed(recipe, count__mode="fancy"), run)


def test_a_change_within_a_list_is_named_by_its_place() -> None:
    old = {"sources": [{"path": "x" * 99, "encoding": "utf-16"}, {"path": "b"}], "tasks": ["a"]}
    new = {"sources": [{"path": "x" * 99, "encoding": "utf-8"}, {"path": "b"}], "tasks": ["a", "b"]}
    assert list(describe_changes(old, new)) == [
        'sources[0].encoding was "utf-16", is now "utf-8"',
        'tasks[1] was null, is now "b"',
    ]


def test_a_step_that_has_not_begun_may_still_be_changed(recipe: Recipe, run: Path) -> None:
    run_recipe(recipe, run, until="letters")
    run_recipe(changed(recipe, count__shift="3"), run)
    assert json.loads((run / "overrides.json").read_text()) == {"count.shift": "3"}


def test_a_changed_source_file_is_refused_by_name(recipe: Recipe, run: Path, texts: Path) -> None:
    run_recipe(recipe, run)
    (texts / "a.txt").write_text("nazdar\n", "utf-8")
    with pytest.raises(ArtifactError, match=r"source files have changed: .*a\.txt"):
        run_recipe(recipe, run)


def test_a_moved_source_file_is_the_same_source(recipe: Recipe, run: Path, texts: Path) -> None:
    run_recipe(recipe, run)
    (texts / "a.txt").rename(texts / "b.txt")
    run_recipe(recipe, run)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"letters__sources": '["nowhere/*.txt"]'}, SourceError, "there is no such file"),
        ({"letters__sources": '["${NOT_SET_ANYWHERE}/x"]'}, ConfigError, "NOT_SET_ANYWHERE, which is not set"),
        ({"join__tokenizer": "cuont"}, ArtifactError, r'\[join\] tokenizer: "cuont" is neither a folder nor'),
        ({"join__tokenizer": "/etc"}, ArtifactError, "so it is no tokenizer"),
    ],
)
def test_a_missing_input_is_an_error_before_anything_runs(
    recipe: Recipe, run: Path, change: dict[str, str], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        run_recipe(changed(recipe, **change), run)
    assert not run.exists()


def test_an_unreadable_source_is_one_clear_error(recipe: Recipe, run: Path, texts: Path) -> None:
    (texts / "a.txt").unlink()
    (texts / "a.txt").symlink_to(texts / "gone")
    with pytest.raises(SourceError, match=r"a\.txt cannot be read: No such file"):
        run_recipe(recipe, run)


def test_a_folder_of_somebody_else_is_not_touched(recipe: Recipe, run: Path) -> None:
    (run / "letters").mkdir(parents=True)
    (run / "letters" / "diary.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="letters exists and was not made by mothertongue"):
        run_recipe(recipe, run)
    assert [file.name for file in run.rglob("*")] == ["letters", "diary.txt"]


def test_a_recipe_of_somebody_else_is_not_overwritten(recipe: Recipe, run: Path) -> None:
    run.mkdir()
    (run / "recipe.toml").write_text("# mine\n")
    with pytest.raises(ArtifactError, match=r"recipe\.toml is of another run, or yours.*Choose another --out"):
        run_recipe(recipe, run)
    assert [file.name for file in run.iterdir()] == ["recipe.toml"]
    assert (run / "recipe.toml").read_text() == "# mine\n"


def test_a_recipe_beside_its_own_runs_and_an_edited_one_are_taken(recipe: Recipe, run: Path) -> None:
    run.mkdir()
    (run / "recipe.toml").write_text(recipe.text)
    run_recipe(recipe, run, until="letters")
    edited = parse_recipe(recipe.text + "# more to come\n")
    run_recipe(edited, run, until="letters")
    assert (run / "recipe.toml").read_text() == edited.text


def test_a_run_does_not_go_into_a_finished_step(recipe: Recipe, run: Path) -> None:
    run_recipe(recipe, run)
    with pytest.raises(ArtifactError, match="letters is a finished step of a run"):
        run_recipe(recipe, run / "letters")
    assert not (run / "letters" / "recipe.toml").exists()


def test_an_empty_folder_is_taken(recipe: Recipe, run: Path) -> None:
    (run / "letters").mkdir(parents=True)
    run_recipe(recipe, run)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_place_that_cannot_be_a_folder_is_one_clear_error(recipe: Recipe, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtifactError, match=r"cannot be made: .*Choose another --out"):
        run_recipe(recipe, tmp_path / place)


@pytest.mark.parametrize("place", [".", "..", "/"])
def test_a_step_needs_a_folder_with_a_name(recipe: Recipe, place: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"--out {place} has no name")):
        build_step(recipe.steps[0], Path(place), {})


def test_a_single_step_is_built_from_folders(recipe: Recipe, run: Path, tmp_path: Path) -> None:
    run_recipe(recipe, run, until="letters")
    manifest = build_step(recipe.steps[1], tmp_path / "elsewhere", {"corpus": run / "letters"})
    assert manifest["inputs"] == [
        {"role": "corpus", "path": str(run / "letters"), "fingerprint": read_manifest(run / "letters")["fingerprint"]}
    ]


def test_lineage_has_every_ancestor_once_oldest_first(recipe: Recipe, run: Path) -> None:
    run_recipe(recipe, run)
    lineage = read_manifest(run / "join")["lineage"]
    assert [entry["step"] for entry in lineage] == ["letters", "count"]  # though letters is an input of both
    assert lineage[0]["metrics"]["sources"][0]["licence"] == "CC0"


def test_a_foreign_input_stands_in_the_lineage(recipe: Recipe, run: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "gpt2"
    foreign.mkdir()
    (foreign / "tokenizer.json").write_text("{}")
    (foreign / "count.json").write_text("{}")
    made = run_recipe(changed(recipe, join__tokenizer=str(foreign)), run)
    assert [(entry["step"], entry["kind"]) for entry in made["join"]["lineage"]] == [
        ("letters", "corpus"),
        ("gpt2", "tokenizer"),
    ]


def test_saved_states_and_leftovers_are_no_outputs(recipe: Recipe, run: Path) -> None:
    def work(config: Any, out: Path, *, corpus: Path) -> dict[str, Any]:
        (out / "progress").mkdir(exist_ok=True)
        (out / "progress" / "step-1").write_text("state")
        (out / "result.txt").write_text("done")
        (out / "result.txt").chmod(0o600)
        return {}

    (run / "count.partial").mkdir(parents=True)
    made = run_recipe(with_work(recipe, "count", work), run, until="count")
    assert made["count"]["outputs"].keys() == {"result.txt"}
    assert sorted(file.name for file in (run / "count").iterdir()) == ["manifest.json", "result.txt"]
    assert (run / "count" / "result.txt").stat().st_mode & 0o044  # others may read what may be published


# Killed


def interrupt(config: Any, out: Path, **inputs: Path) -> dict[str, Any]:
    (out / "half").write_text("half")
    raise KeyboardInterrupt


def test_an_interrupted_step_is_called_again_in_its_folder(recipe: Recipe, run: Path) -> None:
    seen = []

    def work(config: Any, out: Path, *, corpus: Path) -> dict[str, Any]:
        seen.extend(sorted(file.name for file in out.iterdir()))
        (out / "half").rename(out / "count.json")
        return {}

    with pytest.raises(KeyboardInterrupt):
        run_recipe(with_work(recipe, "count", interrupt), run)
    (run / "count.partial" / ".x.json.123.writing").write_text("left by a kill")
    made = run_recipe(with_work(recipe, "count", work), run)
    assert seen == ["half", "step.json"]
    assert made["count"]["resumed"] and not made["letters"]["resumed"]


def test_killed_before_every_change_on_the_disk_the_next_call_ends_the_same(
    recipe: Recipe, texts: Path, run: Path
) -> None:
    order = [sys.executable, str(HERE / "kill_everywhere.py"), str(HERE / "conftest.py"), str(texts), str(run)]
    done = subprocess.run(order, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40  # kills, three steps


@pytest.mark.parametrize(("has_state", "error"), [(False, SourceError), (True, SourceError), (True, ConfigError)])
def test_a_failed_step_is_in_nobodys_way_unless_it_has_saved_states(
    recipe: Recipe, run: Path, has_state: bool, error: type[Exception]
) -> None:
    def work(config: Any, out: Path, *, corpus: Path) -> dict[str, Any]:
        if has_state:
            (out / "progress").mkdir()
            (out / "progress" / "step-1").write_text("hours of work")
        raise error("The text is of another language.")

    kept = has_state and error is not ConfigError  # a ConfigError means that nothing has run
    with pytest.raises(error):
        run_recipe(with_work(recipe, "count", work), run)
    assert (run / "count.partial").exists() == kept
    if kept:
        with pytest.raises(ArtifactError, match="shift was 0, is now 3"):
            run_recipe(changed(recipe, count__shift="3"), run)
    else:
        assert "join" in run_recipe(changed(recipe, count__shift="3"), run)


def test_a_damaged_plan_is_one_clear_error(recipe: Recipe, run: Path) -> None:
    (run / "count.partial").mkdir(parents=True)
    (run / "count.partial" / "step.json").write_text('{"stage": 3}')
    with pytest.raises(ArtifactError, match=r"step\.json cannot be read.*Delete"):
        run_recipe(recipe, run)


# Two at once


@pytest.fixture
def holder(run: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is working on the step `count`."""
    code = "import sys, time, pathlib; from mothertongue.run.disk import locked\n"
    code += "with locked(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", code, str(run / "count")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_run_in_the_same_folder_is_told_so(recipe: Recipe, run: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(ArtifactError, match=r"Another run is working on .*count. Wait"):
        run_recipe(recipe, run)
    assert not (run / "count.partial").exists()
    assert not (run / "recipe.toml").exists()  # it is the other run's to write
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert "join" in run_recipe(recipe, run)  # the system has let go of the lock


# A full disk


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError(
            "Error while serializing: I/O error: No space left on device (os error 28)"
        ),  # as safetensors says
    ],
)
def test_a_full_disk_is_one_clear_error_and_the_step_can_continue(recipe: Recipe, run: Path, error: Exception) -> None:
    def work(config: Any, out: Path, *, corpus: Path) -> dict[str, Any]:
        raise error

    with pytest.raises(ArtifactError, match=r"The disk of .*count\.partial is full .* Make room"):
        run_recipe(with_work(recipe, "count", work), run)
    assert "join" in run_recipe(recipe, run)


def test_a_full_disk_while_the_manifest_is_written_leaves_none(
    recipe: Recipe, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run_recipe(recipe, run, until="letters")
    (run / "count.partial").mkdir()
    with monkeypatch.context() as patch, pytest.raises(ArtifactError, match="is full"):
        patch.setattr(os, "fsync", full)
        run_recipe(recipe, run)
    assert not list(run.rglob("*.writing"))
    assert "join" in run_recipe(recipe, run)


def test_a_disk_that_is_really_full_is_one_clear_error(recipe: Recipe, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this process may not mount a small disk; the monkeypatched tests cover it")

    def work(config: Any, out: Path, *, corpus: Path) -> dict[str, Any]:
        (out / "count.json").write_bytes(bytes(1_000_000))
        return {}

    try:
        big = with_work(recipe, "count", work)
        with pytest.raises(ArtifactError, match=r"The disk of .*count\.partial is full \(0\.\d MB free\)"):
            run_recipe(big, disk / "run")
        assert not (disk / "run" / "count").exists()
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        assert run_recipe(big, disk / "run", until="count")["count"]["resumed"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("by zero"), SourceError("Copying to /tmp failed: No space left on device")]
)
def test_any_other_error_is_not_dressed_up(recipe: Recipe, run: Path, error: Exception) -> None:
    def work(config: Any, out: Path, *, corpus: Path) -> dict[str, Any]:
        raise error

    with pytest.raises(type(error), match=str(error)):
        run_recipe(with_work(recipe, "count", work), run)
