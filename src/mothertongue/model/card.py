"""The model card: who a model is, where it comes from, what it reaches, and what it must not be trusted with.

Everything is read from the manifest of its folder, which carries the lineage; what is not there is left out, not made up.
The front matter is what the Hugging Face Hub reads (huggingface.co/docs/hub/model-cards).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import tomlkit
from huggingface_hub import EvalResult, ModelCardData

from mothertongue.languages import open_language
from mothertongue.model.story import FIGURES, Source, Story, language_name, read_story, step_sentence

LICENCES = {  # how people write a licence -> how the Hub does
    "public domain": "other", "cc0": "cc0-1.0", "cc0 1.0": "cc0-1.0", "mit": "mit", "apache 2.0": "apache-2.0",
    "cc by 4.0": "cc-by-4.0", "cc by-sa 3.0": "cc-by-sa-3.0", "cc by-sa 4.0": "cc-by-sa-4.0", "gpl": "gpl", "gfdl": "gfdl",
}  # fmt: skip
DEFAULT_PROMPT = "Once upon a time"

USE_MOTHERTONGUE = '''
With `mothertongue`:

```python
from mothertongue import load

writer = load("path/to/this/folder")
for word in writer.next_words("{prompt}", k=5):
    print(f"{{word.probability:.1%}} {{word.word}}")
print(writer.generate("{prompt}", top_p=0.95, temperature=0.65, no_repeat_ngram_size=2, seed=1)[0])
```
'''
USE_TRANSFORMERS = '''
With `transformers`:

```python
from transformers import AutoModelForCausalLM, AutoTokenizer

folder = "path/to/this/folder"
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder)
inputs = tokenizer("{prompt}", return_tensors="pt")
output_ids = model.generate(**inputs, do_sample=True, max_new_tokens=30, top_p=0.92, top_k=0)
print(tokenizer.decode(output_ids[0], skip_special_tokens=True))
```
'''
USE_GPT2 = '''
With `transformers`, the next word and some texts:

```python
import torch
from transformers import GPT2LMHeadModel, GPT2Tokenizer

folder = "path/to/this/folder"
tokenizer = GPT2Tokenizer.from_pretrained(folder)
model = GPT2LMHeadModel.from_pretrained(folder, pad_token_id=tokenizer.eos_token_id)
model.eval()

text = "{prompt}"
inputs = tokenizer(text, return_tensors="pt")
loss, logits = model(**inputs, labels=inputs["input_ids"])[:2]
print(text, tokenizer.decode([torch.argmax(logits[0, -1, :]).item()]))

output_ids = model.generate(
    inputs.input_ids,
    do_sample=True,
    max_length=len(inputs.input_ids[0]) + 20,
    no_repeat_ngram_size=2,
    top_p=0.95,
    top_k=50,
    temperature=0.65,
    num_return_sequences=3,
)
for ids in output_ids:
    print(tokenizer.decode(ids, skip_special_tokens=True))
```

With the Auto classes:

```python
from transformers import AutoModel, AutoTokenizer

folder = "path/to/this/folder"
tokenizer = AutoTokenizer.from_pretrained(folder)
# the code that is trusted here is a class of four lines in modeling_lm.py; AutoModelForCausalLM needs none of it
model = AutoModel.from_pretrained(folder, trust_remote_code=True)
input_ids = tokenizer.encode("{prompt}", add_special_tokens=False, return_tensors="pt")
output_ids = model.generate(input_ids, do_sample=True, max_length=50, top_p=0.92, pad_token_id=2, top_k=0)
print(tokenizer.decode(output_ids[0], skip_special_tokens=True))
```
'''
LIMITS = """
- It is a small model: it continues a text, often with things that are not true. Check whatever it says about the world.
- It answers no questions and follows no orders, and it has learnt the views of its sources along with their language.
- It was taught on the sources below and on nothing else that is known here: other kinds of text fit it less.
- Figures hold for documents like those it was measured on. They are per byte, so they compare across vocabularies.
"""


def model_card(manifest: Mapping[str, Any], *, report: Mapping[str, Any] | None = None, gpt2_folder: bool = False) -> str:
    """The README.md of a model: front matter, then lineage, figures, recipe, use, limits and licences.

    `manifest` is that of a checkpoint or an export (an empty one makes a short card), `report` that of its evaluation.
    `gpt2_folder` says that the folder is the export of a GPT-2 model, which both published snippets open.
    """
    story = read_story(manifest, report=report)
    sections = [f"---\n{front_matter(story)}\n---\n\n# {_title(story)}\n\n{_summary(story)}"]
    sections += [f"## {title}\n\n{body}" for title, body in _sections(story, gpt2_folder=gpt2_folder) if body]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def front_matter(story: Story) -> str:
    """The YAML block of the card."""
    prompts = open_language(story.language).prompts if story.language else ()
    licences = list(dict.fromkeys(hub_licence(source.licence) for source in story.sources))
    data = ModelCardData(
        model_name=_title(story),
        language=story.language or None,
        license=licences[0] if len(licences) == 1 else licences or None,  # type: ignore[arg-type]  # the Hub takes lists
        library_name="transformers",
        pipeline_tag="text-generation",
        base_model=story.base if "/" in story.base else None,  # the Hub wants an id of its own
        datasets=[source.name for source in story.sources] or None,
        tags=["mothertongue", *dict.fromkeys(str(step["stage"]) for step in story.steps if step["stage"] in ("transfer", "compress"))],
        eval_results=_eval_results(story) or None,
        widget=[{"text": prompt} for prompt in prompts] or None,
    )
    return data.to_yaml()


def hub_licence(licence: str) -> str:
    """The Hub's name of a licence, `other` for one it does not know.

    >>> hub_licence("CC BY-SA 4.0")
    'cc-by-sa-4.0'
    """
    plain = " ".join(licence.casefold().replace("cc-by", "cc by").split())
    return LICENCES.get(plain, plain if plain in LICENCES.values() or plain == "unknown" else "other")


def _eval_results(story: Story) -> list[EvalResult]:
    return [
        EvalResult(
            task_type="text-generation",
            dataset_type="heldout",
            dataset_name="held-out documents of its corpus",
            metric_type=figure.metric,
            metric_name=f"{FIGURES[figure.metric]} ({figure.name})" if figure.name != figure.metric else FIGURES[figure.metric],
            metric_value=round(figure.value, 4),
        )
        for figure in story.figures
    ]


def _title(story: Story) -> str:
    name = language_name(story.language)
    return f"A small language model of {name}" if name else "A small language model"


def _summary(story: Story) -> str:
    language = f", for text in {language_name(story.language)}" if language_name(story.language) else ""
    base = f" It began as {story.base}." if story.base else ""
    return f"A decoder that continues texts{language}, made with mothertongue on one ordinary computer.{base}"


def _sections(story: Story, *, gpt2_folder: bool) -> Iterator[tuple[str, str]]:
    yield "Lineage", "\n".join(f"{n}. {step_sentence(step)}" for n, step in enumerate(story.steps, 1))
    yield "Figures", _figures_table(story)
    yield "How it was made", _recipe(story)
    prompts = open_language(story.language).prompts if story.language else ()
    prompt = (prompts[0] if prompts else DEFAULT_PROMPT).replace('"', "'")
    yield "How to use it", (USE_MOTHERTONGUE + (USE_GPT2 if gpt2_folder else USE_TRANSFORMERS)).format(prompt=prompt)
    yield "Limits", LIMITS
    yield "Sources and their licences", _sources_table(story.sources)


def _figures_table(story: Story) -> str:
    rows = [f"| {figure.name} | {figure.value:.4g} |" for figure in story.figures]
    return "\n".join(["| measured | value |", "|---|---:|", *rows]) if rows else ""


def _sources_table(sources: tuple[Source, ...]) -> str:
    rows = [f"| {source.name} | {source.licence} | {_count(source.documents)} | {_count(source.bytes)} |" for source in sources]
    head = ["The weights were learnt from these texts; their licences decide what may be done with them.", "", "| source | licence | documents | bytes |", "|---|---|---:|---:|"]  # fmt: skip
    return "\n".join([*head, *rows]) if rows else ""


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"


def _recipe(story: Story) -> str:
    """The settings of every step as a recipe; paths lose their folders, which are nobody else's business."""
    if not story.steps:
        return ""
    tables = tomlkit.dumps(_recipe_tables(story.steps)).strip()
    command = "Each step is a command, `mothertongue STAGE`, and all together are a recipe for `mothertongue run`. These were the settings:"
    return f"{command}\n\n<details>\n\n```toml\n{tables}\n```\n\n</details>"


def _recipe_tables(steps: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    tables: dict[str, Any] = {}
    for step in reversed(steps):
        name = str(step.get("step") or step["stage"])
        while name in tables:  # two steps of one name: the older one belongs to the base
            name = f"base-{name}"
        settings = {key: _public(value) for key, value in step.get("config", {}).items() if value is not None}
        tables[name] = settings if name == step["stage"] else {"stage": step["stage"], **settings}
    return dict(reversed(tables.items()))


def _public(value: Any) -> Any:
    if isinstance(value, str) and (os.path.isabs(value) or re.match(r"[A-Za-z]:\\", value)):
        return PurePath(value).name
    if isinstance(value, Mapping):
        return {key: _public(item) for key, item in value.items() if item is not None}
    return [_public(item) for item in value] if isinstance(value, list) else value
