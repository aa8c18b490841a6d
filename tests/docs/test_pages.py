"""Every block of the README and of the tutorial runs as it stands, on texts of ours in the place of the reader's."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from mothertongue.cli import cli
from mothertongue.demo import ENCYCLOPAEDIA
from mothertongue.run import plan
from mothertongue.run.build import run_recipe
from mothertongue.run.machine import Machine
from mothertongue.run.recipe import parse_recipe

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", "docs/start/your-language.md"]
QUICK = ["train.budget_teraflop=0.1", "compress.budget_teraflop=0.5", "tokenizer.vocab_size=300"]  # of every run
BLOCK = re.compile(r"^ *```(bash|python)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `books` and `texts`, each of some Czech articles as plain text."""
    from mothertongue.corpus.shards import read_documents

    folder = tmp_path_factory.mktemp("pages")
    recipe = f'[corpus]\nlanguage = "cs"\nsources = ["{ENCYCLOPAEDIA / "cs.xml"}"]\n'
    run_recipe(parse_recipe(recipe), folder / "articles")
    for name in ("books", "texts"):
        (folder / name).mkdir()
        for number, document in enumerate(read_documents(folder / "articles" / "corpus", "train")):
            (folder / name / f"{number:03d}.txt").write_text(document.text, "utf-8")
    return folder


def commands(block: str) -> list[str]:
    """The commands of a bash block, comments left out."""
    lines = (line.split("   #")[0].strip() for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_the_page_runs(page: str, texts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(texts)
    monkeypatch.setattr(plan, "measure_machine", lambda seconds: Machine({"products": 1e-11, "parameters": 4e-9}))
    blocks = BLOCK.findall((ROOT / page).read_text("utf-8"))
    assert blocks
    for kind, block in blocks:
        if kind == "python":
            exec(compile(block, page, "exec"), {})
            continue
        for command in commands(block):
            words, _, target = command.partition(" > ")
            program, *arguments = shlex.split(words)
            assert program == "mothertongue", f"{command}: only commands of ours can be tested"
            if arguments[0] == "run":
                arguments += [word for pair in QUICK for word in ("--set", pair)]
            result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
            assert result.exit_code == 0, f"{command}: {result.output}"
            assert result.stdout.strip(), command
            if target:
                Path(target).write_text(result.stdout, "utf-8")


@pytest.mark.parametrize("script", ["readme_tables", "docs_tables"])
def test_the_tables_of_the_pages_are_those_of_the_results(script: str) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / f"{script}.py"), "--check"]
    assert subprocess.run(command, check=False).returncode == 0


def test_the_readme_is_as_long_as_a_readme_may_be() -> None:
    assert 100 <= len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 230


def test_links_of_the_pages_lead_somewhere_and_to_every_page() -> None:
    pages, linked = {ROOT / "README.md", *(ROOT / "docs").rglob("*.md")}, {ROOT / "README.md"}
    for page in pages:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            place = (page.parent / target).resolve()
            assert target.startswith("http") or place.exists(), f"{page.name}: {target}"
            linked |= {place, *(place.glob("*.md") if place.name == "how-to" else [])}
    assert not pages - linked
