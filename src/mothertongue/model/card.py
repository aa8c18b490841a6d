"""The model card: who a model is, where it comes from, what it reaches, and what it must not be trusted with.

Everything is read from the manifest of its folder, which carries the lineage; what is not there is left out, not made
up. The front matter is what the Hugging Face Hub reads (huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PureWindowsPath
from typing import Any

import tomlkit
from huggingface_hub import EvalResult, ModelCardData

from mothertongue.languages import open_language
from mothertongue.model.story import FIGURES, Source, Step, Story, language_name, model_name, read_story, step_sentence
from mothertongue.model.usage import usage

LICENCES = {  # how people write a licence -> how the Hub does
    "public domain": "other", "cc0": "cc0-1.0", "cc0 1.0": "cc0-1.0", "mit": "mit", "apache 2.0": "apache-2.0",
    "cc by 4.0": "cc-by-4.0", "cc by-sa 3.0": "cc-by-sa-3.0", "cc by-sa 4.0": "cc-by-sa-4.0",
    "gpl": "gpl", "gfdl": "gfdl",
}  # fmt: skip


def model_card(
    manifest: Mapping[str, Any], *, report: Mapping[str, Any] | None = None, folder: str = "checkpoint"
) -> str:
    """The README.md of a model: front matter, then lineage, figures, recipe, use, limits and licences.

    `manifest` is that of a checkpoint or an export (an empty one makes a short card), `report` that of its evaluation.
    `folder` is "checkpoint", "gpt2" (the export of a GPT-2 model, which both published snippets open) or "gguf".
    """
    story = read_story(manifest, report=report)
    sections = [f"---\n{front_matter(story, folder=folder)}\n---\n\n# {_title(story)}\n\n{_summary(story)}"]
    sections += [f"## {title}\n\n{body.strip()}" for title, body in _sections(story, folder=folder) if body]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def front_matter(story: Story, *, folder: str = "checkpoint") -> str:
    """The YAML block of the card."""
    licences = list(dict.fromkeys(hub_licence(source.licence) for source in story.sources))
    data = ModelCardData(
        model_name=_title(story),
        language=story.language or None,
        license=licences[0] if len(licences) == 1 else licences or None,  # type: ignore[arg-type]  # a list is fine, too
        library_name=None if folder == "gguf" else "transformers",
        pipeline_tag="text-generation",
        base_model=story.base if "/" in story.base else None,  # the Hub wants an id of its own
        datasets=[source.name for source in story.sources] or None,
        tags=[
            "mothertongue",
            *(["gguf"] if folder == "gguf" else []),
            *dict.fromkeys(str(step["stage"]) for step in story.steps if step["stage"] in ("transfer", "compress")),
        ],
        eval_results=_eval_results(story) or None,
        widget=[{"text": prompt} for prompt in _prompts(story)] or None,
    )
    return data.to_yaml()


def hub_licence(licence: str) -> str:
    """The Hub's name of a licence, `other` for one it does not know.

    >>> hub_licence("CC BY-SA 4.0")
    'cc-by-sa-4.0'
    """
    plain = licence.casefold().strip()
    return plain if plain in {*LICENCES.values(), "unknown"} else LICENCES.get(plain.replace("cc-by", "cc by"), "other")


def _eval_results(story: Story) -> list[EvalResult]:
    return [
        EvalResult(
            task_type="text-generation",
            dataset_type="heldout",
            dataset_name=story.measured_on,
            metric_type=figure.metric,
            metric_name=FIGURES[figure.metric],
            metric_value=round(figure.value, 4),
        )
        for figure in story.figures
        if figure.name == figure.metric  # others are those of baselines
    ]


def _title(story: Story) -> str:
    name = language_name(story.language)
    return f"A small language model of {name}" if name else "A small language model"


def _prompts(story: Story) -> tuple[str, ...]:
    return open_language(story.language).prompts if story.language else ()


def _summary(story: Story) -> str:
    size = f" of {story.parameters / 1e6:.1f} M parameters" if story.parameters else ""
    language = f" in {language_name(story.language)}" if language_name(story.language) else ""
    base = f" It began as {story.base}." if story.base else ""
    return f"A decoder{size} that continues texts{language}, made with mothertongue on one ordinary computer.{base}"


def _sections(story: Story, *, folder: str) -> Iterator[tuple[str, str]]:
    origin = [f"**{story.base}**: made elsewhere"] if story.is_base_foreign else []
    told = [*origin, *(step_sentence(step) for step in story.steps)]
    yield "Lineage", "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(told, 1))
    yield "Figures", _figures_table(story)
    yield "How it was made", _recipe(story)
    yield "How to use it", usage(_prompts(story), folder=folder)
    yield "Limits", "\n".join(_limits(story))
    yield "Sources and their licences", _sources_table(story.sources)


def _limits(story: Story) -> Iterator[str]:
    yield "- It is a small model: it continues a text, often with things that are not true. Check whatever it says."
    yield "- It answers no questions and follows no orders. With the language it has learnt the views of its sources."
    if story.sources:
        yield "- It was taught on the sources below. Other kinds of text fit it less."
    if story.figures:
        yield "- Its figures hold for documents like those it was measured on."


def _figures_table(story: Story) -> str:
    rows = [f"| {figure.name.replace('_', ' ')} | {figure.value:.4g} |" for figure in story.figures]
    head = [f"On {story.measured_on}.", "", "| measured | value |", "|---|---:|"]
    return "\n".join([*head, *rows]) if rows else ""


def _sources_table(sources: tuple[Source, ...]) -> str:
    rows = [
        f"| {source.name} | {source.licence} | {_count(source.documents)} | {_count(source.bytes)} |"
        for source in sources
    ]
    said = "The weights were learnt from these texts; their licences decide what may be done with them."
    head = [said, "", "| source | licence | documents | bytes |", "|---|---|---:|---:|"]
    return "\n".join([*head, *rows]) if rows else ""


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _recipe(story: Story) -> str:
    """The settings of every step as a recipe; paths lose their folders, which are nobody else's business."""
    if not story.steps:
        return ""
    tables = tomlkit.dumps(_recipe_tables(story.steps)).strip()
    said = "Each step is a command, `mothertongue STAGE`, and all together are a recipe for `mothertongue run`:"
    return f"{said}\n\n<details>\n\n```toml\n{tables}\n```\n\n</details>"


