"""The recipe of benchmarks/smollm2.py is one that mothertongue takes, with every method scored and some trained."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from mothertongue.run.recipe import parse_recipe

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def test_every_method_is_scored_and_some_are_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    smollm2 = import_module("smollm2")
    monkeypatch.setenv("MOTHERTONGUE_DATA", str(tmp_path))
    text = smollm2.recipe(tmp_path, "eng-ces.index", smollm2.METHODS, smollm2.TRAINED)
    steps = {step.name for step in parse_recipe(text, where="SmolLM2").steps}
    scored = {f"{when}-{name}" for when in ("transfer", "start") for name in smollm2.METHODS}
    lengths = {f"{name}-{steps}" for name, each in smollm2.TRAINED.items() for steps in each}
    trained = {f"{when}-{length}" for when in ("train", "at") for length in lengths}
    assert steps == scored | trained | {"corpus", "tokenizer"}


def test_the_saving_counts_rows_and_is_a_bound_where_the_curve_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    smollm2 = import_module("smollm2")
    monkeypatch.setattr(smollm2, "TRAINED", {"align": (20, 80, 350), "scratch": (350,)})
    bits = {"align-20": 2.5, "align-80": 2.3, "align-350": 2.1, "scratch-350": 2.5}
    found = {f"at-{name}": {"metrics": {"bits_per_byte": each}} for name, each in bits.items()}
    steps = {name: float(name.split("-")[1]) for name in bits}
    found |= {f"train-{name}": {"metrics": {"seconds": 10 * each, "tflop": each}} for name, each in steps.items()}
    found |= {"transfer-align": {"metrics": {"seconds": 100.0}}}
    assert str(smollm2.saving_of(found)) == "11.7"
    found["at-scratch-350"] = {"metrics": {"bits_per_byte": 2.7}}
    assert str(smollm2.saving_of(found)) == "≥ 11.7"
    assert smollm2.saving_of({}) is None
