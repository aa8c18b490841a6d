"""The parts of benchmarks/compress.py that compute: which arms there are, in which order, and what the figures are."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from importlib import import_module
from math import log2
from pathlib import Path
from typing import Any

import pytest

from mothertongue.run.recipe import parse_recipe

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield


def asked(**given: Any) -> Namespace:
    return Namespace(**{"language": None, "factor": None, "seed": None, "only": None, **given})


@pytest.mark.parametrize("scale", ["REAL", "TOY"])
def test_every_arm_is_a_recipe_of_settings_that_exist(scale: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTHERTONGUE_DATA", "/data")
    arms = import_module("compress_arms")
    size = getattr(arms, scale)
    steps = parse_recipe(arms.predecessor_recipe("cs", size)).steps
    assert [step.name for step in steps] == ["corpus", "tokenizer", "model", "train", "choose", "evaluate"]
    wide = {step.name: step.config for step in parse_recipe(arms.wide_recipe(Path("/home/predecessor"), size)).steps}
    assert wide["model"].hidden_size == 2 * size.shape["hidden_size"]
    for arm in arms.ARMS:
        length = {} if arm in arms.UNTRAINED else {"budget_teraflop": 2.0}
        text = arms.arm_recipe(arm, Path("/home/predecessor"), size, factor=3, seed=1, length=length)
        recipe = {step.name: step for step in parse_recipe(text).steps}
        assert recipe["arm"].config.seed == 1
        assert getattr(recipe.get("model", recipe["arm"]).config, "layers", 4) == 4
        assert recipe["choose"].config.split == "dev"
        if arm == "scratch":  # no straw man
            assert recipe["arm"].config.optimizer == size.training.get("optimizer", "adamw")
            assert recipe["arm"].config.learning_rate == size.training["learning_rate"]
        else:
            wanted = "/home/wide/train" if arm == arms.WIDE_SMALL else "/home/predecessor/train"
            assert recipe["arm"].inputs["checkpoint"] == wanted
        assert ("evaluate" in recipe) == (arm in arms.FINAL)


def test_arms_that_are_tried_run_once_and_the_control_comes_before_those_whose_budget_it_sets() -> None:
    compress, arms = import_module("compress"), import_module("compress_arms")
    found = compress.jobs(asked())
    assert len({(job.language, job.factor, job.seed, job.arm) for job in found}) == len(found)
    tried = [job for job in found if job.arm not in arms.FINAL]
    assert {(job.language, job.factor, job.seed) for job in tried} == {("cs", 2, 0)}
    seen: set[tuple[str, int]] = set()
    for job in found:
        if job.arm == arms.CONTROL:
            seen.add((job.language, job.factor))
        assert job.arm in (*arms.UNTRAINED, *arms.BY_TOKENS) or (job.language, job.factor) in seen
    few = compress.jobs(asked(language=["cs"], factor=[2], only=["paper"], seed=[0]))
    assert [job.arm for job in few] == [arms.CONTROL, "paper"]
    later = compress.jobs(asked(language=["cs"], factor=[2], only=["paper"], seed=[1]))
    assert [(job.arm, job.seed) for job in later] == [(arms.CONTROL, 0), ("paper", 1)]


def test_figures_are_ratios_of_perplexities_to_the_predecessors_and_means_over_seeds() -> None:
    compress, arms = import_module("compress"), import_module("compress_arms")

    def row(arm: str, perplexity: float, **more: Any) -> dict[str, Any]:
        common = {
            "language": "bg",
            **({"factor": 2, "seed": 0} if arm in arms.ARMS else {}),
            "tokens": 50,
            "megabytes": 10.0,
        }
        return {**common, "arm": arm, "perplexity_per_token": perplexity, "bits_per_byte": log2(perplexity), **more}

    rows = [
        row("predecessor", 10.0, tokens=1000, megabytes=100.0, tokens_per_second=20.0),
        row(arms.LONG, 11.0),
        row(arms.LONG, 12.0, seed=1, tokens=80),
        row(arms.CHOSEN, 12.5),
        row("scratch", 15.0),
        row(arms.TINY, 13.0, factor=arms.SMALL_FACTOR, megabytes=5.0, tokens_per_second=55.0, tokens=500),
        row(arms.WIDE, 8.0, tokens=1000, megabytes=200.0, tokens_per_second=10.0),
        row(arms.WIDE_SMALL, 8.8, factor=arms.SMALL_FACTOR, megabytes=16.0, tokens_per_second=31.0, tokens=100),
        row(arms.TRUNCATED, 14.0),
        row("paper", 20.0, factor=3),
    ]
    found = compress.figures(rows)
    assert found["bg_ratio_2x"] == pytest.approx(1.15)
    assert found["bg_ratio_2x_spread"] == pytest.approx(0.1)
    assert (found["bg_truncation_ratio_2x"], found["bg_trimmed_disk_ratio"], found["bg_disk_ratio"]) == (1.4, 1.3, 1.1)
    assert (found["bg_trimmed_disk_factor"], found["bg_disk_factor"]) == (20.0, 12.5)
    assert (found["bg_trimmed_disk_tokens_share"], found["bg_disk_tokens_share"]) == (0.5, 0.1)
    assert (found["bg_tokens_share"], found["bg_trimmed_speed_factor"], found["bg_speed_factor"]) == (0.08, 2.75, 3.1)
    for name, theirs in {"retained_2x": 15, "truncation_gap_closed_2x": 14}.items():
        share = (log2(theirs) - log2(12.5)) / (log2(theirs) - log2(10))
        assert found[f"bg_{name}"] == pytest.approx(share, abs=1e-4)
    assert found["bg_equal_compute_ratio_2x"] == 1.25
    assert "bg_paper_ratio_2x" not in found
    assert "bg_disk_ratio_spread" not in found


def test_the_front_holds_what_nothing_betters_in_both() -> None:
    front = import_module("compress_picture").front
    assert front([(3, 4), (1, 5), (2, 3), (2, 9), (4, 1)]) == [(1, 5), (2, 3), (4, 1)]
    assert front([]) == []
