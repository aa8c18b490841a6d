"""The two real recipes run to the end, here on our encyclopaedia and for a few steps; both snippets run on that."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mothertongue.demo import ENCYCLOPAEDIA
from mothertongue.run.artifact import read_manifest, verify
from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import read_recipe

SNIPPETS = Path(__file__).parent / "snippets"
RECIPES = Path(__file__).parents[2] / "recipes"
SMALL = {
    "tokenizer.vocab_size": "1024",
    "train.budget_teraflop": "0",
    "train.steps": "3",
    "train.dev_kilobytes": "5.0",
    "compress.budget_teraflop": "0",
    "compress.steps": "4",
    "compress.dev_kilobytes": "5.0",
    "evaluate.max_megabytes": "0.01",
    "evaluate.next_word_positions": "20",
    "evaluate-train.max_megabytes": "0.01",
    "evaluate-train.next_word_positions": "20",
}


@pytest.fixture(scope="module", params=["czech-small", "bulgarian-small"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a recipe whose sources are replaced by our encyclopaedia of the same language."""
    language = "cs" if request.param.startswith("czech") else "bg"
    sources = f'[{{ path = "{ENCYCLOPAEDIA / language}.xml", licence = "CC0 1.0" }}]'
    folder: Path = tmp_path_factory.mktemp("runs") / language
    run_recipe(read_recipe(RECIPES / f"{request.param}.toml", changes={**SMALL, "corpus.sources": sources}), folder)
    return folder


def test_every_step_is_finished_and_intact(run: Path) -> None:
    steps = [step.name for step in read_recipe(RECIPES / "czech-small.toml").steps]
    assert [name for name in steps if verify(run / name)] == []
    assert not list(run.glob("*.partial"))


def test_the_successor_has_half_the_layers_and_the_lineage_reaches_the_english_base(run: Path) -> None:
    manifest = read_manifest(run / "export")
    assert read_manifest(run / "compress")["metrics"]["layers"] == 3
    assert "compress" in [entry["step"] for entry in manifest["lineage"]]
    assert any(entry["stage"] == "transfer" for entry in manifest["lineage"])


def test_the_card_names_language_licence_and_base(run: Path) -> None:
    card = (run / "export" / "README.md").read_text("utf-8")
    assert re.search(r"^language:\n?\s*-? ?(cs|bg)$", card, re.MULTILINE)
    assert "CC0" in card.upper() or "cc0" in card
    assert "english-base" in card


@pytest.mark.parametrize("snippet", ["czech_card", "bulgarian_card"])
def test_both_published_snippets_run_on_the_export(
    run: Path, snippet: str, run_snippet: Callable[[str, Path], tuple[dict[str, Any], str]]
) -> None:
    _, printed = run_snippet((SNIPPETS / f"{snippet}.py").read_text("utf-8"), run / "export")
    assert ("1: Umělá inteligence" if snippet == "czech_card" else "Здравей,") in printed


def test_a_folder_of_texts_in_any_language_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["sun", "rain", "hill", "river", "stone", "bird", "cloud", "field", "morning", "evening", "winter", "wood"]
    for number in range(60):
        lines = [f"The {words[(number + i) % 12]} and the {words[(number * i) % 11]} number {i}." for i in range(30)]
        (tmp_path / f"{number}.txt").write_text("\n".join(lines[number % 7 :]), "utf-8")
    monkeypatch.setenv("TEXTS", str(tmp_path))
    changes = {
        **SMALL,
        "tokenizer.vocab_size": "300",
        "corpus.near_duplicate_threshold": "1",
        "corpus.dev_share": "0.1",
    }
    changes = {key: value for key, value in changes.items() if not key.startswith(("compress", "evaluate-train"))}
    changes |= {"corpus.heldout_share": "0.2", "corpus.template_made": "'keep'"}
    recipe = read_recipe(RECIPES / "any-language-tiny.toml", changes=changes)
    assert run_recipe(recipe, tmp_path / "run")["evaluate"]["metrics"]["bits_per_byte"] > 0
    assert (tmp_path / "run" / "export" / "model.safetensors").is_file()
