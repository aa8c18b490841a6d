"""The blocks of docs/how-to/choose-a-vocabulary.md: the short one runs, the long one parses."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from mothertongue.cli import cli

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "choose-a-vocabulary.md").read_text("utf-8")
SHOW, SWEEP = (shlex.split(block) for block in re.findall(r"```console\n\$ mothertongue (.*?)\n```", PAGE))


def test_tokens_are_shown_as_the_page_says(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_checkpoint, SHOW[2])
    result = CliRunner().invoke(cli, SHOW, catch_exceptions=False)
    assert result.exit_code == 0
    assert "|␣s" in result.output


def test_the_sweep_takes_the_options_that_the_page_names() -> None:
    command = cli.get_command(click.Context(cli), "tokenizer sweep")
    assert command is not None
    command.make_context("tokenizer sweep", SWEEP[2:])
    flags = {flag for param in command.get_params(click.Context(cli)) for flag in param.opts}
    assert {"--hidden-size", "--num-hidden-layers", "--context", "--budget-teraflop"} <= flags


@pytest.mark.parametrize("name", ["kind", "split"])
def test_the_settings_of_the_page_exist(name: str) -> None:
    from mothertongue.tokenizer.config import TokenizerConfig

    for value in re.findall(rf'`{name} = "(\w+)"', PAGE):
        TokenizerConfig(**{name: value})
