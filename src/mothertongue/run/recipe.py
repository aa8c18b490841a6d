"""Recipes: strict TOML, one table per step, in order. Everything is checked before anything runs.

    title = "Czech, small"

    [corpus]                       # a table is a step, a command, a module and a folder of one name
    language = "cs"
    sources = ["texts/*.jsonl.xz"]

    [transfer]
    checkpoint = "english-base"    # inputs default to the newest artifact of the needed kind above

    [polish]                       # a repeated stage has a name of its own
    stage = "train"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, parse_settings
from mothertongue.run.stages import STAGES, Stage, find_stage

MAX_RECIPE_BYTES = 1 << 20


@dataclass(frozen=True)
class Step:
    """One table of a recipe: a stage, its settings, and where its inputs come from (an earlier step, or outside)."""

    name: str
    stage: Stage
    config: Settings
    inputs: Mapping[str, str]  # role -> name of an earlier step, or a folder, or a known base


@dataclass(frozen=True)
class Recipe:
    """All steps of a run in order, and the text they were read from."""

    title: str
    steps: tuple[Step, ...]
    text: str


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file; ConfigError naming the table and key of the first mistake."""
    try:
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise ConfigError(f"{path} has {path.stat().st_size} bytes; a recipe has at most {MAX_RECIPE_BYTES}. Point to a recipe, not to data.")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as a recipe: {error}. `mothertongue plan cs --hours 1 > recipe.toml` writes one.") from error
    return parse_recipe(text, where=str(path))


def parse_recipe(text: str, *, where: str = "recipe") -> Recipe:
    """The recipe in `text`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}. Correct that line.") from error
    title = tables.pop("title", "")
    steps: list[Step] = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(f'{where}: "{name}" stands outside of a table. Only title may; put it below the [step] it belongs to.')
        steps.append(parse_step(name, table, earlier=steps, where=f"{where} [{name}]"))
    if not steps:
        raise ConfigError(f"{where} has no steps. Begin with a table [corpus]; `mothertongue plan cs --hours 1` writes a whole recipe.")
    return Recipe(str(title), tuple(steps), text)


def parse_step(name: str, table: Mapping[str, Any], *, earlier: list[Step], where: str) -> Step:
    """One table as a checked step; inputs that are not named are the newest of their kind among `earlier`."""
    values = dict(table)
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(f'{where}: "{name}" cannot name a folder. Use letters, digits, "-" and "_".')
    stage = find_stage(str(values.pop("stage", name)), where=where)
    inputs = {}
    for role, kind in stage.needs.items():
        given = values.pop(role, None)
        if given is not None and not isinstance(given, str):
            raise ConfigError(f"{where}: {role} = {given!r} must be the name of a step or folder.")
        newest = next((step.name for step in reversed(earlier) if step.stage.makes == kind), None)
        if role == "tokenizer" and newest is None:
            newest = next((step.name for step in reversed(earlier) if step.stage.makes == "checkpoint"), None)
        chosen = given or newest
        if chosen is None:
            raise ConfigError(f"{where} needs a {kind} as its {role}, and no step above makes one. Say {role} = \"FOLDER\" or add a step.")
        _check_kind(chosen, role, kind, earlier, where)
        inputs[role] = chosen
    return Step(name, stage, parse_settings(stage.config, values, where=where), inputs)


def _check_kind(chosen: str, role: str, kind: str, earlier: list[Step], where: str) -> None:
    step = next((step for step in earlier if step.name == chosen), None)
    if step and step.stage.makes != kind and not (kind == "tokenizer" and step.stage.makes == "checkpoint"):
        raise ConfigError(f'{where}: {role} = "{chosen}" makes a {step.stage.makes}, but a {kind} is needed.')


def override(recipe_tables: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """`recipe_tables` with changes such as {"train.steps": "100"} applied; values are read as TOML, or else as text."""
    tables = {name: dict(table) if isinstance(table, dict) else table for name, table in recipe_tables.items()}
    for key, text in changes.items():
        step, _, name = key.partition(".")
        if not name or not isinstance(tables.get(step), dict):
            known = ", ".join(table for table in tables if isinstance(tables[table], dict))
            raise ConfigError(f'--set {key}={text}: say STEP.KEY=VALUE with a step of the recipe ({known}), for instance "train.steps=100".')
        tables[step][name] = toml_value(text)
    return tables


def toml_value(text: str) -> Any:
    """`text` as a TOML value, or as a plain string if it is none."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def known_stages() -> tuple[str, ...]:
    """Names of all stages."""
    return tuple(STAGES)
