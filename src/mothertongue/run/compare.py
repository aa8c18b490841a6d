"""Two finished folders side by side: only what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mothertongue.run.artifact import Manifest, read_manifest
from mothertongue.run.figures import shorten
from mothertongue.run.story import finished_steps, is_run

Row = dict[str, Any]  # {"key", "first", "second"}


def differences(first: Path, second: Path) -> list[Row]:
    """Settings, metrics and inputs that differ between two folders, or the steps of two runs; None: not there."""
    left, right = _flat_folder(Path(first)), _flat_folder(Path(second))
    keys = [*left, *(key for key in right if key not in left)]
    rows = [{"key": key, "first": left.get(key), "second": right.get(key)} for key in keys]
    return [row for row in rows if row["first"] != row["second"]]


def tell_differences(rows: list[Row]) -> str:
    """The rows as lines `key: first | second`, with the change of numbers in percent."""
    lines = [f"{row['key']}: {shorten(row['first'])} | {shorten(row['second'])}{_change(row)}" for row in rows]
    return "\n".join(lines) or "no differences"


def _flat_folder(folder: Path) -> dict[str, Any]:
    if not is_run(folder):
        return _flat_manifest(read_manifest(folder))
    steps = {name: _flat_manifest(manifest) for name, manifest in finished_steps(folder).items()}
    return {f"{name}.{key}": value for name, flat in steps.items() for key, value in flat.items()}


def _flat_manifest(manifest: Manifest) -> dict[str, Any]:
    flat = {"stage": manifest["stage"], "stage_version": manifest.get("stage_version")}
    flat |= _flat(manifest["config"], "settings")
    inputs = manifest.get("inputs", [])
    times = Counter(Path(entry["path"]).name for entry in inputs if entry["role"] == "file")
    for entry in inputs:
        path, name = entry["path"], entry["role"]
        if name == "file":
            name = f"file.{path if times[Path(path).name] > 1 else Path(path).name}"
        flat[f"inputs.{name}"] = entry["fingerprint"][:12]
    return flat | _flat(manifest["metrics"], "metrics")


def _flat(value: Any, prefix: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {prefix: value}
    return {key: item for name, inner in value.items() for key, item in _flat(inner, f"{prefix}.{name}").items()}


def _change(row: Row) -> str:
    first, second = row["first"], row["second"]
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in (first, second)) or not first:
        return ""
    return f"  ({(second - first) / abs(first):+.1%})"
