"""A finished folder and its manifest: what was made, from what, how, and what came out.

`X/` exists means finished: work happens in `X.partial/`, the manifest is written last, one rename makes it `X/`.
Ordinary Hugging Face folders have no manifest; they may enter anywhere and are then known by the hash of their files.

Try it: `mothertongue show runs/czech/train`, `mothertongue verify runs/czech/train`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from mothertongue.errors import ArtifactError
from mothertongue.run.disk import write_json as write_json

Kind = Literal["corpus", "tokenizer", "checkpoint", "report", "export"]
Metrics = dict[str, Any]
Manifest = dict[str, Any]

KINDS: tuple[str, ...] = get_args(Kind)
MANIFEST = "manifest.json"
REQUIRED = {"kind": str, "stage": str, "fingerprint": str, "config": dict, "outputs": dict, "metrics": dict}
MAX_MANIFEST_BYTES = 64 << 20
_MADE_BY = {kind: kind for kind in KINDS} | {"checkpoint": "train", "report": "evaluate"}  # kind -> a command


@dataclass(frozen=True)
class Artifact:
    """A folder that a stage, or somebody else, has finished."""

    path: Path
    kind: str
    fingerprint: str
    manifest: Manifest | None  # None: a foreign folder, for instance from the Hugging Face Hub


def open_artifact(path: Path, kind: str | None = None) -> Artifact:
    """The artifact in folder `path`; ArtifactError if it is unfinished, absent, damaged or no `kind`."""
    path = Path(path)
    _need_folder(path, kind)
    if not (path / MANIFEST).is_file():
        return _foreign(path, kind)
    manifest = read_manifest(path)
    if kind and manifest["kind"] != kind and not _serves(path, kind):
        raise ArtifactError(
            f"{path} is a {manifest['kind']}, but a {kind} is needed here. Name a folder made by a step that makes one."
        )
    return Artifact(path, manifest["kind"], manifest["fingerprint"], manifest)


def _need_folder(path: Path, kind: str | None = None) -> None:
    if path.is_dir():
        return
    cure = "Check the path, or make it with `mothertongue run`."
    if (partial := path.parent / f"{path.name}.partial").is_dir():
        cure = f"{partial} is unfinished; run the same command again to continue it."
    elif kind:
        cure = f"A {kind} is needed here: `mothertongue {_MADE_BY[kind]} --out {path}` makes one."
    raise ArtifactError(f"{path} is not a folder. {cure}")


def _serves(path: Path, kind: str) -> bool:
    """Whether a folder of another kind can stand for `kind`: an export is a checkpoint, both bring a tokenizer."""
    return (path / {"checkpoint": "config.json", "tokenizer": "tokenizer.json"}.get(kind, MANIFEST + "?")).is_file()


def _foreign(path: Path, kind: str | None) -> Artifact:
    if kind in (None, "checkpoint") and (path / "config.json").is_file():
        found = "checkpoint"
    elif kind in (None, "tokenizer") and (path / "tokenizer.json").is_file():
        found = "tokenizer"
    else:
        raise ArtifactError(
            f"{path} holds neither a manifest.json nor a Hugging Face model, so it is no {kind or 'artifact'}. Name a "
            f"folder that `mothertongue {_MADE_BY[kind] if kind else 'run'}` has finished."
        )
    digest = hashlib.sha256()
    for name, entry in hash_files(path).items():
        digest.update(f"{name}\0{entry['sha256']}\n".encode())
    return Artifact(path, found, digest.hexdigest(), None)


def read_manifest(path: Path) -> Manifest:
    """The manifest of the folder `path`, checked for the keys that all else relies on; ArtifactError otherwise."""
    _need_folder(Path(path))
    file = Path(path) / MANIFEST
    try:
        if file.stat().st_size > MAX_MANIFEST_BYTES:
            raise ValueError(f"it has more than {MAX_MANIFEST_BYTES >> 20} MB")
        manifest = json.loads(file.read_text("utf-8"))
        wrong = [key for key, kind in REQUIRED.items() if not isinstance(manifest.get(key), kind)]
        if wrong or manifest["kind"] not in KINDS:
            raise ValueError(f"it has no right {', '.join(wrong)}" if wrong else f"unknown kind {manifest['kind']!r}")
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ArtifactError(
            f"{file} cannot be read as a manifest: {error}. Make the folder again, or restore it from a copy."
        ) from error
    return cast(Manifest, manifest)


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def output_files(folder: Path) -> Iterator[Path]:
    """Every file of a finished folder except its manifest, in sorted order; links that lead outside are refused."""
    for file in sorted(folder.rglob("*")):
        if file.is_symlink() and not file.resolve().is_relative_to(folder.resolve()):
            if folder.parent.name == "snapshots":  # the Hugging Face cache stores blobs beside its snapshots
                yield file
                continue
            raise ArtifactError(f"{file} is a link that leads outside of {folder}. Copy the file into the folder.")
        if file.is_file() and file.name != MANIFEST:
            yield file


def hash_files(folder: Path, *, without: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """Relative name -> {bytes, sha256} of every output file; `without` some files and folders in `folder`."""
    return {
        name.as_posix(): {"bytes": file.stat().st_size, "sha256": sha256_file(file)}
        for file in output_files(folder)
        if (name := file.relative_to(folder)).parts[0] not in without
    }


def verify(path: Path) -> list[str]:
    """Differences between the files of an artifact and its manifest, one line each; empty means intact."""
    artifact = open_artifact(path)
    if artifact.manifest is None:
        raise ArtifactError(f"{path} has no manifest.json to verify against: it was not made by mothertongue.")
    expected, found = artifact.manifest["outputs"], hash_files(path)
    problems = [f"{name}: missing" for name in sorted(expected.keys() - found.keys())]
    problems += [f"{name}: not in the manifest" for name in sorted(found.keys() - expected.keys())]
    for name in sorted(expected.keys() & found.keys()):
        if expected[name] != found[name]:
            problems.append(f"{name}: {found[name]['bytes']} bytes, content differs from the manifest")
    return problems
