"""The blocks of docs/how-to/run-a-recipe.md run, in the order in which they stand, on a small text."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from mothertongue.cli import cli
from mothertongue.run import plan
from mothertongue.run.machine import Machine
from mothertongue.run.recipe import parse_recipe

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "run-a-recipe.md").read_text("utf-8")


def test_every_block_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plan, "measure_machine", lambda seconds: Machine({"products": 1e-11, "parameters": 4e-9}))
    for folder in ("texts", "base"):
        Path(folder).mkdir()
    lines = [f"Na stanici číslo {n} čekal {n + 3}. dubna starý výpravčí a počítal {n * 11} vagonů." for n in range(80)]
    Path("texts/a.txt").write_text("\n".join(lines), "utf-8")
    Path("base/config.json").write_text('{"n_layer": 2, "n_embd": 16, "n_positions": 64}')
    Path("first.toml").write_text(re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)[0], "utf-8")
    commands = [
        line for block in re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()
    ]
    assert len(commands) == 7
    for command in commands:
        result = CliRunner().invoke(cli, shlex.split(command)[2:], catch_exceptions=False)
        assert result.exit_code == 0, (command, result.output)
        assert result.stdout.strip()
    assert parse_recipe(result.stdout).steps


def test_the_block_of_inputs_is_toml_with_real_names() -> None:
    block = re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL)[0]
    for line in re.findall(r"^#? ?(checkpoint = .*)$", block, flags=re.MULTILINE):
        steps = parse_recipe(f"[corpus]\n[transfer]\ncheckpoint = 'x'\ntokenizer = 'x'\n[train]\n{line}").steps
        assert steps[-1].inputs["checkpoint"]
