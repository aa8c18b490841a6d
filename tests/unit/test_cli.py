"""The doorbell: quick, light, one line for an error, the right exit code, and an option for every setting."""

from __future__ import annotations

import json
import re
import resource
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import click
import pytest

from mothertongue import cli as doorbell
from mothertongue.cli import cli
from mothertongue.run.examples import EXAMPLES
from mothertongue.run.settings import Settings
from mothertongue.run.stages import STAGES
from mothertongue.use.config import GenerateConfig

COMMANDS = cli.list_commands(click.Context(cli))
Ring = Callable[..., "Answer"]


class Answer:
    """What a command said, and its exit code."""

    def __init__(self, code: object, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Ring:
    """A function that types a command, in an empty folder and in this process."""
    monkeypatch.chdir(tmp_path)

    def ring(*words: str, stdin: bytes = b"") -> Answer:
        (tmp_path / ".stdin").write_bytes(stdin)
        code: object = 0
        with (tmp_path / ".stdin").open(encoding="utf-8") as typed, monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["mothertongue", *words])
            patch.setattr(sys, "stdin", typed)
            try:
                doorbell.main()
            except SystemExit as exit:
                code = exit.code or 0
        return Answer(code, *capfd.readouterr())

    return ring


def children_seconds() -> float:
    """Processor time of all ended child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def settings_of(name: str) -> type[Settings] | None:
    return STAGES[name].config if name in STAGES else GenerateConfig if name == "generate" else None


def make(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


# Quick and light


def test_help_loads_neither_torch_nor_transformers_and_is_quick() -> None:
    code = "import sys; from mothertongue.cli import main; sys.argv = ['mothertongue', '--help']\n"
    code += "try: main()\nfinally: print({'torch', 'transformers', 'numpy', 'rich', 'tomlkit'} & set(sys.modules))"
    used, begun = children_seconds(), time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    used, took = children_seconds() - used, time.perf_counter() - begun
    print(f"mothertongue --help: {used:.2f} s of processor time in {took:.2f} s")
    assert done.stdout.endswith("set()\n")
    assert "mothertongue demo cs" in done.stdout
    assert used < 0.3  # its own time: what other programs take is not its fault


@pytest.mark.parametrize("name", [*STAGES, "generate"])
def test_help_of_a_command_loads_neither_torch_nor_transformers(name: str) -> None:
    code = "import sys; from mothertongue.cli import main; sys.argv = ['mothertongue', sys.argv[1], '--help']\n"
    code += "try: main()\nfinally: sys.exit(7 if {'torch', 'transformers'} & set(sys.modules) else 0)"
    assert subprocess.run([sys.executable, "-c", code, name], capture_output=True, check=False).returncode == 0


# Help


@pytest.mark.parametrize("name", COMMANDS)
def test_help_leads_with_two_examples(name: str, ring: Ring) -> None:
    answer = ring(*name.split(), "--help")
    assert answer.code == 0
    before, _, after = answer.out.partition("Examples:\n")
    assert "Options:" not in before
    for example in EXAMPLES[name]:
        assert f"  mothertongue {example}\n" in after


@pytest.mark.parametrize(("name", "example"), [(name, one) for name in COMMANDS for one in EXAMPLES[name]])
def test_an_example_is_a_command_that_parses(name: str, example: str) -> None:
    words = shlex.split(re.sub(r" [<>] \S+$", "", example))
    length = len(name.split())
    assert " ".join(words[:length]) == name
    make(name).make_context(name, words[length:])


def test_there_are_examples_of_every_command_and_of_no_other() -> None:
    assert set(EXAMPLES) == {*COMMANDS, ""}


@pytest.mark.parametrize("name", [*STAGES, "generate"])
def test_every_setting_is_an_option_of_the_same_name(name: str) -> None:
    kind = settings_of(name)
    assert kind is not None
    options = {flag for param in make(name).get_params(click.Context(cli)) for flag in param.opts}
    assert {f"--{item.name.replace('_', '-')}" for item in fields(kind)} <= options
    assert {f"--{role}" for role in (STAGES[name].roles if name in STAGES else ())} <= options


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_means(name: str) -> None:
    for param in make(name).get_params(click.Context(cli)):
        assert not isinstance(param, click.Option) or param.help, param.name


# Exit codes


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("trian", 2, 'There is no command "trian". Did you mean "train"?'),
        ("corpus inspekt", 2, 'There is no command "corpus inspekt". Did you mean "corpus inspect"?'),
        ("corpus inspekt runs/x --html a.html", 2, 'Did you mean "corpus inspect"?'),
        ("corpus texts/a.txt --out x", 2, "`mothertongue corpus` takes options only"),
        ("train quickly --out x", 2, "`mothertongue train` takes options only"),
        ("train --setps 3", 2, "--steps"),
        ("train --out x", 2, "Missing option '--checkpoint'"),
        ("train --out x --checkpoint a --corpus b --steps many", 2, "'many' is not a valid integer"),
        (
            "train --out x --checkpoint a --corpus b --steps -1",
            2,
            "mothertongue train: steps = -1 is outside 0..9223372036854775807",
        ),
        ("train --out x --checkpoint a --corpus b --learning-rate nan", 2, "learning_rate = nan is outside 0..1"),
        ("train --out x --checkpoint gone --corpus b", 1, '"gone" is neither a folder nor a shipped base'),
        ("corpus --out x --source gone.txt", 1, "gone.txt: there is no such file"),
        ("corpus --out x", 2, "A corpus needs at least one source"),
        ("run gone.toml --out x", 2, "gone.toml cannot be read as a recipe: No such file or directory."),
        ("run gone.toml --out x --set train.steps", 2, "--set train.steps: say STEP.KEY=VALUE"),
        ("plan cs --hours 0", 2, "--hours 0.0 is outside 0.01..1000"),
        ("show gone", 1, "gone is not a folder"),
        ("verify gone", 1, "gone is not a folder"),
        ("corpus inspect gone", 1, "gone is not a folder"),
        ("diff gone gone", 1, "gone is not a folder"),
        ("generate gone Ahoj", 1, '"gone" is neither a folder nor'),
        ("generate gone Ahoj --temperature 0", 2, "temperature = 0"),
        ("next gone Ahoj", 1, '"gone" is neither a folder nor'),
        ("demo xx", 2, 'no texts in "xx". It takes: bg, cs.'),
    ],
)
def test_a_mistake_is_said_in_clear_words_with_its_exit_code(words: str, code: int, said: str, ring: Ring) -> None:
    answer = ring(*words.split())
    assert (answer.code, answer.out) == (code, "")
    assert said in answer.err
    assert "Traceback" not in answer.err
    assert len(answer.err.strip().splitlines()) <= 4  # one line, or click's usage before it
    assert not Path("x").exists() and not Path("x.partial").exists()


def test_a_bug_keeps_its_traceback(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("mothertongue.run.story.tell", broken)
    with pytest.raises(ZeroDivisionError):
        ring("show", ".")


def test_ctrl_c_says_that_nothing_is_lost(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*args: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mothertongue.run.story.tell", stopped)
    answer = ring("show", ".")
    assert answer.code == 130
    assert "goes on from here with the same command" in answer.err


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    order = f"{sys.executable} -m mothertongue train --help | head -1"
    done = subprocess.run(["bash", "-c", order], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: ")
    assert done.stderr == ""


# Work


@pytest.fixture
def text(tmp_path: Path) -> str:
    """A recipe of two light steps."""
    lines = [
        f"Dům číslo {n} stojí u řeky a v jeho {n}. patře bydlí hodinář, který opravil {n * 7} hodin." for n in range(60)
    ]
    (tmp_path / "text.txt").write_text("\n".join(lines), "utf-8")
    source = '{ path = "text.txt", unit = "line", min_characters = 10, skip_rules = ["all"] }'
    return f"[corpus]\nnear_duplicate_threshold = 1.0\nsources = [{source}]\n[tokenizer]\nvocab_size = 300\n"


def test_a_recipe_runs_from_stdin_and_is_told_verified_and_compared(ring: Ring, text: str) -> None:
    first = ring("--quiet", "run", "-", "--out", "first", stdin=text.encode())
    assert (first.code, first.err) == (0, "")
    assert "2 of 2 steps are finished" in first.out
    second = ring(
        "--quiet", "run", "-", "--out", "second", "--set", "tokenizer.vocab_size=320", "--json", stdin=text.encode()
    )
    assert json.loads(second.out)["tokenizer"]["vocab_size"] <= 320
    assert "vocab_size" in ring("diff", "first", "second").out
    rows = json.loads(ring("diff", "first", "second", "--json").out)
    assert {"key": "tokenizer.settings.vocab_size", "first": 300, "second": 320} in rows
    assert "set    tokenizer.vocab_size = 320" in ring("show", "second").out
    assert json.loads(ring("show", "first/corpus", "--json").out)["kind"] == "corpus"
    assert list(json.loads(ring("show", "first", "--json").out)) == ["corpus", "tokenizer"]
    assert "files are intact" in ring("verify", "first").out
    next(Path("first/corpus").glob("train-*")).write_bytes(b"?")
    damaged = ring("verify", "first")
    assert damaged.code == 1
    assert "content differs from the manifest" in damaged.err


def test_a_stage_is_a_command_with_the_settings_of_the_recipe(ring: Ring, text: str) -> None:
    source = '{ path = "text.txt", unit = "line", skip_rules = ["all"], min_characters = 10, licence = "CC0" }'
    words = ("--quiet", "corpus", "--out", "my.corpus", "--source", source, "--near-duplicate-threshold", "1")
    made = ring(*words)
    assert made.code == 0, made.err
    assert made.out.startswith("my.corpus: corpus, made by corpus as step my.corpus\n")
    assert "(CC0, " in made.out
    assert json.loads(ring(*words, "--json").out)["documents"] > 20
    looked = ring("corpus", "inspect", "my.corpus")
    assert looked.code == 0, looked.err
    assert "of 60 documents kept" in looked.out and "my.corpus.html" in looked.out
    assert Path("my.corpus.html").read_text("utf-8").startswith("<!doctype html>")
    assert json.loads(ring("corpus", "inspect", "my.corpus", "--json").out)["documents"] > 20
    refused = ring(*words, "--seed", "3")
    assert (refused.code, refused.out) == (1, "")
    assert "my.corpus was made with other settings: seed was 0, is now 3." in refused.err


def test_stdin_that_is_no_text_is_one_clear_error(ring: Ring) -> None:
    answer = ring("run", "-", "--out", "x", stdin=b"\xff\xfe")
    assert answer.code == 2
    assert "The text on stdin is not UTF-8" in answer.err


def test_a_model_writes_from_an_argument_and_from_stdin(ring: Ring, tiny_checkpoint: Path) -> None:
    folder = str(tiny_checkpoint)
    one = ring("generate", folder, "Ráno", "--max-new-tokens", "5", "--seed", "1")
    assert (one.code, one.err) == (0, "")
    two = ring("generate", folder, "-", "--max-new-tokens", "5", "--seed", "1", stdin="Ráno".encode())
    assert two.out == one.out
    assert ring("generate", folder, "Ráno", "--max-new-tokens", "5", "--seed", "1", "--stream").out == one.out
    many = ring("generate", folder, "Ráno", "--num-return-sequences", "3", "--max-new-tokens", "5", "--json")
    assert len(json.loads(many.out)) == 3
    words = json.loads(ring("next", folder, "Rán", "--k", "4", "--json").out)
    assert all(0 <= row["probability"] <= 1 for row in words)
    assert all(row["word"].endswith(row["text"].strip()) for row in words)
    assert "%" in ring("next", folder, "Ráno").out
