"""From a source's path in the recipe to the files it means, in a fixed order."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from mothertongue.corpus.config import Source
from mothertongue.errors import ConfigError, SourceError

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SUFFIXES = re.compile(r"(\.(jsonl|ndjson|txt|text|md|xml|gz|bz2|xz|zst))+$")


def expand(path: str) -> str:
    """`path` with `${VAR}` and `~` replaced; ConfigError naming a variable that is not set."""
    for name in _VARIABLE.findall(path):
        if not os.environ.get(name):
            raise ConfigError(
                f"The path {path} uses the variable {name}, which is not set. Set it: export "
                f"{name}=/where/the/texts/are"
            )
    return str(Path(_VARIABLE.sub(lambda match: os.environ[match[1]], path)).expanduser())


def source_files(source: Source) -> list[Path]:
    """The files that `source` means, sorted; SourceError if there is none."""
    path = expand(source.path)
    found = [Path(path)] if Path(path).exists() else [Path(name) for name in sorted(glob.glob(path, recursive=True))]  # noqa: PTH207
    result: list[Path] = []
    for entry in found:
        result.extend(_files_in(entry) if entry.is_dir() else [entry])
    if not result:
        raise SourceError(
            f"{_described(source.path, path)}: there is no such file. Correct the path of the source, or the "
            "variable in it."
        )
    return result


def source_name(source: Source) -> str:
    """What the source is called: its name, or the last part of its path without suffixes."""
    return source.name or _SUFFIXES.sub("", Path(source.path).name) or source.path


def _files_in(folder: Path) -> list[Path]:
    found = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return [file for file in found if not any(part.startswith(".") for part in file.relative_to(folder).parts)]


def _described(asked: str, path: str) -> str:
    return asked if asked == path else f"{asked} ({path})"
