"""mothertongue: give a small language model a new mother tongue, on one ordinary computer.

>>> import mothertongue
>>> "load" in mothertongue.__all__
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mothertongue.errors import MothertongueError as MothertongueError
    from mothertongue.languages import open_language as open_language
    from mothertongue.model.checkpoint import open_checkpoint as open_checkpoint
    from mothertongue.run.artifact import open_artifact as open_artifact
    from mothertongue.run.build import build_step as build_step
    from mothertongue.run.build import run_recipe as run_recipe
    from mothertongue.run.recipe import read_recipe as read_recipe
    from mothertongue.use.load import load as load

_DOORS = {
    "MothertongueError": "mothertongue.errors",
    "build_step": "mothertongue.run.build",
    "load": "mothertongue.use.load",
    "open_artifact": "mothertongue.run.artifact",
    "open_checkpoint": "mothertongue.model.checkpoint",
    "open_language": "mothertongue.languages",
    "read_recipe": "mothertongue.run.recipe",
    "run_recipe": "mothertongue.run.build",
}

__all__ = sorted(_DOORS)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name not in _DOORS:
        raise AttributeError(f"mothertongue has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(_DOORS[name]), name)
