"""The formats a checkpoint is exported to: a table from a format's name to "module:function", resolved on first use.

A format is a function from an `Order` to metrics; it writes into `order.out`, reads back what it wrote and raises
CheckpointError if that does not answer as the checkpoint does. A new one is a file and a line in FORMATS; another
package adds one by an entry point in the group `mothertongue.export_formats`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mothertongue.run.artifact import Metrics
from mothertongue.run.table import Table

if TYPE_CHECKING:
    from mothertongue.export.config import ExportConfig
    from mothertongue.model.checkpoint import Checkpoint


@dataclass(frozen=True)
class Order:
    """What a format is asked to write."""

    checkpoint: Checkpoint
    manifest: Mapping[str, Any]  # of the checkpoint; empty if it was made elsewhere
    report: Mapping[str, Any]  # of its evaluation; empty if there is none
    config: ExportConfig
    out: Path


Format = Callable[[Order], Metrics]

FORMATS: Table[Format] = Table(
    "export format",
    "mothertongue.export_formats",
    {
        "gguf": "mothertongue.export.gguf:write_gguf",
        "huggingface": "mothertongue.export.huggingface:write_huggingface",
    },
)
