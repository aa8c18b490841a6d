"""Which model is meant: a folder, a run, a shipped base, `hub:owner/name`, or only a language."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.run.inputs import locate

LAST_STEPS = ("export", "polish", "compress", "train")  # of a run, the most finished first; then others by age
RUNS = Path("runs")


def find_model(reference: str) -> Path:
    """The model's folder for `reference`; of a run its export, of a language that of its newest run."""
    if not reference.strip():  # it would mean the folder one happens to be in
        raise ConfigError(f'"{reference}" names no model. Give a folder, a run, or a language such as cs.')
    folder = Path(reference)
    if folder.suffix == ".gguf" and folder.is_file():
        folder = folder.parent
    if not folder.is_dir() and re.fullmatch("[a-z]{2,3}", reference):
        folder = _newest_run(reference)
    if folder.is_dir() and not _is_model(folder):
        return next(iter(_models(folder)), folder)
    return folder if folder.is_dir() else locate(reference)


def _newest_run(language: str) -> Path:
    runs = [
        recipe.parent
        for recipe in RUNS.glob("*/recipe.toml")
        if _language(recipe.parent) == language and _models(recipe.parent)
    ]
    if not runs:
        raise ArtifactError(
            f'There is no model of the language "{language}" in {RUNS}/. Begin one with '
            f"`mothertongue plan {language} --hours 1 > recipe.toml`, or give the folder of a model."
        )
    return _models(max(runs, key=lambda run: run.stat().st_mtime))[0]


def _models(run: Path) -> list[Path]:
    """The models in a run's folder, the most finished first."""
    found = [step for step in run.iterdir() if _is_model(step) and step.suffix != ".partial"]
    last = {name: number for number, name in enumerate(LAST_STEPS)}
    return sorted(found, key=lambda step: (last.get(step.name, len(last)), -step.stat().st_mtime))


def _is_model(folder: Path) -> bool:
    return (folder / "config.json").is_file() or any(folder.glob("*.gguf"))


def _language(run: Path) -> str:
    """The language of a run's text, as `--set` (or the demo) has changed it; empty if it does not say."""
    from mothertongue.run.build import RECIPE, kept_overrides

    try:
        given = kept_overrides(run).get("corpus.language")
        corpus = tomllib.loads((run / RECIPE).read_text("utf-8")).get("corpus", {})
    except (OSError, ValueError, ArtifactError):
        return ""
    return given.strip('"') if given else str(corpus.get("language", "")) if isinstance(corpus, dict) else ""
