"""The recipes on the pages of formats run as they stand, on files of ours."""

from __future__ import annotations

import csv
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from mothertongue.corpus.readers import READERS
from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe

FORMATS = Path(__file__).parents[3] / "docs" / "formats"


def fill(folder: Path, texts: list[str]) -> None:
    """The files that the pages speak of."""
    for name in ("texts", "oscar"):
        (folder / name).mkdir()
    for number, text in enumerate(texts[:20]):
        (folder / "texts" / f"{number}.txt").write_text(text, "utf-8")
    with zipfile.ZipFile(folder / "books.zip", "w") as archive:
        for number, text in enumerate(texts[20:40]):
            archive.writestr(f"{number}.md", f"*{text}*")
    with (folder / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["id", "body"], *enumerate(texts[40:60])])
    records = [
        {"content": text, "warc_headers": {}, "metadata": {"identification": {"label": "cs", "prob": 1.0}}}
        for text in texts[60:]
    ]
    lines = "".join(json.dumps(record) + "\n" for record in records).encode()
    (folder / "oscar" / "cs_meta_part_1.jsonl.zst").write_bytes(zstandard.compress(lines))


@pytest.mark.parametrize(("page", "documents"), [("sources.md", [20, 20, 20]), ("oscar.md", [20])])
def test_the_recipe_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: Callable[..., list[str]], page: str, documents: list[int]
) -> None:
    fill(tmp_path, many(80))
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```toml\n(.*?)```", (FORMATS / page).read_text("utf-8"), re.DOTALL)
    changes = {"corpus.heldout_share": "0.1", "corpus.dev_share": "0.1", "corpus.processes": "1"}
    manifest = run_recipe(parse_recipe(block, changes=changes), tmp_path / "run")["corpus"]
    assert [source["documents"] for source in manifest["metrics"]["sources"]] == documents


def test_the_pages_speak_of_every_reader() -> None:
    pages = "".join(page.read_text("utf-8") for page in FORMATS.glob("*.md"))
    named = {"archive": ".zip", "hub": "hf:owner/name", "text": ".txt", "markdown": ".md", "wikipedia": "Wikipedia"}
    assert all(named.get(reader, reader) in pages for reader in READERS)
