"""What to type next: for a finished folder, an unfinished one, and a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mothertongue.errors import ConfigError
from mothertongue.run.artifact import MANIFEST, read_manifest
from mothertongue.run.build import RECIPE, kept_overrides
from mothertongue.run.recipe import Recipe, read_recipe

# stage that made a folder -> stage to go on with, and what the folder is there; other inputs come from its own
_ONWARD = {
    "corpus": ("tokenizer", "corpus"),
    "tokenizer": ("transfer", "tokenizer"),
    "model": ("train", "checkpoint"),
    "transfer": ("train", "checkpoint"),
    "train": ("evaluate", "checkpoint"),
    "compress": ("evaluate", "checkpoint"),
    "evaluate": ("export", "report"),
}
_MORE = {"transfer": ("corpus",), "train": ("corpus",), "evaluate": ("corpus",), "export": ("checkpoint",)}


def next_command(folder: Path, manifest: Mapping[str, Any]) -> str:
    """The command after the one that made `folder` and what stands beside it; the run's own if its recipe has steps
    to do.
    """
    run = folder.parent
    recipe = kept_recipe(run) if (run / RECIPE).is_file() else None
    steps = recipe.steps if recipe else ()
    if any(not (run / step.name / MANIFEST).is_file() for step in steps):
        return run_command(run)
    exports = [run / step.name for step in steps if step.stage.makes == "export"]
    if manifest["kind"] == "export" or exports:
        return command("generate", folder if manifest["kind"] == "export" else exports[-1], "--max-new-tokens", 40)
    if manifest["stage"] == "compare" and manifest.get("metrics", {}).get("best_method"):
        return _best(folder, manifest)
    if manifest["stage"] not in _ONWARD:
        return command("verify", folder)
    stage, role = _ONWARD[manifest["stage"]]
    if (run / stage / MANIFEST).is_file() and (made := read_manifest(run / stage))["stage"] == stage:
        return next_command(run / stage, made)
    inputs = {entry["role"]: entry["path"] for entry in manifest.get("inputs", [])}
    words: list[Any] = ["--checkpoint", "english-base"] if stage == "transfer" else []
    words += [f"--{role}", folder]
    for other in _MORE.get(stage, ()):
        words += [f"--{other}", inputs.get(other, other.upper())]
    return command(stage, *words, "--out", run / stage)


def _best(folder: Path, manifest: Mapping[str, Any]) -> str:
    """The transfer that a comparison has found to be best."""
    best, words = manifest["metrics"]["best"], ["--method", manifest["metrics"]["best_method"]]
    for entry in manifest.get("inputs", []):
        words += [] if entry["role"] == "file" else [f"--{entry['role']}", entry["path"]]
    if best == "wechsel" or best.endswith("+dictionary"):
        words += ["--dictionary", manifest["config"]["dictionary"]]
    return command("transfer", *words, "--out", folder.parent / "transfer")


def run_command(folder: Path) -> str:
    """The command that continues the run in `folder`."""
    changes = [word for key, value in kept_overrides(folder).items() for word in ("--set", f"{key}={value}")]
    return command("run", folder / RECIPE, "--out", folder, *changes)


def kept_recipe(folder: Path) -> Recipe | None:
    """The recipe of a run as it was overridden; None if it is of another version of mothertongue."""
    try:
        return read_recipe(folder / RECIPE, changes=kept_overrides(folder))
    except ConfigError:
        return None


def command(*words: Any) -> str:
    """`mothertongue ...` with each word quoted where a shell needs it."""
    return shlex.join(["mothertongue", *map(str, words)])
