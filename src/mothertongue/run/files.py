"""From a path in a recipe to the files it means, in a fixed order."""

from __future__ import annotations

import glob
import os
import re
from pathlib import Path

from mothertongue.errors import ConfigError, SourceError

_VARIABLE = re.compile(r"\$\{(\w+)\}")


def expand(path: str) -> str:
    """`path` with `${VAR}` and `~` replaced; ConfigError if it is empty, or naming a variable that is not set."""
    if not path.strip():  # it would mean the folder one happens to be in
        raise ConfigError(f'"{path}" is no path. Name a file or a folder, "." for the one you are in.')
    for name in _VARIABLE.findall(path):
        if not os.environ.get(name):
            raise ConfigError(
                f"The path {path} uses the variable {name}, which is not set. Set it: export {name}=/where/texts/are"
            )
    return str(Path(_VARIABLE.sub(lambda match: os.environ[match[1]], path)).expanduser())


def files_of(path: str) -> list[Path]:
    """The files that `path` (file, folder or glob; `${VAR}`, `~`) means, sorted, without hidden ones.

    SourceError if there is none.
    """
    meant = expand(path)
    found = [Path(meant)]
    if not found[0].exists():
        found = [Path(name) for name in sorted(glob.glob(meant, recursive=True))]  # noqa: PTH207  may be absolute
    result = [file for entry in found for file in (_files_in(entry) if entry.is_dir() else [entry])]
    if not result:
        shown = path if path == meant else f"{path} ({meant})"
        raise SourceError(f"{shown}: there is no such file. Correct the path of the source, or the variable in it.")
    return list(dict.fromkeys(result))  # ** means a folder, and what is in it


def _files_in(folder: Path) -> list[Path]:
    found = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return [file for file in found if not any(part.startswith(".") for part in file.relative_to(folder).parts)]
