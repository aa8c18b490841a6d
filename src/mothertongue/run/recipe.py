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

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, parse_settings
from mothertongue.run.stages import Stage, find_stage

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
    """All steps of a run in order, the text they were read from, and what was changed of it."""

    title: str
    steps: tuple[Step, ...]
    text: str
    changes: Mapping[str, str] = field(default_factory=dict)


def read_recipe(path: Path, *, changes: Mapping[str, str] | None = None) -> Recipe:
    """The recipe in a TOML file, with `changes` like {"train.steps": "100"}.

    ConfigError naming the table and key of the first mistake.
    """
    path = Path(path)
    try:
        if path.stat().st_size > MAX_RECIPE_BYTES:
            raise ConfigError(
                f"{path} has {path.stat().st_size} bytes; a recipe has at most {MAX_RECIPE_BYTES}. "
                "Point to a recipe, not to data."
            )
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read as a recipe: {_reason(error)}. "
            "`mothertongue plan cs --hours 1 > recipe.toml` writes one."
        ) from error
    return parse_recipe(text, where=str(path), changes=changes)


def parse_recipe(text: str, *, where: str = "recipe", changes: Mapping[str, str] | None = None) -> Recipe:
    """The recipe in `text`, changed as `override` says."""
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(f"{where} is not valid TOML: {_reason(error)}. Correct that line.") from error
    tables = override(tables, changes or {})
    title = tables.pop("title", "")
    if not isinstance(title, str):
        raise ConfigError(f"{where}: title = {title!r} must be a text. Write it in quotes.")
    steps: list[Step] = []
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ConfigError(
                f'{where}: "{name}" stands outside of a table. Only title may; put it below the [step] it belongs to.'
            )
        if not re.fullmatch(r"\w[\w-]*", name):
            raise ConfigError(f'{where}: "{name}" cannot name a folder. Use letters, digits, "-" and "_".')
        steps.append(parse_step(name, table, earlier=steps, where=f"{where} [{name}]"))
    if not steps:
        raise ConfigError(
            f"{where} has no steps. Begin with a table [corpus]; `mothertongue plan cs --hours 1` writes a recipe."
        )
    return Recipe(title, tuple(steps), text, dict(changes or {}))


def parse_step(name: str, table: Mapping[str, Any], *, earlier: Sequence[Step], where: str) -> Step:
    """One table as a checked step; inputs that are not named are the newest of their kind among `earlier`."""
    values = dict(table)
    stage = find_stage(str(values.pop("stage", name)), where=where)
    inputs: dict[str, str] = {}
    for role, kind in stage.roles.items():
        given = values.pop(role, None)
        if given is not None and not (isinstance(given, str) and given):
            raise ConfigError(f"{where}: {role} = {given!r} must be the name of a step or folder.")
        chosen = given or _newest(kind, role, inputs, earlier)
        if chosen:
            _check_kind(chosen, role, kind, earlier, where)
            inputs[role] = chosen
        elif role in stage.needs:
            raise ConfigError(
                f"{where} needs a {kind} as its {role}, and no step above makes one. "
                f'Say {role} = "FOLDER" or add a step.'
            )
    return Step(name, stage, parse_settings(stage.config, values, where=where), inputs)


def given_step(stage: str, out: Path, given: Mapping[str, Any]) -> Step:
    """A step from the options of a command: what was not given is None or empty; `{...}` is a TOML table."""
    values = {key: value for key, value in given.items() if value not in (None, ())}
    table = {key: [_table_or_text(part) for part in v] if isinstance(v, tuple) else v for key, v in values.items()}
    return parse_step(out.name, {**table, "stage": stage}, earlier=[], where=f"mothertongue {stage}")


def _table_or_text(value: Any) -> Any:
    return toml_value(value) if isinstance(value, str) and value.startswith("{") else value


def _newest(kind: str, role: str, inputs: Mapping[str, str], earlier: Sequence[Step]) -> str | None:
    """The newest step that makes a `kind`; a checkpoint has a tokenizer, a report must be of the same checkpoint."""
    kinds = (kind, "checkpoint") if role == "tokenizer" else (kind,)
    for wanted in kinds:
        for step in reversed(earlier):
            if step.stage.makes == wanted and (wanted != "report" or _is_report_of(step, inputs["checkpoint"])):
                return step.name
    return None


def _is_report_of(step: Step, checkpoint: str) -> bool:
    """A comparison is a report too, but of no model: it only begins from one."""
    return step.stage.name != "compare" and step.inputs["checkpoint"] == checkpoint


def _check_kind(chosen: str, role: str, kind: str, earlier: Sequence[Step], where: str) -> None:
    step = next((step for step in earlier if step.name == chosen), None)
    if step and step.stage.makes != kind and not (kind == "tokenizer" and step.stage.makes == "checkpoint"):
        raise ConfigError(
            f'{where}: {role} = "{chosen}" makes a {step.stage.makes}, but a {kind} is needed. '
            "Name a step that makes one."
        )


def override(tables: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """`tables` of a recipe with changes such as {"train.steps": "100"}; values are read as TOML, or else as text."""
    changed = {name: dict(table) if isinstance(table, dict) else table for name, table in tables.items()}
    for key, text in changes.items():
        step, _, name = key.partition(".")
        if not name or not isinstance(changed.get(step), dict):
            known = ", ".join(table for table in changed if isinstance(changed[table], dict))
            raise ConfigError(
                f"--set {key}={text}: say STEP.KEY=VALUE with a step of the recipe ({known}), "
                'for instance "train.steps=100".'
            )
        changed[step][name] = toml_value(text)
    return changed


def read_changes(pairs: Iterable[str]) -> dict[str, str]:
    """`["train.steps=100"]` as {"train.steps": "100"}."""
    changes = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign:
            raise ConfigError(f'--set {pair}: say STEP.KEY=VALUE, for instance "train.steps=100".')
        changes[key.strip()] = value.strip()
    return changes


def toml_value(text: str) -> Any:
    """`text` as a TOML value, or as a plain string if it is none."""
    try:
        values = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    return values["value"] if len(values) == 1 else text


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
