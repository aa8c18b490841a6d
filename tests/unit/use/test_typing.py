"""What stands around completion: debounce and cancel, the terminal, finding a model, the picture, the command."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mothertongue.cli import cli
from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.use import find
from mothertongue.use.complete import CompleteConfig, Completer
from mothertongue.use.find import find_model
from mothertongue.use.keystrokes import Cancel, Keystrokes
from mothertongue.use.reader import TakenBackError
from mothertongue.use.show import bar, show_words, shown
from mothertongue.use.words import NextWord


@pytest.fixture
def completer(make_engine: Callable[..., Any]) -> Completer:
    return Completer(make_engine())


def test_only_the_newest_of_many_keys_is_answered(completer: Completer) -> None:
    asked: list[str] = []

    def question(text: str) -> Callable[[Completer, Cancel], str]:
        return lambda opened, cancel: asked.append(text) or text

    async def type_quickly() -> list[str | None]:
        keystrokes = Keystrokes(lambda: completer, pause_seconds=0.02)
        try:
            return await asyncio.gather(*(keystrokes.ask(question(text)) for text in ("V", "Vl", "Vla")))
        finally:
            keystrokes.close()

    assert asyncio.run(type_quickly()) == [None, None, "Vla"]
    assert asked == ["Vla"]


def test_a_newer_key_stops_the_model_at_its_work(completer: Completer) -> None:
    started = threading.Event()

    def endless(opened: Completer, cancel: Cancel) -> str:
        started.set()
        while not cancel():
            time.sleep(0.001)
        raise TakenBackError

    async def type_on() -> list[str | None]:
        keystrokes = Keystrokes(lambda: completer, pause_seconds=0.0)
        try:
            first = asyncio.create_task(keystrokes.ask(endless))
            await asyncio.to_thread(started.wait)
            return [await keystrokes.ask(lambda opened, cancel: "new"), await first]
        finally:
            keystrokes.close()

    assert asyncio.run(type_on()) == ["new", None]


def test_who_goes_away_stops_the_model_too(completer: Completer) -> None:
    started, stopped = threading.Event(), threading.Event()

    def endless(opened: Completer, cancel: Cancel) -> None:
        started.set()
        while not cancel():
            time.sleep(0.001)
        stopped.set()

    async def leave() -> None:
        keystrokes = Keystrokes(lambda: completer, pause_seconds=0.0)
        task = asyncio.create_task(keystrokes.ask(endless))
        await asyncio.to_thread(started.wait)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        keystrokes.close()

    asyncio.run(leave())
    assert stopped.is_set()


def test_a_model_that_cannot_be_opened_is_told_to_who_asks() -> None:
    def fail() -> Completer:
        raise ArtifactError("no such model")

    async def ask() -> None:
        keystrokes = Keystrokes(fail, pause_seconds=0.0)
        try:
            await keystrokes.ask(lambda opened, cancel: opened)
        finally:
            keystrokes.close()

    with pytest.raises(ArtifactError, match="no such model"):
        asyncio.run(ask())


def test_tab_takes_a_word_of_the_grey_text(make_engine: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    toolkit = pytest.importorskip("prompt_toolkit")
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    from mothertongue.use import interactive

    accepted: list[str] = []
    first_word = interactive.first_word
    monkeypatch.setattr(interactive, "first_word", lambda text: accepted.append(first_word(text)) or accepted[-1])
    assert toolkit
    with create_pipe_input() as keys:

        def type_keys() -> None:
            keys.send_text("Vl")
            for _ in range(400):
                if accepted:
                    break
                time.sleep(0.02)
                keys.send_text("\t")
            keys.send_text("\r\x04")

        thread = threading.Thread(target=type_keys)
        thread.start()
        config = CompleteConfig(until="word", confidence=0.0)
        written = interactive.write_with_help(
            lambda: Completer(make_engine()), config, text="Ráno.\n", input=keys, output=DummyOutput()
        )
        thread.join()
    assert accepted
    assert written.startswith(f"Ráno.\nVl{accepted[0]}")


def test_a_model_that_cannot_be_opened_is_told_below_and_ctrl_d_ends_with_what_was_written() -> None:
    pytest.importorskip("prompt_toolkit")
    from prompt_toolkit.input import create_pipe_input
    from prompt_toolkit.output import DummyOutput

    from mothertongue.use import interactive

    told, asked = [], threading.Event()

    def fail() -> Completer:
        asked.set()
        raise ArtifactError("no such model")

    class Screen(DummyOutput):
        def write(self, data: str) -> None:
            told.append(data)

    with create_pipe_input() as keys:

        def type_keys() -> None:
            keys.send_text("Vl")
            for _ in range(400):
                if "no such model" in "".join(told):
                    break
                time.sleep(0.02)
            keys.send_text("\x04")

        thread = threading.Thread(target=type_keys)
        thread.start()
        written = interactive.write_with_help(fail, CompleteConfig(), input=keys, output=Screen())
        thread.join()
    assert asked.is_set()
    assert written == "Vl"
    assert "no such model" in "".join(told)


def test_a_model_is_found_by_its_run_and_by_its_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "RUNS", tmp_path)
    for run, language, step in (("old", "cs", "export"), ("other", "bg", "export"), ("new", "cs", "train")):
        (tmp_path / run / step).mkdir(parents=True)
        (tmp_path / run / step / "config.json").write_text("{}")
        (tmp_path / run / "recipe.toml").write_text(f'[corpus]\nlanguage = "{language}"\n')
    for step in ("finetune", "finetune.partial"):
        (tmp_path / "own" / step).mkdir(parents=True)
        (tmp_path / "own" / step / "config.json").write_text("{}")
    assert find_model(str(tmp_path / "own")) == tmp_path / "own" / "finetune"
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "recipe.toml").write_text("= no TOML")
    assert find_model(str(tmp_path / "old")) == tmp_path / "old" / "export"
    assert find_model(str(tmp_path / "old" / "export")) == tmp_path / "old" / "export"
    assert find_model("cs") == tmp_path / "new" / "train"
    with pytest.raises(ArtifactError, match="mothertongue plan fr --hours 1"):
        find_model("fr")
    with pytest.raises(ArtifactError, match="neither a folder"):
        find_model("no-such-model")
    with pytest.raises(ConfigError, match='"" names no model'):
        find_model("")


def test_a_run_speaks_the_language_that_was_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "RUNS", tmp_path)
    run = tmp_path / "demo"
    (run / "train").mkdir(parents=True)
    (run / "train" / "model.gguf").write_text("")
    (run / "recipe.toml").write_text('[corpus]\nlanguage = "any"\n')
    (run / "overrides.json").write_text(json.dumps({"corpus.language": '"sr"'}))  # as the demo writes it
    assert find_model("sr") == run / "train"
    assert find_model(str(run / "train" / "model.gguf")) == run / "train"


def test_the_picture_is_as_long_as_the_probability() -> None:
    assert [bar(share, width=2) for share in (0, 0.25, 0.5, 1, 2)] == ["  ", "▌ ", "█ ", "██", "██"]
    assert show_words([NextWord("jak", 0.5, "k")]) == " 50.0 %  ████████████              jak"
    assert shown("a\x1b[2Jb\n") == "a\\x1b[2Jb\\n"


def test_the_command_gives_words_and_continuations(tiny_checkpoint: Path) -> None:
    asked = ["complete", str(tiny_checkpoint), "Vlak do Br", "--k", "3", "--confidence", "0", "--max-words", "2"]
    plain = CliRunner().invoke(cli, asked, catch_exceptions=False)
    assert plain.exit_code == 0
    assert "%" in plain.stdout
    assert "Vlak do Br|" in plain.stdout
    for_machines = json.loads(CliRunner().invoke(cli, [*asked, "--json"], catch_exceptions=False).stdout)
    assert len(for_machines["words"]) == 3
    assert all(0 < one["probability"] <= 1 for one in for_machines["continuations"])
