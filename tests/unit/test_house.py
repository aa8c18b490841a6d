"""The house stands as it is drawn: a room imports from earlier rooms, light rooms stay light, files short."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mothertongue

SRC = Path(__file__).parents[2] / "src" / "mothertongue"
ROOMS = [
    "errors",
    "run",
    "languages",
    "corpus",
    "tokenizer",
    "model",
    "transfer",
    "train",
    "compress",
    "use",
    "evaluate",
    "compare",
    "export",
    "serve",
    "demo",
    "cli",
]
FILES = sorted(
    file for file in SRC.rglob("*.py") if file.relative_to(SRC).parts[0] not in ("__init__.py", "__main__.py")
)


def imports_of(file: Path) -> set[str]:
    """Rooms that a file imports, at any depth of the code."""
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        rooms |= {name.split(".")[1] for name in names if name.startswith("mothertongue.")}
    return rooms


def test_there_are_files_in_every_open_room() -> None:
    assert {file.relative_to(SRC).parts[0].removesuffix(".py") for file in FILES} >= set(ROOMS) - {"serve"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SRC)))
def test_a_room_imports_only_from_rooms_before_it(file: Path) -> None:
    room = file.relative_to(SRC).parts[0].removesuffix(".py")
    later = {name for name in imports_of(file) if ROOMS.index(name) > ROOMS.index(room)}
    assert not later, f"{room} comes before {later}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(SRC)))
def test_a_file_is_short_enough_to_read(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize(
    "module",
    [
        "cli",
        "run.build",
        "run.recipe",
        "corpus.stage",
        "tokenizer.stage",
        "train.config",
        "compress.config",
        "compare.config",
        "languages",
    ],
)
def test_light_rooms_import_neither_torch_nor_transformers(module: str) -> None:
    code = f"import sys, mothertongue.{module}; sys.exit(bool({{'torch', 'transformers'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_front_door_is_small_sorted_and_opens() -> None:
    assert mothertongue.__all__ == sorted(mothertongue.__all__)
    assert len(mothertongue.__all__) <= 12
    assert all(getattr(mothertongue, name) for name in mothertongue.__all__)
