"""The reference is what docs/generate.py would write now, and names everything."""

from __future__ import annotations

import importlib.util
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from mothertongue.run.stages import STAGES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["settings", "commands"])
def test_the_page_is_up_to_date(page: str, generate: ModuleType) -> None:
    text = (DOCS / "reference" / f"{page}.md").read_text("utf-8")
    assert text == getattr(generate, f"{page}_page")(), "run: python docs/generate.py"


@pytest.mark.parametrize("stage", STAGES)
def test_every_key_is_documented(stage: str) -> None:
    section = (DOCS / "reference" / "settings.md").read_text("utf-8").split(f"\n## {stage}\n")[1].split("\n## ")[0]
    for item in fields(STAGES[stage].config):
        assert f"| `{item.name}` |" in section
