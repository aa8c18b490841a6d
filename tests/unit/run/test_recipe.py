"""Recipes are checked before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mothertongue.errors import ConfigError
from mothertongue.run.recipe import given_step, parse_recipe, read_changes, read_recipe, toml_value

WHOLE = """
title = "All of it"

[corpus]
language = "cs"
sources = ["a.txt", { path = "b.txt", licence = "CC0" }]

[tokenizer]
vocab_size = 500

[model]
hidden_size = 32

[train]
steps = 20

[evaluate]

[compress]
layers = 3

[polish]
stage = "train"

[measure]
stage = "evaluate"

[export]
"""


def test_inputs_are_the_newest_of_their_kind_above() -> None:
    inputs = {step.name: dict(step.inputs) for step in parse_recipe(WHOLE).steps}
    assert inputs["train"] == {"checkpoint": "model", "corpus": "corpus"}
    assert inputs["compress"]["checkpoint"] == "train"
    assert inputs["polish"]["checkpoint"] == "compress"
    assert inputs["export"] == {"checkpoint": "polish", "report": "measure"}


def test_a_report_of_another_checkpoint_is_not_taken_for_the_export() -> None:
    text = WHOLE.replace('[measure]\nstage = "evaluate"\n', "")
    assert "report" not in parse_recipe(text).steps[-1].inputs


def test_a_step_above_can_be_named() -> None:
    steps = parse_recipe(WHOLE.replace("[export]", '[export]\ncheckpoint = "train"')).steps
    assert steps[-1].inputs == {"checkpoint": "train", "report": "evaluate"}


def test_a_checkpoint_serves_as_tokenizer() -> None:
    text = '[corpus]\n[train]\ncheckpoint = "elsewhere"\n[model]\n'
    assert parse_recipe(text).steps[-1].inputs == {"tokenizer": "train"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("steps = 3\n[corpus]", '"steps" stands outside of a table'),
        ("title = 3\n[corpus]", "title = 3 must be a text"),
        ("", "has no steps"),
        ("[corpus", "not valid TOML"),
        ("[corpus]\n[corpus]", "not valid TOML"),
        ("[corpsu]", 'there is no stage "corpsu". Did you mean "corpus"'),
        ('[mine]\nstage = "corpsu"', 'no stage "corpsu"'),
        ("[tokenizer]", "needs a corpus as its corpus, and no step above makes one"),
        ("[corpus]\n[train]", "needs a checkpoint as its checkpoint"),
        ('[corpus]\n[tokenizer]\n[train]\ncheckpoint = "tokenizer"', '"tokenizer" makes a tokenizer, but a checkpoint'),
        ("[corpus]\n[tokenizer]\ncorpus = 3", "corpus = 3 must be the name of a step or folder"),
        ('[corpus]\n[tokenizer]\ncorpus = ""', "corpus = '' must be the name"),
        ('["../evil"]\nstage = "corpus"', "cannot name a folder"),
        ('["a.partial"]\nstage = "corpus"', "cannot name a folder"),
        (
            "[corpus]\n[tokenizer]\nvocab_sise = 3",
            r'\[tokenizer\]: unknown key "vocab_sise". Did you mean "vocab_size"',
        ),
        ("[corpus]\n[tokenizer]\nvocab_size = 3", r"\[tokenizer\]: vocab_size = 3 is outside 260"),
        ('[corpus]\nlanguage = "cs"\n[corpus.deeper]\nx = 1', 'unknown key "deeper"'),
        ("[corpus]\nlanguage = " + "[" * 5000, "not valid TOML"),
    ],
)
def test_a_mistake_is_an_error_that_names_it(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_recipe(text)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"x" * (1 << 20) + b"x"])
def test_a_file_that_is_no_recipe_is_one_clear_error(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "r.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"r\.toml"):
        read_recipe(file)


def test_changes_override_the_text_but_do_not_change_it(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text(WHOLE)
    recipe = read_recipe(
        file, changes={"train.steps": "7", "corpus.language": "bg", "measure.tasks": '["bits_per_byte"]'}
    )
    configs = {step.name: step.config for step in recipe.steps}
    assert configs["train"].steps == 7  # type: ignore[attr-defined]
    assert configs["corpus"].language == "bg"  # type: ignore[attr-defined]
    assert configs["measure"].tasks == ("bits_per_byte",)  # type: ignore[attr-defined]
    assert recipe.text == WHOLE
    assert recipe.changes["train.steps"] == "7"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"steps": "7"}, r"--set steps=7: say STEP.KEY=VALUE with a step of the recipe \(corpus, tokenizer"),
        ({"trian.steps": "7"}, "--set trian.steps=7"),
        ({"train.stepz": "7"}, 'unknown key "stepz"'),
        ({"train.steps": "many"}, "steps = 'many' is a str"),
        ({"title.x": "7"}, "--set title.x=7"),
    ],
)
def test_a_wrong_override_is_an_error(change: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_recipe(WHOLE, changes=change)


def test_pairs_of_the_command_line() -> None:
    assert read_changes(["a.b=1", "c.d = x=y"]) == {"a.b": "1", "c.d": "x=y"}
    with pytest.raises(ConfigError, match=r"say STEP\.KEY=VALUE"):
        read_changes(["train.steps"])


@pytest.mark.parametrize(
    ("text", "value"), [("3", 3), ("3e-4", 3e-4), ("true", True), ("cs", "cs"), ('"3"', "3"), ("1\nx = 2", "1\nx = 2")]
)
def test_values_are_toml_or_else_text(text: str, value: object) -> None:
    assert toml_value(text) == value


def test_options_of_a_command_make_a_step() -> None:
    step = given_step(
        "corpus", Path("runs/v1.2"), {"sources": ("a.txt", '{path = "b", licence = "CC0"}'), "seed": None}
    )
    assert step.name == "v1.2"
    assert [source.licence for source in step.config.sources] == ["unknown", "CC0"]  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="mothertongue tokenizer: vocab_size = 1"):
        given_step("tokenizer", Path("t"), {"corpus": "c", "vocab_size": 1})


def test_the_report_of_a_model_is_not_a_comparison_that_began_from_it() -> None:
    text = '[corpus]\nsources = ["a.txt"]\n[tokenizer]\n[model]\n[evaluate]\n[compare]\n[export]\n'
    assert parse_recipe(text).steps[-1].inputs == {"checkpoint": "model", "report": "evaluate"}
