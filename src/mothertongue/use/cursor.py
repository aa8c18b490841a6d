"""Where somebody stands in a text: the tokens that are certain, and the bytes that the next tokens must begin with.

    Dobrý den, ja|         head: "Dobrý den,"      typed: " ja"     stem: "ja"

A tokenizer cuts " ja" otherwise than " jak" or " jahoda", so a model that is asked after the token " ja" answers about
another text than the one that is meant: nearly every place inside a word is wrong for it. So the last tokens are taken
back to the beginning of the unfinished word with the white space before it (where that is more than `back` tokens, only
so many), and what is written next has to begin with their bytes. Half a character, cut out of bytes, is typed text too.

Finished words are read as the tokenizer cuts them. In vocabularies of GPT-2's scheme no token crosses the border
between white space, letters and symbols, so taking back the last run is enough.
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Tokenizer

from mothertongue.errors import ConfigError
from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.use.prompt import check_characters, clean_prompt
from mothertongue.use.table import Kind, TokenTable, kind_of, whole_letters

CHARACTERS_PER_TOKEN = 6  # that much of the end of a long text is looked at first
TRIES = 8  # of cutting it shorter


@dataclass(frozen=True, slots=True)
class Cursor:
    """`head` are the tokens before `typed`, and `whole` those of all the text, should its last run be finished."""

    before: tuple[int, ...]  # the tokens before the last run; `head` has the first ones of a long run as well
    head: tuple[int, ...]
    typed: bytes
    whole: tuple[int, ...]
    run: str  # the last run with the white space before it
    stem: str  # the word or the run of symbols at the end, as far as it is there
    torn: bytes  # the half character at the very end; part of `typed`
    text: str  # what the model sees, without the torn character

    @property
    def kind(self) -> Kind | None:
        """Whether the cursor is in a word or a run of symbols; None after white space and in an empty text."""
        return kind_of(self.stem[0]) if self.stem else None


def find_cursor(
    tokenizer: Tokenizer,
    table: TokenTable,
    text: str | bytes,
    *,
    start_id: int,
    room: int,
    back: int,
    prefix: str = "",
) -> Cursor:
    """The cursor at the end of `text`, which may take `room` tokens (at least 8), of which `back` are taken back.

    `prefix` is what stands before every document's text, though nobody typed it (see `without_prefix`).
    Raises ConfigError for lone surrogates, and for bytes that are no UTF-8 before the last character.
    """
    whole_text, torn = _read(text)
    shown, at_start = _window(tokenizer, whole_text, room=room - 3)
    before, run = split_run(prefix + shown if at_start and not shown.startswith(" ") else shown)
    start = [start_id] if at_start else []
    head, tail, typed = start + encode_text(tokenizer, before), encode_text(tokenizer, run), run.encode()
    fixed = tail[: max(0, len(tail) - back)]
    if fixed and b"".join(table.data[i] for i in tail) != typed:  # not of GPT-2's scheme: no border between tokens
        fixed = []
    typed = typed[sum(len(table.data[i]) for i in fixed) :]
    return Cursor(
        before=tuple(head or [start_id]),
        head=tuple([*head, *fixed] or [start_id]),
        typed=typed + torn,
        whole=tuple([*head, *tail] or [start_id]),
        run=run,
        stem=run.lstrip(),
        torn=torn,
        text=shown,
    )


def split_run(text: str) -> tuple[str, str]:
    """`text` before its last run of letters or of symbols, and that run with the white space before it.

    >>> split_run("Dobrý den, ja"), split_run("Dobrý den,"), split_run("Ne? ")
    (('Dobrý den,', ' ja'), ('Dobrý den', ','), ('Ne?', ' '))
    """
    end = len(text)
    if end and (kind := kind_of(text[-1])) is not Kind.SPACE:
        while end and kind_of(text[end - 1]) is kind:
            end -= 1
    while end and text[end - 1].isspace():
        end -= 1
    return text[:end], text[end:]


def runs(text: str) -> list[str]:
    """`text` as runs of letters or symbols, each with the white space before it.

    >>> runs(" den, ja ")
    [' den', ',', ' ja', ' ']
    """
    found: list[str] = []
    while text:
        text, last = split_run(text)
        found.append(last)
    return found[::-1]


def _read(text: str | bytes) -> tuple[str, bytes]:
    if isinstance(text, str):
        check_characters(text)
        return text, b""
    whole, torn = whole_letters(text)
    if whole is None:
        raise ConfigError(
            "The prompt's bytes are no UTF-8; only its last character may be unfinished. "
            "Read the file in its own encoding and pass text."
        )
    return whole, torn


def _window(tokenizer: Tokenizer, text: str, *, room: int) -> tuple[str, bool]:
    """The end of `text`, cleaned, that fits into `room` tokens, and whether that is all of it.

    What is left out are blocks of `room` characters, so that the window stays the same for many keystrokes.
    """
    start = _up(len(text) - room * CHARACTERS_PER_TOKEN, room)
    for _ in range(TRIES):
        shown = clean_prompt(text[_next_space(text, start) :])
        tokenizer.encode_special_tokens = True
        encoding = tokenizer.encode(shown, add_special_tokens=False)
        over = len(encoding.ids) - room
        if over <= 0:
            return shown, start == 0
        start = _up(start + max(1, encoding.offsets[over][0]), room)
        if start >= len(text):
            break
    return clean_prompt(text[max(0, len(text) - room // 4) :]), False  # a character has four tokens at most


def _up(number: int, block: int) -> int:
    return max(0, -(-number // block) * block)


def _next_space(text: str, start: int) -> int:
    """The space after `start`, if there is one near: no text begins inside a word."""
    return max(start, text.find(" ", start, start + 40)) if start else 0
