"""Completion in any editor that speaks the Language Server Protocol: grey text, and words in the editor's own list.

    mothertongue lsp runs/czech/export

Needs pygls (`pip install "mothertongue[lsp]"`). How to set up VS Code, Neovim and Helix: docs/how-to/complete.md. The
server answers at once and opens its model beside; a key that is pressed before an answer takes the question back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from mothertongue.errors import MissingExtraError, MothertongueError
from mothertongue.use.complete import Asked, CompleteConfig, Completer, Continuation
from mothertongue.use.keystrokes import Cancel, Keystrokes
from mothertongue.use.words import NextWord, last_letters

if TYPE_CHECKING:
    from lsprotocol import types
    from pygls.lsp.server import LanguageServer

NAME = "mothertongue"
LINE_END = re.compile(r"\r\n|\n|\r")  # as the protocol has it


def serve_editor(asked: Asked) -> None:
    """Serve one editor over stdin and stdout until it leaves."""
    keystrokes = Keystrokes(asked.open)
    try:
        make_server(keystrokes, asked.config).start_io()
    finally:
        keystrokes.close()


def make_server(keystrokes: Keystrokes, config: CompleteConfig) -> LanguageServer:
    """A server that knows `textDocument/inlineCompletion` and `textDocument/completion`."""
    try:
        from lsprotocol import types
        from pygls.lsp.server import LanguageServer
    except ImportError as error:
        raise MissingExtraError('`mothertongue lsp` needs: pip install "mothertongue[lsp]"') from error
    # of changes pygls finds the lines otherwise than editors do (U+2028), so it gets whole texts
    server = LanguageServer(NAME, version("mothertongue"), types.TextDocumentSyncKind.Full)

    async def ask(question: Callable[[Completer, Cancel], Any], kind: str) -> Any:
        try:
            return await keystrokes.ask(question, kind=kind)
        except MothertongueError as error:
            server.window_log_message(types.LogMessageParams(types.MessageType.Error, str(error)))
            return None

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())  # else not announced
    async def inline(params: types.InlineCompletionParams) -> types.InlineCompletionList:
        if not (place := _place(server, params)):
            return types.InlineCompletionList([])
        until = "word" if place.after.strip() else config.until  # in the middle of a line a word is enough

        def question(completer: Completer, cancel: Cancel) -> list[Continuation]:
            completer.know(place.before + place.after)
            return completer.continuations(
                place.before, k=1, until=until, max_words=config.max_words, confidence=config.confidence, cancel=cancel
            )

        found = await ask(question, "inline")
        return types.InlineCompletionList(
            [types.InlineCompletionItem(one.text, range=place.here) for one in found or []]
        )

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[" "]))
    async def completion(params: types.CompletionParams) -> types.CompletionList:
        if not (place := _place(server, params)):
            return types.CompletionList(is_incomplete=False, items=[])

        def question(completer: Completer, cancel: Cancel) -> list[NextWord]:
            completer.know(place.before + place.after)
            return completer.words(place.before, k=config.k, which="longer", cancel=cancel)

        found = await ask(question, "completion")
        items = completion_items(found or [], stem=last_letters(place.before), place=place.word)
        return types.CompletionList(is_incomplete=True, items=items)

    return server


def completion_items(words: list[NextWord], *, stem: str, place: types.Range) -> list[types.CompletionItem]:
    """The words that go on with `stem`, which stands at `place`, likeliest first."""
    from lsprotocol import types

    items = []
    for rank, word in enumerate(words):
        text = stem + word.text
        items.append(
            types.CompletionItem(
                label=word.word,
                kind=types.CompletionItemKind.Text,
                detail=f"{100 * word.probability:.1f} %",
                sort_text=f"{rank:04d}",
                filter_text=text,
                text_edit=types.TextEdit(place, text),
            )
        )
    return items


@dataclass(frozen=True)
class _Place:
    """A place in a document, which the editor counts in code units of its own, and lines as the protocol ends them."""

    before: str
    after: str  # on its line
    word: types.Range  # of the unfinished word before it

    @property
    def here(self) -> types.Range:
        from lsprotocol import types

        return types.Range(self.word.end, self.word.end)


def _place(server: LanguageServer, params: Any) -> _Place | None:
    """Where the editor asks; None in a document that is not open. Behind the end of a line is at its end."""
    from lsprotocol import types

    codec = server.workspace.position_codec
    document = server.workspace.text_documents.get(params.text_document.uri)
    if document is None:
        return None
    text, number = document.source, params.position.line
    starts = [0, *(end.end() for end in LINE_END.finditer(text))]
    start = starts[number] if number < len(starts) else len(text)
    line = LINE_END.split(text[start:], maxsplit=1)[0]
    column = len(line)
    if params.position.character < codec.client_num_units(line):
        column = codec.position_from_client_units([line], types.Position(0, params.position.character)).character

    def place(column: int) -> types.Position:
        return types.Position(number, codec.client_num_units(line[:column]))

    begin = column - len(last_letters(line[:column]))
    return _Place(text[: start + column], line[column:], types.Range(place(begin), place(column)))
