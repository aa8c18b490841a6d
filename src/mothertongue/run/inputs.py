"""Where an input comes from: a folder, a base that ships with mothertongue, or a model of the Hugging Face Hub."""

from __future__ import annotations

import re
from pathlib import Path

from mothertongue.errors import ArtifactError
from mothertongue.run.artifact import open_artifact

BASES = Path(__file__).parents[1] / "model" / "bases"
_HUB = re.compile(r"hub:[\w.-]+(/[\w.-]+)?")
HUB_FILES = ["*.json", "*.safetensors", "*.txt"]  # no pickle, no code


def locate(reference: str, kind: str | None = None) -> Path:
    """The folder that `reference` means: a path, the name of a shipped base, or `hub:owner/name`. ArtifactError if it
    means none; one that tells of bases only if a model would serve as this `kind`.
    """
    if Path(reference).is_dir():
        return Path(reference)
    if reference in shipped_bases():
        return BASES / reference
    if _HUB.fullmatch(reference):
        return _download(reference.removeprefix("hub:"))
    if kind not in (None, "checkpoint", "tokenizer"):
        return open_artifact(Path(reference), kind).path  # which says what is wrong
    bases = ", ".join(shipped_bases()) or "none"
    raise ArtifactError(
        f'"{reference}" is neither a folder nor a shipped base ({bases}). '
        "For a model of the Hugging Face Hub say hub:owner/name."
    )


def shipped_bases() -> tuple[str, ...]:
    """Names of the base models inside the package."""
    return tuple(sorted(folder.name for folder in BASES.iterdir() if folder.is_dir())) if BASES.is_dir() else ()


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=HUB_FILES))
    except Exception as error:  # network, permission, spelling: the library's words say which
        raise ArtifactError(
            f"{name} cannot be had from the Hugging Face Hub: {error}. "
            "Check the name and the network, or give a folder."
        ) from error
