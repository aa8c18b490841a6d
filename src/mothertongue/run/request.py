"""What decides the result of a step, as one hash; and what to say when a folder was made of something else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import zip_longest
from pathlib import Path
from typing import Any, NoReturn

from mothertongue.errors import ArtifactError, SourceError
from mothertongue.run.artifact import MANIFEST, Manifest, read_manifest, sha256_file
from mothertongue.run.disk import write_json
from mothertongue.run.files import files_of
from mothertongue.run.recipe import Step
from mothertongue.run.remote import ask
from mothertongue.run.settings import Settings, settings_dict

PLAN = "step.json"  # in a partial folder: the request that is being worked on


@dataclass(frozen=True)
class Request:
    """Everything that decides what a step gives: hashed, it is the fingerprint."""

    stage: str
    version: int
    config: dict[str, Any]
    inputs: dict[str, str]  # role -> fingerprint
    files: dict[str, str]  # source file -> sha256; of what is fetched, what its site says of it

    @property
    def fingerprint(self) -> str:
        """SHA-256 over stage, version, settings, inputs, and the content (not the place) of source files."""
        hashed = {"stage": self.stage, "version": self.version, "config": self.config, "inputs": self.inputs}
        hashed["files"] = sorted(self.files.values())
        text = json.dumps(hashed, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def request_of(step: Step, inputs: Mapping[str, str]) -> Request:
    """The request of `step` with the fingerprints of its `inputs`; its source files are read and hashed."""
    return Request(
        stage=step.stage.name,
        version=step.stage.version,
        config=settings_dict(step.config),
        inputs=dict(sorted(inputs.items())),
        files=dict(_contents(step.config, step.config)),
    )


def save_request(partial: Path, request: Request) -> None:
    """Note in an unfinished folder what is being made there."""
    write_json(partial / PLAN, asdict(request))


def saved_request(folder: Path) -> Request | None:
    """What was asked of a finished or unfinished folder; None if it does not say."""
    if (folder / MANIFEST).is_file():
        return _of_manifest(read_manifest(folder))
    try:
        return Request(**json.loads((folder / PLAN).read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(
            f"{folder / PLAN} cannot be read: {error}. Delete {folder} to begin the step again."
        ) from error


def refuse(folder: Path, old: Request, new: Request) -> NoReturn:
    """ArtifactError that names every difference."""
    changes = list(describe_changes(old.config, new.config))
    changes += [
        f"input {role} is another one"
        for role in sorted(old.inputs.keys() | new.inputs.keys())
        if old.inputs.get(role) != new.inputs.get(role)
    ]
    changes += _changed_files(old.files, new.files)
    if (old.stage, old.version) != (new.stage, new.version):
        changes.append(f"the stage is {new.stage} version {new.version}, it was {old.stage} version {old.version}")
    raise ArtifactError(
        f"{folder} was made with other settings: {'; '.join(changes) or 'unknown ones'}. "
        "Nothing is overwritten: choose another --out (or step name), put the setting back, or move the folder away."
    )


def describe_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """One line per key whose value differs; of tables and lists the first place that does."""
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield _change(key, old.get(key), new.get(key))


def _change(key: str, old: Any, new: Any) -> str:
    inner: Iterator[tuple[str, Any, Any]] = iter(())
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        inner = ((f"{key}.{name}", old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))
    elif isinstance(old, list) and isinstance(new, list):
        inner = ((f"{key}[{at}]", *pair) for at, pair in enumerate(zip_longest(old, new)))
    differing = next((one for one in inner if one[1] != one[2]), None)
    return _change(*differing) if differing else f"{key} was {_short(old)}, is now {_short(new)}"


def _changed_files(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    if sorted(old.values()) == sorted(new.values()):
        return
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    yield f"source files have changed: {', '.join(names[:3])}{more}"


def _of_manifest(manifest: Manifest) -> Request:
    inputs = {entry["role"]: entry["fingerprint"] for entry in manifest.get("inputs", []) if entry["role"] != "file"}
    files = {entry["path"]: entry["fingerprint"] for entry in manifest.get("inputs", []) if entry["role"] == "file"}
    return Request(manifest["stage"], manifest.get("stage_version", 0), manifest["config"], inputs, files)


def _contents(config: Settings, whole: Settings) -> Iterator[tuple[str, str]]:
    """What the settings name in fields marked `path`, also inside tables: its name, and what stands for its content."""
    for item in fields(config):
        value = getattr(config, item.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Settings):
                yield from _contents(part, whole)
            elif not item.metadata.get("path") or not part:
                continue
            elif remote := ask(part, whole):
                yield from remote.contents.items()
            else:
                yield from ((str(file), _content(file)) for file in files_of(part))


def _content(file: Path) -> str:
    try:
        return sha256_file(file)
    except OSError as error:
        raise SourceError(
            f"{file} cannot be read: {error.strerror}. Correct the path, or the file's permissions."
        ) from error


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."
