"""What was typed, as the tokens that a model reads: text rules as in training, a document's start, room to answer.

<|endoftext|> Vlak přijel na          a prompt is the beginning of a document, as the model saw them in training
                   přijel na          a prompt that is too long loses its beginning, and then is no document's start
"""

from __future__ import annotations

from dataclasses import dataclass

from tokenizers import Tokenizer

from mothertongue.corpus.clean import clean
from mothertongue.errors import ConfigError
from mothertongue.tokenizer.bytelevel import encode_text


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as token ids. `start` of them (0 or 1) were put before the text, `left_out` of the text had no room."""

    ids: list[int]
    start: int
    left_out: int


def prepare_prompt(tokenizer: Tokenizer, text: str, *, start_id: int, room: int) -> Prompt:
    """`text` after the token `start_id`, cut from the left to `room` tokens (at least 1).

    Raises ConfigError if `text` has lone surrogates, which stand for no character.
    """
    ids = encode_text(tokenizer, clean_prompt(text))
    if len(ids) < room:
        return Prompt([start_id, *ids], start=1, left_out=0)
    return Prompt(ids[len(ids) - room :], start=0, left_out=len(ids) - room)


def clean_prompt(text: str) -> str:
    """`text` in the one form that the corpus has: NFC, plain newlines, nothing invisible. White space at its end stays.

    >>> clean_prompt("c\\u030ctvrtek\\r\\n")
    'čtvrtek\\n'
    """
    check_characters(text)
    return clean(text + "x")[:-1]  # as if a letter followed: at the end of a whole document white space would go


def check_characters(text: str) -> None:
    """ConfigError if `text` cannot be written as UTF-8, naming the first character to blame."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ConfigError(
            f"The prompt has a lone surrogate, U+{ord(text[error.start]):04X}, at character {error.start + 1}: half of "
            'a character is no text. Read its file as UTF-8, or drop it with text.encode("utf-8", "ignore").decode().'
        ) from error
