from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard

from mothertongue.languages import open_language
from mothertongue.model.card import hub_licence, model_card

GOLDEN = Path(__file__).parents[2] / "golden" / "model-card-czech.md"


def step(name: str, stage: str, *, inputs: tuple[tuple[str, str], ...] = (), **content: Any) -> dict[str, Any]:
    kinds = {"corpus": "corpus", "tokenizer": "tokenizer", "evaluate": "report"}
    return {
        "step": name,
        "stage": stage,
        "kind": kinds.get(stage, "checkpoint"),
        "fingerprint": f"sha-of-{name}",
        "config": content.get("config", {}),
        "metrics": content.get("metrics", {}),
        "inputs": [{"role": role, "path": path, "fingerprint": f"sha-of-{Path(path).name}"} for role, path in inputs],
    }


SOURCES = [
    {"name": "wiki", "path": "wiki.xml.bz2", "licence": "CC BY-SA 4.0", "documents": 900, "bytes": 4_000_000},
    {"name": "novels", "path": "novels/*.txt", "licence": "public domain", "documents": 100, "bytes": 1_000_000},
]
CORPUS = step(
    "corpus",
    "corpus",
    config={
        "language": "cs",
        "sources": [{"path": "/home/jana/wiki.xml.bz2", "licence": "CC BY-SA 4.0"}, {"path": "novels/*.txt"}],
        "heldout_share": 0.02,
    },
    metrics={"documents": 1000, "bytes": 5_000_000, "sources": SOURCES},
)
TOKENIZER = step(
    "tokenizer",
    "tokenizer",
    inputs=(("corpus", "corpus"),),
    config={"vocab_size": 16000},
    metrics={"vocab_size": 15800, "fertility": 1.75},
)
HUB_FOLDER = "/home/jana/.cache/huggingface/hub/models--openai-community--gpt2/snapshots/607a30d783"
TRANSFER = step(
    "transfer",
    "transfer",
    inputs=(("checkpoint", HUB_FOLDER), ("tokenizer", "tokenizer")),
    config={"method": "align", "seed": 0},
    metrics={"method": "align", "shared_tokens": 2345},
)
TRAIN = step(
    "train",
    "train",
    inputs=(("checkpoint", "transfer"), ("corpus", "corpus")),
    config={"steps": 0, "learning_rate": 0.0, "seed": 0},
    metrics={"steps": 1200, "tokens": 19_660_800, "learning_rate": 0.001, "tflop": 5321.7, "parameters": 6_341_000},
)
FOREIGN = {"step": "607a30d783", "stage": "", "kind": "checkpoint", "fingerprint": "sha-of-607a30d783"}
MANIFEST = {**TRAIN, "lineage": [FOREIGN, CORPUS, TOKENIZER, TRANSFER]}
REPORT = step(
    "evaluate",
    "evaluate",
    metrics={
        "split": "heldout",
        "context": 256,
        "bits_per_byte": 1.83214,
        "xz_bits_per_byte": 2.41,
        "next_word_accuracy": 0.27,
    },
)


def front_matter(card: str) -> dict[str, Any]:
    return dict(yaml.safe_load(card.split("---\n")[1]))


def test_card_tells_the_whole_story_of_a_czech_model() -> None:
    card = model_card(MANIFEST, report=REPORT, folder="gpt2")
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(card, "utf-8")
    assert card == GOLDEN.read_text("utf-8"), "after a wanted change: UPDATE_GOLDEN=1 pytest, then read the difference"


def test_front_matter_is_what_the_hub_reads() -> None:
    data = ModelCard(model_card(MANIFEST, report=REPORT)).data
    assert data.language == "cs"
    assert data.license == ["cc-by-sa-4.0", "other"]
    assert data.base_model == "openai-community/gpt2"
    assert data.datasets == ["wiki", "novels"]
    assert data.tags == ["mothertongue", "transfer"]
    assert [result.metric_type for result in data.eval_results] == ["bits_per_byte", "next_word_accuracy"]
    assert data.eval_results[0].metric_value == 1.8321


def test_widget_offers_the_prompts_of_the_language() -> None:
    widget = front_matter(model_card(MANIFEST))["widget"]
    assert tuple(entry["text"] for entry in widget) == open_language("cs").prompts


def test_settings_can_be_read_back_and_name_no_folder_of_the_maker() -> None:
    card = model_card(MANIFEST)
    recipe = tomllib.loads(card.split("```toml\n")[1].split("```")[0])
    assert list(recipe) == ["corpus", "tokenizer", "transfer", "train"]
    assert recipe["corpus"]["sources"][0]["path"] == "wiki.xml.bz2"
    assert recipe["transfer"]["checkpoint"] == "hub:openai-community/gpt2"
    assert recipe["train"]["checkpoint"] == "transfer"
    assert "jana" not in card


def test_steps_of_the_base_keep_a_name_of_their_own() -> None:
    base = {**CORPUS, "fingerprint": "sha-of-english", "config": {"language": "en"}, "metrics": {}}
    card = model_card({**MANIFEST, "lineage": [base, CORPUS, TOKENIZER, TRANSFER]})
    recipe = tomllib.loads(card.split("```toml\n")[1].split("```")[0])
    assert recipe["base-corpus"] == {"stage": "corpus", "language": "en"}
    assert front_matter(card)["language"] == "cs"
    assert "1. **openai-community/gpt2**: made elsewhere\n2. **corpus**: text in English\n" in card


@pytest.mark.parametrize("folder", ["checkpoint", "gpt2", "gguf"])
def test_what_a_manifest_does_not_say_is_left_out(folder: str) -> None:
    card = model_card({}, folder=folder)
    library = set() if folder == "gguf" else {"library_name"}
    assert set(front_matter(card)) == library | {"model_name", "pipeline_tag", "tags"}
    assert "## Lineage" not in card
    assert "## Sources" not in card
    assert "None" not in card
    assert "unknown" not in card


def test_an_export_of_ours_is_named_as_the_base_and_its_steps_are_told() -> None:
    export = {
        "step": "export",
        "stage": "export",
        "fingerprint": "sha-of-export",
        "config": {},
        "metrics": {},
        "inputs": [],
    }
    moved = {
        **TRANSFER,
        "inputs": [{"role": "checkpoint", "path": "bases/english-base", "fingerprint": "sha-of-export"}],
    }
    card = model_card({**MANIFEST, "lineage": [export, CORPUS, TOKENIZER, moved]})
    assert "It began as english-base." in card
    assert "made elsewhere" not in card


def test_a_local_base_is_named_without_its_folder_and_not_in_the_front_matter() -> None:
    moved = {**TRANSFER, "inputs": [{"role": "checkpoint", "path": "/data/my-base", "fingerprint": "x"}]}
    card = model_card({**MANIFEST, "lineage": [CORPUS, moved]})
    assert "It began as my-base." in card
    assert "base_model" not in front_matter(card)
    assert "/data" not in card


def test_a_source_without_licence_is_called_unknown() -> None:
    corpus = {**CORPUS, "metrics": {"sources": [{"name": "found"}]}}
    card = model_card({**MANIFEST, "lineage": [corpus]})
    assert front_matter(card)["license"] == "unknown"
    assert "| found | unknown |  |  |" in card


@pytest.mark.parametrize(
    ("written", "known"),
    [("cc-by-sa-4.0", "cc-by-sa-4.0"), ("CC0 1.0", "cc0-1.0"), ("MIT", "mit"), ("GPL and others", "other")],
)
def test_licences_get_the_names_of_the_hub(written: str, known: str) -> None:
    assert hub_licence(written) == known
