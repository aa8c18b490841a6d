"""The whole comparison on trainings of a few steps: paired, resumable, nothing made twice, one command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mothertongue.cli import cli
from mothertongue.compare import training
from mothertongue.compare.arms import find_arm
from mothertongue.compare.config import CompareConfig
from mothertongue.compare.ground import Ground
from mothertongue.compare.jobs import finished, run_jobs
from mothertongue.compare.training import BusyError, Job, run_job
from mothertongue.errors import ConfigError
from mothertongue.run.artifact import read_manifest
from mothertongue.run.disk import locked

from .conftest import SMALL


def no_training(*args: Any, **more: Any) -> Any:
    pytest.fail("a finished training is made again")


def test_one_command_draws_the_curve(tmp_path: Path, inputs: dict[str, Path]) -> None:
    out = tmp_path / "compare"
    words = [word for role, folder in inputs.items() for word in (f"--{role}", str(folder))]
    for name, value in SMALL.items():
        for one in value if isinstance(value, tuple) else (value,):
            words += [f"--{name.replace('_', '-')}", str(one)]
    done = CliRunner().invoke(cli, ["transfer", "--compare", *words, "--out", str(out)], catch_exceptions=False)
    assert done.exit_code == 0 and "4 trainings" in done.output and "transfer --method mean" in done.output
    assert {file.name for file in out.iterdir()} == {"manifest.json", "report.json", "report.md", "curve.png"}
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert len(report["rows"]) == 4 and report["measured"]["split"] == "dev"
    assert "mean_saving_at_0.05" in report["figures"] and read_manifest(out)["kind"] == "report"
    assert "| mean | 0.05 |" in (out / "report.md").read_text("utf-8")


def test_finished_trainings_are_never_made_again(open_small: Callable[..., Ground], monkeypatch: Any) -> None:
    first = run_jobs(open_small())
    assert not first.left and len(first.results) == 4
    monkeypatch.setattr(training, "fit", no_training)
    monkeypatch.setattr(training, "give_vocabulary", no_training)
    assert run_jobs(open_small()).results == first.results
    shorter = run_jobs(open_small(budgets=(0.02,), arms=("mean",)))  # another comparison, the same training
    assert shorter.results == tuple(one for one in first.results if one.arm == "mean" and one.budget == 0.02)


def test_arms_read_the_same_text_in_the_same_order(open_small: Callable[..., Ground], monkeypatch: Any) -> None:
    seen: dict[str, list[Any]] = {}
    real = training.fit

    def watched(model: Any, windows: Any, plan: Any, config: Any, out: Path, **more: Any) -> Any:
        seen[out.name.split("-")[0]] = [windows.batch(step, 2).tolist() for step in range(3)]
        return real(model, windows, plan, config, out, **more)

    monkeypatch.setattr(training, "fit", watched)
    for arm in ("scratch", "mean", "guillou"):
        run_job(open_small(), Job(arm, 0.02, 1))
    assert seen["scratch"] == seen["mean"] == seen["guillou"]


def test_rows_and_probes_are_counted(open_small: Callable[..., Ground]) -> None:
    ground = open_small(probes=2)
    scratch, mean = run_job(ground, Job("scratch", 0.05, 0)), run_job(ground, Job("mean", 0.05, 0))
    guillou = run_job(ground, Job("guillou", 0.05, 0))
    assert scratch.rows_seconds == 0 < mean.rows_seconds
    assert scratch.probes_tflop > 0 < mean.probes_tflop and guillou.probes_tflop == 0
    assert guillou.learning_rate == 2e-3 and scratch.tokens == mean.tokens == guillou.tokens


def test_a_training_of_another_process_is_passed_by(open_small: Callable[..., Ground], tmp_path: Path) -> None:
    ground = open_small(arms=("scratch",), budgets=(0.02,))
    result = run_job(ground, Job("scratch", 0.02, 0))
    folder = next(ground.work.glob("scratch-*"))
    (folder / "result.json").unlink()
    with locked(folder):
        assert run_jobs(ground).left == (Job("scratch", 0.02, 0),)
        with pytest.raises(BusyError, match="Another run"):
            run_job(ground, Job("scratch", 0.02, 0))
    again = run_job(ground, Job("scratch", 0.02, 0))
    assert again.bits_per_byte == result.bits_per_byte


def test_time_that_is_over_leaves_the_rest_for_the_next_time(open_small: Callable[..., Ground]) -> None:
    done = run_jobs(open_small(), max_hours=1e-15)
    assert not done.results and len(done.left) == 4
    assert finished(open_small()) == done
    whole = run_jobs(open_small(budgets=(0.02,)))
    assert set(finished(open_small()).results) == set(whole.results) and len(finished(open_small()).left) == 2


def test_other_settings_are_other_trainings(open_small: Callable[..., Ground]) -> None:
    folders = {open_small(**change).folder("a") for change in ({}, {"batch_size": 3}, {"max_megabytes": 0.002})}
    assert len(folders) == 3 and open_small().folder("a") == open_small(seeds=2).folder("a")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"arms": ("scratch", "trim")}, "keeps the base's vocabulary"),
        ({"arms": ("algin",)}, 'Did you mean "align"'),
        ({"budgets": (0.0,)}, "0 tokens per parameter"),
        ({"budgets": ()}, "at least one thing"),
        ({"optimizers": ("sgd",)}, "adamw, muon"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        CompareConfig(**settings)


def test_a_sequence_longer_than_the_context_is_refused(open_small: Callable[..., Ground]) -> None:
    with pytest.raises(ConfigError, match="context of 64"):
        open_small(sequence_length=65)


def test_arms_have_their_recipes() -> None:
    assert find_arm("scratch").method == "" and find_arm("align").probed
    assert find_arm("guillou").preset == "guillou" and not find_arm("guillou").calibrate
    with pytest.raises(ConfigError, match="uses a dictionary"):
        CompareConfig(arms=("mean+dictionary",))
