"""The step `export`: opens a checkpoint and has it written in the format asked for."""

from __future__ import annotations

from pathlib import Path

from mothertongue.export.config import ExportConfig
from mothertongue.export.formats import FORMATS, Order
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.run.artifact import MANIFEST, Manifest, Metrics, read_manifest
from mothertongue.run.progress import track


def export(config: ExportConfig, out: Path, *, checkpoint: Path, report: Path | None = None) -> Metrics:
    """Write `checkpoint` into `out` as `config` says; metrics tell how closely what was written answers like it.

    The model card takes its figures from `report`, an evaluation of the checkpoint, if there is one.
    """
    write = FORMATS.load(config.format)
    with track(f"exporting to {config.format}", total=2, unit="steps") as bar:
        opened = open_checkpoint(checkpoint)
        bar.advance(note="writing, then reading back")
        order = Order(
            checkpoint=opened, manifest=_manifest(checkpoint), report=_manifest(report), config=config, out=out
        )
        metrics = write(order)
        bar.advance()
    return {"format": config.format, "dtype": config.dtype, **metrics}


def _manifest(folder: Path | None) -> Manifest:
    """The manifest in `folder`; empty for a folder that was made elsewhere."""
    return read_manifest(folder) if folder and (folder / MANIFEST).is_file() else {}
