"""Steps become folders: lock, `X.partial`, the stage, manifest last, one rename.

Finished with the same fingerprint -> nothing to do. Killed -> the stage is called again in the same partial folder and resumes.
Other settings -> refused, with the changed key named: days of work are never overwritten.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mothertongue.errors import ArtifactError, SourceError
from mothertongue.run.artifact import MANIFEST, Artifact, Manifest, hash_files, open_artifact, read_manifest, sha256_file, write_json
from mothertongue.run.files import files_of
from mothertongue.run.inputs import locate
from mothertongue.run.progress import say
from mothertongue.run.recipe import Recipe, Step
from mothertongue.run.settings import Settings, settings_dict

PLAN = "step.json"  # in a partial folder: what is being made there
PACKAGES = ("mothertongue", "torch", "transformers", "tokenizers", "safetensors", "numpy")


@dataclass(frozen=True)
class Request:
    """Everything that decides what a step gives: hashed, it is the fingerprint."""

    stage: str
    version: int
    config: dict[str, Any]
    inputs: dict[str, str]  # role -> fingerprint
    files: dict[str, str]  # source file -> sha256

    @property
    def fingerprint(self) -> str:
        hashed = {"stage": self.stage, "version": self.version, "config": self.config, "inputs": self.inputs}
        hashed["files"] = sorted(self.files.values())
        return hashlib.sha256(json.dumps(hashed, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def run_recipe(recipe: Recipe, folder: Path, *, until: str = "") -> dict[str, Manifest]:
    """Make every step of `recipe` below `folder`; finished ones are kept. Gives step name -> manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.toml").write_text(recipe.text, "utf-8")
    done: dict[str, Manifest] = {}
    names = {step.name for step in recipe.steps}
    for number, step in enumerate(recipe.steps, 1):
        say(f"[{number}/{len(recipe.steps)}] {step.name}" + ("" if step.name == step.stage.name else f" ({step.stage.name})"))
        inputs = {role: folder / ref if ref in names else locate(ref) for role, ref in step.inputs.items()}
        done[step.name] = build_step(step, folder / step.name, inputs)
        if step.name == until:
            break
    return done


def build_step(step: Step, out: Path, inputs: Mapping[str, Path]) -> Manifest:
    """Make one artifact at `out` from the artifacts at `inputs`, or find that it is there already."""
    artifacts = {role: _open_input(path, step.stage.needs[role]) for role, path in inputs.items()}
    request = Request(
        stage=step.stage.name,
        version=step.stage.version,
        config=settings_dict(step.config),
        inputs={role: artifact.fingerprint for role, artifact in sorted(artifacts.items())},
        files={str(file): sha256_file(file) for file in _source_files(step.config)},
    )
    partial = out.with_name(out.name + ".partial")
    with _locked(out):
        if out.exists():
            return _finished(out, request)
        with _plain_disk_errors(partial):
            _prepare(partial, request)
            if not (partial / MANIFEST).is_file():  # else it was killed just before the rename
                started = time.monotonic()
                metrics = step.stage.function(step.config, partial, **{role: a.path for role, a in artifacts.items()})
                write_json(partial / MANIFEST, _manifest(step, request, artifacts, metrics, partial, time.monotonic() - started))
            (partial / PLAN).unlink(missing_ok=True)
            _sync(partial)
            partial.rename(out)
            _sync(out.parent)
    return read_manifest(out)


def _open_input(path: Path, kind: str) -> Artifact:
    if kind == "tokenizer" and (path / "tokenizer.json").is_file():
        kind = open_artifact(path).kind  # a checkpoint brings its tokenizer along
    return open_artifact(path, kind)


def _finished(out: Path, request: Request) -> Manifest:
    artifact = open_artifact(out)
    if artifact.fingerprint != request.fingerprint:
        old = artifact.manifest or {}
        _refuse(out, _as_request(old), request)
    say(f"  {out} is up to date")
    assert artifact.manifest is not None  # a foreign folder has another fingerprint
    return artifact.manifest


