"""A model's story from its manifest and lineage: language, sources, base, steps, figures; absent means empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from mothertongue.languages import ANY, open_language
from mothertongue.run.figures import key_figures

Step = Mapping[str, Any]

FIGURES = {  # the end of a metric's name -> how people call it
    "bits_per_byte": "Bits per byte",
    "next_word_accuracy": "Next-word accuracy",
    "perplexity_per_word": "Perplexity per word",
}
SPLITS = {"dev": "development documents of its corpus"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where text came from; None is what the manifest does not say."""

    name: str
    licence: str
    documents: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number: `metric` is an end of FIGURES, `name` how it stands in the manifest."""

    name: str
    metric: str
    value: float


@dataclass(frozen=True, slots=True)
class Story:
    """All that a card tells."""

    language: str  # code of the newest corpus' language, or empty
    base: str  # id or name of the finished model that it began as, or empty
    is_base_foreign: bool  # the base was made elsewhere, so no step tells of it
    sources: tuple[Source, ...]
    steps: tuple[Step, ...]  # oldest first, the model's own step last
    figures: tuple[Figure, ...]
    measured_on: str  # what text the figures are of, and how it was read
    parameters: int | None


def read_story(manifest: Mapping[str, Any], *, report: Mapping[str, Any] | None = None) -> Story:
    """The story in the manifest of a checkpoint or an export; `report` is the manifest of an evaluation of it."""
    steps = [step for step in (*manifest.get("lineage", ()), manifest) if step.get("stage")]  # "" was made elsewhere
    base, is_base_foreign = _base(steps)
    return Story(
        language=_language(steps),
        base=base,
        is_base_foreign=is_base_foreign,
        sources=tuple(_sources(steps)),
        steps=tuple(steps),
        figures=(*_figures(manifest), *(_figures(report) if report else ())),
        measured_on=_measured_on((report or {}).get("metrics", {})),
        parameters=_parameters(steps),
    )


def _measured_on(metrics: Mapping[str, Any]) -> str:
    text = SPLITS.get(str(metrics.get("split")), "held-out documents of its corpus")
    return f"{text}, in windows of {metrics['context']} tokens" if metrics.get("context") else text


def language_name(code: str) -> str:
    """The language in English, or empty where no language is known."""
    return open_language(code).name if code not in ("", ANY) else ""


def step_sentence(step: Step) -> str:
    """One line of the lineage, in Markdown.

    >>> step_sentence({"stage": "tokenizer", "step": "tokenizer", "metrics": {"vocab_size": 8192}})
    '**tokenizer**: 8,192 tokens'
    """
    name, stage = str(step.get("step") or step["stage"]), str(step["stage"])
    config, metrics = step.get("config", {}), step.get("metrics", {})
    said = key_figures({"stage": stage, "config": config, "metrics": metrics})
    title = f"**{name}**" if name == stage else f"**{name}** ({stage})"
    language = language_name(str(config.get("language", ""))) if stage == "corpus" else ""
    return f"{title}: {', '.join([f'text in {language}'] * bool(language) + said)}".removesuffix(": ")


def _language(steps: Sequence[Step]) -> str:
    codes = [str(step.get("config", {}).get("language", "")) for step in steps if step["stage"] == "corpus"]
    return next((code for code in reversed(codes) if code not in ("", ANY)), "")


def _base(steps: Sequence[Step]) -> tuple[str, bool]:
    """What the model began as, and whether that was made elsewhere: a folder without a manifest, or an export."""
    made_here = {step.get("fingerprint"): step["stage"] for step in steps}
    for step in steps:
        for given in step.get("inputs", ()):
            if given["role"] == "checkpoint" and made_here.get(given["fingerprint"], "export") == "export":
                return model_name(given["path"]), given["fingerprint"] not in made_here
    return "", False


def model_name(path: str) -> str:
    """What to call the model in a folder: its Hub id if the folder stands in the Hub's cache, else the folder's name.

    >>> model_name("/home/me/.cache/huggingface/hub/models--openai-community--gpt2/snapshots/607a30d7")
    'openai-community/gpt2'
    """
    cached = re.search(r"models--([^/]+)/snapshots/", path)
    return cached[1].replace("--", "/") if cached else PurePosixPath(path).name


def _parameters(steps: Sequence[Step]) -> int | None:
    counts = (step.get("metrics", {}).get("parameters") for step in reversed(steps))
    return next((count for count in counts if count), None)


def _sources(steps: Sequence[Step]) -> Iterator[Source]:
    seen = set()
    for step in steps:
        listed = step.get("metrics", {}).get("sources", ()) if step["stage"] == "corpus" else ()
        entries = [{"name": name, **entry} for name, entry in listed.items()] if isinstance(listed, Mapping) else listed
        for entry in entries:
            source = Source(
                entry["name"], str(entry.get("licence") or "unknown"), entry.get("documents"), entry.get("bytes")
            )
            if source not in seen:
                seen.add(source)
                yield source


def _figures(manifest: Mapping[str, Any]) -> Iterator[Figure]:
    for name, value in _flat(manifest.get("metrics", {})):
        metric = next((end for end in FIGURES if name.endswith(end)), "")
        if metric and isinstance(value, (int, float)) and value == value:
            yield Figure(name, metric, float(value))


def _flat(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
