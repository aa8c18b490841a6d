"""The manifest of a step that has just ended: what was made, from what, how, with which versions; all its ancestors."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mothertongue.run.artifact import Artifact, Manifest, Metrics, hash_files
from mothertongue.run.recipe import Step
from mothertongue.run.request import PLAN, Request

PROGRESS = "progress"  # folder of a stage's saved states: never an output, removed when the manifest has been written
PACKAGES = ("mothertongue", "torch", "transformers", "tokenizers", "safetensors", "numpy")
ENTRY = ("step", "stage", "kind", "fingerprint", "config", "metrics", "inputs")  # what descendants remember of a step


def make_manifest(
    step: Step, request: Request, artifacts: Mapping[str, Artifact], metrics: Metrics, partial: Path, seconds: float
) -> Manifest:
    """Everything that is known of the work in `partial`; hashes all files that stay."""
    inputs = [{"role": role, "path": str(a.path), "fingerprint": a.fingerprint} for role, a in artifacts.items()]
    inputs += [{"role": "file", "path": path, "fingerprint": digest} for path, digest in request.files.items()]
    return {
        "step": step.name,
        "stage": step.stage.name,
        "kind": step.stage.makes,
        "fingerprint": request.fingerprint,
        "config": request.config,
        "metrics": json_value(metrics),
        "inputs": inputs,
        "stage_version": step.stage.version,
        "seed": request.config.get("seed"),
        "outputs": hash_files(partial, without=(PLAN, PROGRESS)),
        "versions": _versions(),
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
        "seconds": round(seconds, 2),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "lineage": lineage(artifacts),
    }


def lineage(artifacts: Mapping[str, Artifact]) -> list[dict[str, Any]]:
    """Every ancestor once, oldest first: a folder tells its whole story even when it has been moved."""
    story: dict[str, dict[str, Any]] = {}
    for artifact in artifacts.values():
        if artifact.manifest is None:
            origin = {
                "step": artifact.path.name,
                "stage": "",
                "kind": artifact.kind,
                "fingerprint": artifact.fingerprint,
            }
            story.setdefault(artifact.fingerprint, {**origin, "config": {}, "metrics": {}, "inputs": []})
            continue
        for entry in [*artifact.manifest.get("lineage", []), {key: artifact.manifest.get(key) for key in ENTRY}]:
            story.setdefault(entry["fingerprint"], entry)
    return list(story.values())


def json_value(value: Any) -> Any:
    """`value` as plain JSON: NaN, which JSON lacks, becomes null, a numpy number a plain one, the rest its text."""
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return json_value(value.item()) if hasattr(value, "item") else str(value)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
