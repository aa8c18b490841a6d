"""Every error a person can meet, as one small tree.

    MothertongueError            exit 1
    ├── ConfigError              exit 2   a setting, recipe or command is wrong; nothing has run
    ├── ArtifactError            a run's folder is missing, damaged, locked or made with other settings
    ├── SourceError              a text source cannot be read or cannot be trusted
    ├── CheckpointError          a model or its tokenizer cannot be opened, or they do not fit
    └── MissingExtraError        an optional part is not installed

A message says what happened with the value, why, and what to do next.
"""

from __future__ import annotations

from typing import ClassVar


class MothertongueError(Exception):
    """The parent of all errors that mothertongue raises on purpose."""

    exit_code: ClassVar[int] = 1


class ConfigError(MothertongueError):
    """A setting, recipe or command is wrong; nothing has run."""

    exit_code: ClassVar[int] = 2


class ArtifactError(MothertongueError):
    """A run's folder is missing, damaged, locked or made with other settings."""


class SourceError(MothertongueError):
    """A text source cannot be read or cannot be trusted."""


class CheckpointError(MothertongueError):
    """A model or its tokenizer cannot be opened, or they do not fit each other."""


class MissingExtraError(MothertongueError):
    """An optional part is not installed."""
