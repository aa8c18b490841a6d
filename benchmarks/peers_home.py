"""Where the peers of a benchmark live: an environment of their own, never ours."""

from __future__ import annotations

import os
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mothertongue-benchmarks"


def environment(name: str, variable: str, packages: Sequence[str], *, without: Sequence[str] = ()) -> Path:
    """The Python that `variable` names, or that of the environment `name` in the cache folder, made if it is not there.

    `without` are packages that others bring along and that do harm.
    """
    if given := os.environ.get(variable):
        return Path(given)
    folder = CACHE / name
    python = folder / "bin" / "python"
    if not (folder / "complete").is_file():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        if without:
            subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", *without], check=True)
        (folder / "complete").touch()
    return python
