"""Completion in the terminal: grey text after the cursor; Tab takes a word of it, the right arrow all, typing goes on.

    mothertongue complete cs --interactive

Needs prompt_toolkit (`pip install "mothertongue[interactive]"`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mothertongue.errors import MissingExtraError, MothertongueError
from mothertongue.use.complete import CompleteConfig, Completer, Continuation
from mothertongue.use.keystrokes import Cancel, Keystrokes
from mothertongue.use.show import shown
from mothertongue.use.words import NextWord, first_word

if TYPE_CHECKING:
    from prompt_toolkit.auto_suggest import AutoSuggest
    from prompt_toolkit.input import Input
    from prompt_toolkit.output import Output

HELP = "Tab: next word   →: all   Enter: new line   Ctrl-D: end"


def write_with_help(
    open_it: Callable[[], Completer],
    config: CompleteConfig,
    *,
    text: str = "",
    input: Input | None = None,
    output: Output | None = None,
) -> str:
    """Let somebody write, `text` being there already, and give what was written. Ctrl-D ends, Ctrl-C drops all."""
    toolkit = _need_toolkit()
    keystrokes = Keystrokes(open_it)
    lines, default = text.split("\n")[:-1], text.split("\n")[-1]
    ghost = _ghost(keystrokes, config, before=lambda: "".join(line + "\n" for line in lines))
    session: Any = toolkit.PromptSession(
        auto_suggest=ghost, key_bindings=_keys(), bottom_toolbar=lambda: ghost.toolbar, input=input, output=output
    )
    try:
        while True:
            lines.append(session.prompt("> ", default=default))
            default = ""
    except EOFError:
        last = session.default_buffer.text
        return "\n".join([*lines, last] if last else lines)
    finally:
        keystrokes.close()


def toolbar(words: list[NextWord]) -> str:
    """The likeliest words on one line, and which key does what."""
    likely = "  ".join(f"{shown(word.word)} {100 * word.probability:.0f} %" for word in words)
    return f"{likely}   |   {HELP}" if likely else HELP


def _need_toolkit() -> Any:
    try:
        import prompt_toolkit
    except ImportError as error:
        raise MissingExtraError('--interactive needs: pip install "mothertongue[interactive]"') from error
    return prompt_toolkit


def _ghost(keystrokes: Keystrokes, config: CompleteConfig, *, before: Callable[[], str]) -> Any:
    """What prompt_toolkit asks for grey text after each key."""
    from prompt_toolkit.auto_suggest import AutoSuggest, Suggestion
    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.document import Document

    class Ghost(AutoSuggest):
        toolbar = HELP

        def get_suggestion(self, buffer: Buffer, document: Document) -> Suggestion | None:
            return None

        async def get_suggestion_async(self, buffer: Buffer, document: Document) -> Suggestion | None:
            prompt = before() + document.text

            def question(completer: Completer, cancel: Cancel) -> tuple[list[NextWord], list[Continuation]]:
                words = completer.words(prompt, k=config.k, cancel=cancel)
                return words, completer.continuations(
                    prompt,
                    until=config.until,
                    max_words=config.max_words,
                    confidence=config.confidence,
                    cancel=cancel,
                )

            if not document.is_cursor_at_the_end:
                return None
            try:
                answer = await keystrokes.ask(question, stale=lambda: buffer.document.text != document.text)
            except MothertongueError as error:
                self.toolbar = f"{error}   |   {HELP}"
                return None
            if answer is None:
                return None
            self.toolbar = toolbar(answer[0])
            return Suggestion(answer[1][0].text.partition("\n")[0]) if answer[1] else None

    ghost: AutoSuggest = Ghost()
    return ghost


def _keys() -> Any:
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

    keys = KeyBindings()

    @keys.add("tab")
    def accept_word(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.suggestion and buffer.document.is_cursor_at_the_end:
            buffer.insert_text(first_word(buffer.suggestion.text))

    @keys.add("c-d")
    def end(event: KeyPressEvent) -> None:  # prompt_toolkit's own only ends an empty line
        event.app.exit(exception=EOFError)

    return keys
