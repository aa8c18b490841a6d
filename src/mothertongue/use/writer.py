"""A model that writes: the four things one asks of it. `mothertongue.load(folder)` gives one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Unpack

import numpy as np
from transformers import GenerationConfig

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import Checkpoint, end_of_text_id
from mothertongue.run.progress import say
from mothertongue.use.config import DEFAULT_NEW_TOKENS, GenerateConfig, GenerateOptions, parse_options
from mothertongue.use.distribution import Distribution, NextToken
from mothertongue.use.pieces import Pieces, bytes_of_tokens
from mothertongue.use.prompt import Prompt, clean_prompt, prepare_prompt
from mothertongue.use.steps import token_steps
from mothertongue.use.words import MAX_WORD_TOKENS, NextWord, TokenTable, last_letters, search_words


class Writer:
    """Writes with the model and the tokenizer of one checkpoint.

    A prompt is read as the beginning of a document (after `<|endoftext|>`), in NFC and with plain newlines, as in
    training; an empty prompt is an empty document. If it is longer than the model's context, its beginning is left out,
    which is said once on stderr. Lone surrogates are a ConfigError. Special tokens in a prompt are ordinary text.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.model, self.tokenizer, self.path = checkpoint.model, checkpoint.tokenizer, Path(checkpoint.path)
        self.model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]  # no habits of the folder's own
        self.context = anatomy(self.model).context
        self._end_id = end_of_text_id(self.tokenizer)
        self._bytes = bytes_of_tokens(self.tokenizer)
        self._table_size = anatomy(self.model).embeddings.num_embeddings
        # a special token other than the end is no text, and rows beyond the tokenizer are padding
        self._banned = [i for i in range(self._table_size) if i not in self._bytes and i != self._end_id]
        self._has_noted = False

    def next_words(self, prompt: str, *, k: int = 10) -> list[NextWord]:
        """The `k` likeliest next words, likeliest first, each with a lower bound of its probability (0-1).

        A word is a run of letters, digits and combining marks, or one other character. If `prompt` may end inside a
        word, words that complete it are among the answers. Fewer than `k` are given if the model sees no more.
        """
        _check_count(k)
        text = clean_prompt(prompt)
        after_space = text.endswith(" ") and not text[:-1].endswith(" ") and len(text) > 1
        text = text[:-1] if after_space else text
        prepared = self._prepare(text, new_tokens=min(MAX_WORD_TOKENS, self.context // 2))
        ask = Distribution(self.model, prepared.ids, banned=self._banned)
        return search_words(ask, self._table, k=k, stem=last_letters(text), after_space=after_space)

    def next_tokens(self, prompt: str, *, k: int = 10) -> list[NextToken]:
        """The `k` likeliest next tokens, likeliest first, each with its probability (0-1)."""
        _check_count(k)
        first_V = Distribution(self.model, self._prepare(prompt, new_tokens=1).ids, banned=self._banned)([()])[0]
        best = np.argsort(-first_V, kind="stable")[:k].tolist()
        return [NextToken(i, self._token_text(i), float(first_V[i])) for i in best if first_V[i] > 0]

    def generate(self, prompt: str, **options: Unpack[GenerateOptions]) -> list[str]:
        """Continuations of `prompt`, without the prompt: as many as `num_return_sequences` (default 1).

        The options are the fields of GenerateConfig; a wrong one is a ConfigError that says what it takes. A text
        ends after `max_new_tokens`, at the end of the document, or before a `stop` string. The same `seed` gives the
        same text.
        """
        config = parse_options(options)
        texts = [""] * config.num_return_sequences
        for row, piece in self._write(prompt, config):
            texts[row] += piece
        return texts

    def stream(self, prompt: str, **options: Unpack[GenerateOptions]) -> Iterator[str]:
        """The text of `generate` piece by piece as the model writes it, never half a letter.

        The options are checked at once. Closing the iterator (or leaving the loop) stops the model.
        """
        config = parse_options(options)
        if config.num_return_sequences > 1:
            raise ConfigError(
                f"num_return_sequences = {config.num_return_sequences} texts cannot come as one stream. "
                "Use `generate`, or give 1."
            )
        return (piece for _, piece in self._write(prompt, config) if piece)

    def _write(self, prompt: str, config: GenerateConfig) -> Iterator[tuple[int, str]]:
        """Prepares at once, then gives (number of the continuation, piece of text) as they come."""
        new_tokens, ids = self._plan(prompt, config)
        steps = token_steps(
            self.model, ids, config=config, new_tokens=new_tokens, end_id=self._end_id, banned=self._banned
        )
        rows = [Pieces(self._bytes, stop=config.stop) for _ in range(config.num_return_sequences)]
        return _read_steps(steps, rows, end_id=self._end_id)

    def _plan(self, prompt: str, config: GenerateConfig) -> tuple[int, list[int]]:
        new_tokens = config.max_new_tokens or min(DEFAULT_NEW_TOKENS, self.context // 2)
        if config.max_length is not None:
            new_tokens = self._room_below(config.max_length, prompt)
        if new_tokens >= self.context:
            raise ConfigError(
                f"{new_tokens} new tokens do not fit: {self.path.name} reads {self.context} tokens at once, "
                f"prompt included. Give max_new_tokens of at most {self.context - 1}."
            )
        return new_tokens, self._prepare(prompt, new_tokens=new_tokens).ids

    def _room_below(self, max_length: int, prompt: str) -> int:
        prepared = prepare_prompt(self.tokenizer, prompt, start_id=self._end_id, room=1 << 62)
        length = len(prepared.ids) - prepared.start
        if length >= max_length:
            raise ConfigError(
                f"max_length = {max_length} counts the prompt, and the prompt has {length} tokens already. "
                f"Give max_length of at least {length + 1}, or max_new_tokens instead."
            )
        return max_length - length

    def _prepare(self, prompt: str, *, new_tokens: int) -> Prompt:
        prepared = prepare_prompt(self.tokenizer, prompt, start_id=self._end_id, room=self.context - new_tokens)
        if prepared.left_out and not self._has_noted:
            self._has_noted = True
            say(
                f"note: the prompt is longer than {self.path.name} can read ({self.context} tokens, {new_tokens} of "
                f"them for new text): its first {prepared.left_out} tokens are left out (said once)."
            )
        return prepared

    def _token_text(self, token: int) -> str:
        return (
            str(self.tokenizer.id_to_token(token))
            if token not in self._bytes
            else self._bytes[token].decode("utf-8", "replace")
        )

    @cached_property
    def _table(self) -> TokenTable:
        return TokenTable(self._bytes, self._table_size)


def _read_steps(steps: Iterator[list[int]], rows: list[Pieces], *, end_id: int) -> Iterator[tuple[int, str]]:
    for tokens in steps:
        for number, (row, token) in enumerate(zip(rows, tokens, strict=True)):
            if not row.ended:
                yield number, (row.close() if token == end_id else row.push(token))
        if all(row.ended for row in rows):
            break
    for number, row in enumerate(rows):
        yield number, row.close()


def _check_count(k: int) -> None:
    if k < 1:
        raise ConfigError(f"k = {k} asks for no answer. Give at least 1.")
