"""The recipe of benchmarks/smollm2.py is one that mothertongue takes, with every method scored and two trained."""

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
    trained = {f"{when}-{name}" for when in ("train", "end") for name in smollm2.TRAINED}
    assert steps == scored | trained | {"corpus", "tokenizer"}
