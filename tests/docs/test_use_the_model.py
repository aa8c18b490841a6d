"""Every block of the pages about using and exporting a model runs, on a tiny export in place of `runs/czech/export`."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from mothertongue.cli import cli
from mothertongue.export.config import ExportConfig
from mothertongue.export.stage import export

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = "runs/czech/export"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text("utf-8"), flags=re.DOTALL)


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`runs/czech/export` and the checkpoint it is from, below the working directory."""
    monkeypatch.chdir(tmp_path)
    Path(FOLDER).mkdir(parents=True)
    shutil.copytree(tiny_checkpoint, "runs/czech/train")
    export(ExportConfig(), Path(FOLDER), checkpoint=tiny_checkpoint)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("page", ["how-to/use-the-model.md", "how-to/complete.md", "formats/export.md"])
def test_python_blocks_run(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = blocks(page, "python")
    assert found
    for block in found:
        exec(compile(block, page, "exec"), {})
    assert capsys.readouterr().out or page.startswith("formats")


@pytest.mark.usefixtures("folder")
def test_console_blocks_run() -> None:
    found = blocks("how-to/use-the-model.md", "console")
    assert len(found) == 3
    pytest.importorskip("gguf")
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    for block in found:
        _, *arguments = shlex.split(block.removeprefix("$ "))
        result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert result.output.strip()


@pytest.mark.usefixtures("folder")
def test_the_console_block_about_completion_runs() -> None:
    (block,) = blocks("how-to/complete.md", "console")
    _, *arguments = shlex.split(block.removeprefix("$ "))
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "%" in result.output


def test_tolerances_of_the_page_are_those_of_the_code() -> None:
    from mothertongue.export.proof import TOLERANCES

    page = (DOCS / "formats/export.md").read_text("utf-8")
    for name, value in TOLERANCES.items():
        assert f"{value:g} for {name}" in page
