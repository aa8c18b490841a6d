"""The formats a checkpoint is exported to: a table from a format's name to "module:function", resolved on first use.

A format is a function from an `Order` to metrics; it writes into `order.out`, reads back what it wrote and raises
CheckpointError if that does not answer as the checkpoint does. A new one is a file and a line in FORMATS; another
package adds one by an entry point in the group `mothertongue.export_formats`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from mothertongue.errors import ConfigError
from mothertongue.run.artifact import Metrics
from mothertongue.run.settings import suggest

if TYPE_CHECKING:
    from mothertongue.export.config import ExportConfig
    from mothertongue.model.checkpoint import Checkpoint

FORMATS: dict[str, str] = {
    "huggingface": "mothertongue.export.huggingface:write_huggingface",
}
GROUP = "mothertongue.export_formats"


@dataclass(frozen=True)
class Order:
    """What a format is asked to write."""

    checkpoint: Checkpoint
    manifest: Mapping[str, Any]  # of the checkpoint; empty if it was made elsewhere
    report: Mapping[str, Any]  # of its evaluation; empty if there is none
    config: ExportConfig
    out: Path


Format = Callable[[Order], Metrics]


def load_format(name: str) -> Format:
    """The function behind a format's name, from FORMATS or from another package's entry point."""
    if name in FORMATS:
        module, _, function = FORMATS[name].partition(":")
        return cast(Format, getattr(importlib.import_module(module), function))
    for found in entry_points(group=GROUP, name=name):
        return cast(Format, found.load())
    raise ConfigError(unknown_format(name) or "")


def unknown_format(name: str) -> str | None:
    """What to tell a user whose format does not exist, or None if it does. Imports no format."""
    others = sorted(entry_points(group=GROUP).names)
    if name in FORMATS or name in others:
        return None
    return f'There is no export format "{name}". {suggest(name, [*FORMATS, *others])}'
