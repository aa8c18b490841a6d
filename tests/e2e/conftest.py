"""Running the snippets of the two published model cards on a folder of ours."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

RunSnippet = Callable[[str, Path], tuple[dict[str, Any], str]]


@pytest.fixture
def trusted_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty place for the code that `trust_remote_code` copies, instead of the user's own cache."""
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path / "modules"
    for name in [name for name in sys.modules if name.startswith("transformers_modules")]:
        del sys.modules[name]


@pytest.fixture
def run_snippet(trusted_code: Path) -> RunSnippet:
    """A function that runs a snippet's text with a folder in place of FOLDER: what it has defined, and printed."""

    def run(code: str, folder: Path) -> tuple[dict[str, Any], str]:
        names: dict[str, Any] = {}
        torch.manual_seed(0)
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code.replace("FOLDER", str(folder)), "snippet", "exec"), names)
        return names, printed.getvalue()

    return run
