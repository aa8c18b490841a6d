"""A real client talks to a real server process over stdin and stdout."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

types = pytest.importorskip("lsprotocol.types")
pytest.importorskip("pygls")

SERVER = """
import sys
import numpy as np
from tokenizers import Tokenizer
from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.use.complete import CompleteConfig, Completer
from mothertongue.use.keystrokes import Keystrokes
from mothertongue.use.lsp import make_server

class ByHeart:
    def __init__(self, tokenizer):
        self.tokenizer, self.end_id, self.context = tokenizer, 0, 128
        self.vocab_size, self.ids = tokenizer.get_vocab_size(), []
        self.known = [0, *encode_text(tokenizer, "Ráno 🦄 svítilo slunce. A nad řekou.")]
    def session(self):
        return self
    def extend(self, ids):
        self.ids = self.ids + list(ids)
        weights = np.full(self.vocab_size, 1e-9)
        if self.known[: len(self.ids)] == self.ids and len(self.ids) < len(self.known):
            weights[self.known[len(self.ids)]] = 1
        return np.log(weights / weights.sum()).astype(np.float32)
    def crop(self, length):
        self.ids = self.ids[:length]
    def close(self):
        pass

tokenizer = Tokenizer.from_file(sys.argv[1])
keystrokes = Keystrokes(lambda: Completer(ByHeart(tokenizer)), pause_seconds=float(sys.argv[2]))
make_server(keystrokes, CompleteConfig()).start_io()
keystrokes.close()
"""
URI = "file:///dopis.txt"


async def with_client(tokenizer_file: Path, pause: float, talk: Callable[[Any], Awaitable[None]]) -> None:
    from pygls.lsp.client import LanguageClient

    client = LanguageClient("test", "1")
    await client.start_io(sys.executable, "-c", SERVER, str(tokenizer_file), str(pause))
    inline = types.InlineCompletionClientCapabilities()
    known = types.ClientCapabilities(text_document=types.TextDocumentClientCapabilities(inline_completion=inline))
    answer = await client.initialize_async(types.InitializeParams(known))
    assert answer.capabilities.completion_provider is not None
    assert answer.capabilities.inline_completion_provider
    client.initialized(types.InitializedParams())
    await talk(client)
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()


def open_text(client: Any, text: str) -> None:
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "plaintext", 1, text)))


def ask_inline(client: Any, line: int, character: int) -> Any:
    context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
    place = types.Position(line, character)
    document = types.TextDocumentIdentifier(URI)
    return client.text_document_inline_completion_async(types.InlineCompletionParams(context, document, place))


@pytest.fixture
def tokenizer_file(tmp_path: Path, tiny_tokenizer: Any) -> Path:
    tiny_tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_an_editor_gets_grey_text_and_a_list_of_words(tokenizer_file: Path) -> None:
    async def talk(client: Any) -> None:
        open_text(client, "Ráno 🦄 sv")
        after_emoji = len("Ráno 🦄 sv") + 1  # UTF-16
        grey = await ask_inline(client, 0, after_emoji)
        assert [item.insert_text for item in grey.items] == ["ítilo slunce."]
        place = types.Position(0, after_emoji)
        found = await client.text_document_completion_async(
            types.CompletionParams(types.TextDocumentIdentifier(URI), place)
        )
        best = found.items[0]
        assert (best.label, best.text_edit.new_text) == ("svítilo", "svítilo")
        assert best.text_edit.range == types.Range(types.Position(0, after_emoji - 2), place)
        change = types.TextDocumentContentChangeWholeDocument("Ráno 🦄 sví\n")
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, URI), [change])
        )
        grey = await ask_inline(client, 0, after_emoji + 1)
        assert [item.insert_text for item in grey.items] == ["tilo slunce."]

    asyncio.run(with_client(tokenizer_file, 0.0, talk))


@pytest.mark.parametrize(
    ("text", "line", "character", "end"),
    [
        ("Ráno 🦄 sv", 0, 99, 10),  # behind the end of a line is at its end
        ("Ráno 🦄 sv\r\nkonec", 0, 99, 10),
        ("a\u2028b\x0cc\x85d\rRáno 🦄 sv\n", 1, 10, 10),  # only \r, \n and both end a line
        ("Ráno 🦄 sv\n", 7, 3, 0),
    ],
)
def test_lines_are_those_of_the_protocol(tokenizer_file: Path, text: str, line: int, character: int, end: int) -> None:
    async def talk(client: Any) -> None:
        open_text(client, text)
        asked = types.CompletionParams(types.TextDocumentIdentifier(URI), types.Position(line, character))
        found = (await client.text_document_completion_async(asked)).items
        assert found
        begin = end - 2 if end else 0  # of the unfinished word
        word = types.Range(types.Position(line, begin), types.Position(line, end))
        assert all(item.text_edit.range == word for item in found)

    asyncio.run(with_client(tokenizer_file, 0.0, talk))


def test_a_document_that_is_not_open_has_no_completions(tokenizer_file: Path) -> None:
    async def talk(client: Any) -> None:
        assert not (await ask_inline(client, 0, 0)).items

    asyncio.run(with_client(tokenizer_file, 0.0, talk))


def test_a_text_that_cannot_be_read_is_logged_and_is_no_end(tokenizer_file: Path) -> None:
    async def talk(client: Any) -> None:
        logged: list[str] = []
        client.feature("window/logMessage")(lambda params: logged.append(params.message))
        open_text(client, "Ráno \ud800 sv")
        answer = await ask_inline(client, 0, 9)
        assert not answer.items
        for _ in range(100):
            if logged:
                break
            await asyncio.sleep(0.02)
        assert "lone surrogate" in logged[0]
        open_text(client, "Ráno 🦄 sv")
        assert (await ask_inline(client, 0, 10)).items[0].insert_text == "ítilo slunce."

    asyncio.run(with_client(tokenizer_file, 0.0, talk))


def test_the_older_of_two_questions_is_taken_back(tokenizer_file: Path) -> None:
    async def talk(client: Any) -> None:
        open_text(client, "Ráno 🦄 svítilo")
        older, newer = ask_inline(client, 0, 2), ask_inline(client, 0, 5)
        found = await asyncio.gather(older, newer)
        assert [bool(answer.items) for answer in found] == [False, True]

    asyncio.run(with_client(tokenizer_file, 0.2, talk))


def test_an_output_that_the_server_has_closed_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from mothertongue import cli

    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(cli, "cli", lambda **_: sys.stdout.close())
    cli.main()