def _prepare(partial: Path, request: Request) -> None:
    plan = partial / PLAN
    if plan.is_file() or (partial / MANIFEST).is_file():
        begun = Request(**json.loads(plan.read_text("utf-8"))) if plan.is_file() else _as_request(read_manifest(partial))
        if begun.fingerprint != request.fingerprint:
            _refuse(partial, begun, request)
        say(f"  continuing {partial}")
        return
    if partial.exists():
        shutil.rmtree(partial)  # killed before it had a plan: nothing in it was worked for
    partial.mkdir(parents=True)
    write_json(plan, request.__dict__)


def _refuse(folder: Path, old: Request, new: Request) -> None:
    changes = list(describe_changes(old.config, new.config))
    changes += [f"input {role} is another one" for role in new.inputs if old.inputs.get(role) != new.inputs[role]]
    if sorted(old.files.values()) != sorted(new.files.values()):
        changes.append("the source files have changed")
    if (old.stage, old.version) != (new.stage, new.version):
        changes.append(f"the stage is {new.stage} version {new.version}, it was {old.stage} version {old.version}")
    raise ArtifactError(
        f"{folder} was made with other settings: {'; '.join(changes) or 'unknown ones'}. "
        "Nothing is overwritten: choose another --out (or step name), put the setting back, or move the folder away."
    )


def describe_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """One line per key whose value differs."""
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield f"{key} was {_short(old.get(key))}, is now {_short(new.get(key))}"


def _as_request(manifest: Manifest) -> Request:
    inputs = {entry["role"]: entry["fingerprint"] for entry in manifest.get("inputs", []) if entry["role"] != "file"}
    files = {entry["path"]: entry["fingerprint"] for entry in manifest.get("inputs", []) if entry["role"] == "file"}
    return Request(manifest.get("stage", "?"), manifest.get("stage_version", 0), manifest.get("config", {}), inputs, files)


def _manifest(
    step: Step, request: Request, artifacts: Mapping[str, Artifact], metrics: dict[str, Any], partial: Path, seconds: float
) -> Manifest:
    entry = {
        "step": step.name,
        "stage": step.stage.name,
        "kind": step.stage.makes,
        "fingerprint": request.fingerprint,
        "config": request.config,
        "metrics": metrics,
        "inputs": [{"role": role, "path": str(a.path), "fingerprint": a.fingerprint} for role, a in artifacts.items()]
        + [{"role": "file", "path": path, "fingerprint": digest} for path, digest in request.files.items()],
    }
    return {
        **entry,
        "stage_version": step.stage.version,
        "seed": request.config.get("seed"),
        "outputs": {name: found for name, found in hash_files(partial).items() if name != PLAN},
        "versions": _versions(),
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
        "seconds": round(seconds, 2),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "lineage": _lineage(artifacts),
    }


def _lineage(artifacts: Mapping[str, Artifact]) -> list[dict[str, Any]]:
    """Every ancestor once, oldest first: a folder tells its whole story even when it has been moved."""
    story: dict[str, dict[str, Any]] = {}
    keys = ("step", "stage", "kind", "fingerprint", "config", "metrics", "inputs")
    for artifact in artifacts.values():
        manifest = artifact.manifest
        if manifest is None:
            origin = {"step": artifact.path.name, "stage": "", "kind": artifact.kind, "fingerprint": artifact.fingerprint}
            story.setdefault(artifact.fingerprint, {**origin, "config": {}, "metrics": {}, "inputs": []})
            continue
        for entry in [*manifest.get("lineage", []), {key: manifest.get(key) for key in keys}]:
            story.setdefault(entry["fingerprint"], entry)
    return list(story.values())


def _source_files(config: Settings) -> Iterator[Path]:
    """Files that the settings name in fields marked `path`, also inside tables."""
    for item in fields(config):
        value = getattr(config, item.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Settings):
                yield from _source_files(part)
            elif item.metadata.get("path") and part:
                yield from files_of(part)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold `.X.lock` for this process; the system lets go of it however the process ends."""
    out.parent.mkdir(parents=True, exist_ok=True)
    file = out.with_name(f".{out.name}.lock")
    with file.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ArtifactError(f"Another run is working on {out}. Wait for it to end, or choose another --out.") from error
        yield  # the empty file stays: deleting it would let a third run lock another file of the same name


@contextmanager
def _plain_disk_errors(partial: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = shutil.disk_usage(partial).free >> 20
        raise SourceError(f"The disk of {partial} is full ({free} MB free). Make room and run the same command again: it continues from here.") from error


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."