def _recipe_tables(steps: Sequence[Step]) -> dict[str, Any]:
    names: dict[str, str] = {}  # fingerprint -> name of the table
    for step in reversed(steps):
        name = str(step.get("step") or step["stage"])
        while name in names.values():  # two steps of one name: the older one belongs to the base
            name = f"base-{name}"
        names[str(step.get("fingerprint"))] = name
    return {names[str(step.get("fingerprint"))]: _recipe_table(step, names) for step in steps}


def _recipe_table(step: Step, names: Mapping[str, str]) -> dict[str, Any]:
    stage = {} if names[str(step.get("fingerprint"))] == step["stage"] else {"stage": step["stage"]}
    inputs = {
        given["role"]: names.get(given["fingerprint"]) or recipe_reference(model_name(given["path"]))
        for given in step.get("inputs", ())
        if given["role"] != "file"  # those stand among the settings
    }
    settings = {key: _public(value) for key, value in step.get("config", {}).items() if value is not None}
    return {**stage, **inputs, **settings}


def recipe_reference(name: str) -> str:
    """How a recipe names a model that was made elsewhere."""
    return f"hub:{name}" if "/" in name else name


def _public(value: Any) -> Any:
    if isinstance(value, str) and re.match(r"[/\\~]|[A-Za-z]:\\", value):
        return PureWindowsPath(value).name  # understands both kinds of slash
    if isinstance(value, Mapping):
        return {key: _public(item) for key, item in value.items() if item is not None}
    return [_public(item) for item in value] if isinstance(value, list) else value
