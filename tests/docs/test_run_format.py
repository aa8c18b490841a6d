"""docs/formats/run.md names every key of a manifest and every file of a run, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe

PAGE = (Path(__file__).parents[2] / "docs" / "formats" / "run.md").read_text("utf-8")


def test_the_page_names_the_keys_that_a_manifest_has(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "\n".join(f"Zápis {n}: voda stoupla o {n * 3} cm, mlýn stojí {n} dní." for n in range(60))
    )
    source = f'{{ path = "{tmp_path}/a.txt", unit = "line", min_characters = 5, skip_rules = ["all"] }}'
    text = f"[corpus]\nnear_duplicate_threshold = 1.0\nsources = [{source}]"
    manifest = run_recipe(parse_recipe(text, changes={"corpus.seed": "1"}), tmp_path / "run")["corpus"]
    table = PAGE.split("## manifest.json")[1]
    documented = {
        key for row in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
    }
    assert documented == manifest.keys()
    for file in (tmp_path / "run").iterdir():
        assert file.name in PAGE or file.name == ".corpus.lock"
