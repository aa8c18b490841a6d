"""What a corpus says of itself: counts from its manifest, samples of what was dropped from dropped.jsonl."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mothertongue.corpus.readers.files import read_blocks
from mothertongue.corpus.readers.jsonl import split_lines
from mothertongue.errors import ArtifactError, SourceError
from mothertongue.run.artifact import open_artifact

DROPPED = "dropped.jsonl"
MOST_REASONS = 200
MOST_SAMPLES = 20  # of a reason
SAMPLE_CHARACTERS = 600
_MOST_LINES = 20_000
_MAX_LINE_BYTES = 1 << 16
_MOST_TEMPLATES = 100
_TEMPLATES = "dropped_templates"  # the metric with what the extractor of wikitext did not know


@dataclass(frozen=True)
class Size:
    """How much text."""

    documents: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class SourceFound:
    """What was kept of a source, and what was dropped: reason -> documents."""

    name: str
    licence: str
    documents: int
    bytes: int
    dropped: dict[str, int]


@dataclass(frozen=True)
class Dropped:
    """A sample of what was dropped."""

    source: str
    id: str
    text: str


@dataclass(frozen=True)
class Template:
    """A template whose text is missing: how often, how often within a sentence, its characters of wikitext."""

    name: str
    count: int
    in_text: int
    characters: int


@dataclass(frozen=True)
class Findings:
    """All that is known without opening a shard."""

    folder: Path
    language: str
    language_name: str
    created: str
    documents: int
    bytes: int
    sides: dict[str, Size]
    sources: tuple[SourceFound, ...]
    dropped: dict[str, int]  # reason -> documents, the most frequent first
    samples: dict[str, tuple[Dropped, ...]]  # by reason, in the order of `dropped`
    templates: tuple[Template, ...] = ()


def read_findings(folder: Path) -> Findings:
    """What the corpus in `folder` says of itself. ArtifactError if it is none, or damaged."""
    manifest = open_artifact(folder, "corpus").manifest
    if manifest is None or manifest["kind"] != "corpus":
        raise ArtifactError(f"{folder} is no corpus. Name a folder that `mothertongue corpus` made.")
    try:
        return _findings(folder, manifest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactError(
            f"The manifest of {folder} does not say what a corpus says ({type(error).__name__}: {error}). "
            "Make the corpus again with this version."
        ) from error


def _findings(folder: Path, manifest: Mapping[str, Any]) -> Findings:
    metrics = manifest["metrics"]
    by_source: dict[str, Any] = metrics.get("dropped_by_source", {})
    dropped = _largest(metrics["dropped"])
    return Findings(
        folder=folder,
        language=str(metrics["language"]),
        language_name=str(metrics.get("language_name", metrics["language"])),
        created=str(manifest.get("created", "")),
        documents=int(metrics["documents"]),
        bytes=int(metrics["bytes"]),
        sides={str(side): Size(int(part["documents"]), int(part["bytes"])) for side, part in metrics["splits"].items()},
        sources=tuple(_source(entry, by_source) for entry in metrics["sources"]),
        dropped=dropped,
        samples=_samples(folder / DROPPED, dropped),
        templates=tuple(_templates(metrics.get(_TEMPLATES, ()))),
    )


def _source(entry: Mapping[str, Any], dropped: Mapping[str, Any]) -> SourceFound:
    name = str(entry["name"])
    return SourceFound(
        name,
        str(entry.get("licence", "unknown")),
        int(entry["documents"]),
        int(entry["bytes"]),
        _largest(dropped.get(name, {})),
    )


def _largest(counts: Mapping[str, Any]) -> dict[str, int]:
    """Counts, the largest first; what is beyond MOST_REASONS is one last row."""
    rows = sorted(((str(key), int(count)) for key, count in counts.items()), key=lambda row: (-row[1], row[0]))
    rest = sum(count for _, count in rows[MOST_REASONS:])
    return dict(rows[:MOST_REASONS]) | ({"(other reasons)": rest} if rest else {})


def _templates(rows: Any) -> Iterator[Template]:
    """Rows of TemplateWeights.heaviest."""
    for row in list(rows)[:_MOST_TEMPLATES]:
        yield Template(str(row["name"]), int(row["count"]), int(row.get("in_text", 0)), int(row.get("characters", 0)))


def _samples(path: Path, reasons: Mapping[str, int]) -> dict[str, tuple[Dropped, ...]]:
    """At most MOST_SAMPLES of each reason; lines that are none are passed over."""
    found: dict[str, list[Dropped]] = {reason: [] for reason in reasons}
    for record in _records(path):
        reason = record.get("reason")
        if isinstance(reason, str) and len(found.get(reason, [None] * MOST_SAMPLES)) < MOST_SAMPLES:
            source, id, text = (str(record.get(key, ""))[:SAMPLE_CHARACTERS] for key in ("source", "id", "text"))
            found[reason].append(Dropped(source, id, text))
    return {reason: tuple(samples) for reason, samples in found.items() if samples}


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    try:
        for number, line, whole in split_lines(read_blocks(path), max_bytes=_MAX_LINE_BYTES):
            record = _parsed(line) if whole else None
            if isinstance(record, dict):
                yield record
            if number >= _MOST_LINES:
                return
    except SourceError as error:
        raise ArtifactError(f"{error} `mothertongue verify {path.parent}` tells what else is damaged.") from error


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
