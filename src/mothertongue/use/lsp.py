"""Completion in any editor that speaks the Language Server Protocol: grey text, and words in the editor's own list.

    mothertongue lsp runs/czech/export

Needs pygls (`pip install "mothertongue[lsp]"`). How to set up VS Code, Neovim and Helix: docs/how-to/complete.md. The
server answers at once and opens its model beside; a key that is pressed before an answer takes the question back.
"""

from __future__ import annotations

from collections.abc import Callable
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
    server = LanguageServer(NAME, version("mothertongue"))

    async def ask(question: Callable[[Completer, Cancel], Any], kind: str) -> Any:
        try:
            return await keystrokes.ask(question, kind=kind)
        except MothertongueError as error:
            server.window_log_message(types.LogMessageParams(types.MessageType.Error, str(error)))
            return None

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())  # else not announced
    async def inline(params: types.InlineCompletionParams) -> types.InlineCompletionList | None:
        text, after, _ = _around(server, params)
        until = "word" if after.strip() else config.until  # in the middle of a line a word is enough

        def question(completer: Completer, cancel: Cancel) -> list[Continuation]:
            completer.know(text + after)
            return completer.continuations(
                text, k=1, until=until, max_words=config.max_words, confidence=config.confidence, cancel=cancel
            )

        found = await ask(question, "inline")
        here = types.Range(params.position, params.position)
        return types.InlineCompletionList([types.InlineCompletionItem(one.text, range=here) for one in found or []])

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[" "]))
    async def completion(params: types.CompletionParams) -> types.CompletionList:
        text, after, begin = _around(server, params)

        def question(completer: Completer, cancel: Cancel) -> list[NextWord]:
            completer.know(text + after)
            return completer.words(text, k=config.k, which="longer", cancel=cancel)

        found = await ask(question, "completion")
        items = completion_items(found or [], stem=last_letters(text), place=types.Range(begin, params.position))
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


def _around(server: LanguageServer, params: Any) -> tuple[str, str, types.Position]:
    """The text before the place, the rest of its line, and where the unfinished word before the place begins."""
    document = server.workspace.get_text_document(params.text_document.uri)
    at = document.offset_at_position(params.position)
    text = document.source[:at]
    begin = document.client_position_at_offset(at - len(last_letters(text)))
    return text, document.source[at:].partition("\n")[0], begin
