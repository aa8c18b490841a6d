"""A model that writes: the four things one asks of it. `mothertongue.load(folder)` gives one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Unpack

import numpy as np

from mothertongue.errors import ConfigError
from mothertongue.run.progress import say
from mothertongue.tokenizer.bytelevel import start_of_text_id
from mothertongue.tokenizer.marks import token_bytes
from mothertongue.use.complete import Completer
from mothertongue.use.config import DEFAULT_NEW_TOKENS, GenerateConfig, GenerateOptions, parse_options
from mothertongue.use.engine import Engine
from mothertongue.use.pieces import Pieces
from mothertongue.use.prompt import Prompt, prepare_prompt
from mothertongue.use.reader import NextToken, Reader
from mothertongue.use.steps import banned_tokens, token_steps
from mothertongue.use.stream import in_thread
from mothertongue.use.words import NextWord


class Writer:
    """Writes with the model and the tokenizer of one checkpoint.

    A prompt is read as the beginning of a document (after `<|endoftext|>`, or what the tokenizer itself puts there), in
    NFC and with plain newlines, as in training; an empty prompt is an empty document. If it is longer than the model's
    context, its beginning is left out, which is said once on stderr; a continuation that outgrows the context goes on
    behind its latest half. Lone surrogates are a ConfigError. Special tokens in a prompt are ordinary text.
    """

    def __init__(self, engine: Engine, path: str | Path, *, otherwise: Callable[[], Engine] | None = None) -> None:
        """`path` is the folder the engine was opened from: its name stands in messages.

        What `engine` does not honour goes to the one that `otherwise` opens.
        """
        self.engine, self.tokenizer, self.path = engine, engine.tokenizer, Path(path)
        self.context = engine.context
        self._start_id = start_of_text_id(self.tokenizer)
        self._bytes = token_bytes(self.tokenizer)
        self._banned = banned_tokens(engine, self._bytes)
        self._has_noted, self._otherwise = False, otherwise

    def next_words(self, prompt: str, *, k: int = 10) -> list[NextWord]:
        """The `k` likeliest next words, likeliest first, each with a lower bound of its probability (0-1).

        A word is a run of letters, digits and combining marks, or one other character. If `prompt` may end inside a
        word, words that complete it are among the answers. Fewer than `k` are given if the model sees no more.
        """
        return self._completer.words(prompt, k=k)

    def next_tokens(self, prompt: str, *, k: int = 10) -> list[NextToken]:
        """The `k` likeliest next tokens, likeliest first, each with its probability (0-1)."""
        _check_count(k)
        reader = Reader(self.engine, banned=self._banned)
        first_V = reader(tuple(self._prepare(prompt, new_tokens=1).ids))
        reader.close()
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

    def astream(self, prompt: str, **options: Unpack[GenerateOptions]) -> AsyncIterator[str]:
        """`stream` for asyncio: the model computes in a thread of its own, and stops when the loop is left."""
        return in_thread(self.stream(prompt, **options))

    def _write(self, prompt: str, config: GenerateConfig) -> Iterator[tuple[int, str]]:
        """Prepares at once, then gives (number of the continuation, piece of text) as they come."""
        engine = self.engine if self.engine.honours(config) else self._other
        new_tokens, ids = self._plan(prompt, config)
        growing = set(range(config.num_return_sequences))
        steps = token_steps(engine, ids, config=config, new_tokens=new_tokens, banned=self._banned, growing=growing)
        rows = [Pieces(self._bytes, stop=config.stop) for _ in growing]
        return _read_steps(steps, rows, growing, end_id=self.engine.end_id)

    def _plan(self, prompt: str, config: GenerateConfig) -> tuple[int, list[int]]:
        new_tokens = config.max_new_tokens or min(DEFAULT_NEW_TOKENS, self.context // 2)
        if config.max_length is not None:
            new_tokens = self._room_below(config.max_length, prompt)
        return new_tokens, self._prepare(prompt, new_tokens=new_tokens).ids

    def _room_below(self, max_length: int, prompt: str) -> int:
        prepared = prepare_prompt(self.tokenizer, prompt, start_id=self._start_id, room=1 << 62)
        length = len(prepared.ids) - prepared.start
        if length >= max_length:
            raise ConfigError(
                f"max_length = {max_length} counts the prompt, and the prompt has {length} tokens already. "
                f"Give max_length of at least {length + 1}, or max_new_tokens instead."
            )
        return max_length - length

    def _prepare(self, prompt: str, *, new_tokens: int) -> Prompt:
        room = max(self.context - new_tokens, self.context // 2, 1)  # a longer text slides: see steps.py
        prepared = prepare_prompt(self.tokenizer, prompt, start_id=self._start_id, room=room)
        if prepared.left_out and not self._has_noted:
            self._has_noted = True
            say(
                f"note: the prompt is longer than {self.path.name} can read ({self.context} tokens, "
                f"{self.context - room} of them for new text): its first {prepared.left_out} tokens are "
                "left out (said once)."
            )
        return prepared

    def _token_text(self, token: int) -> str:
        return (
            str(self.tokenizer.id_to_token(token))
            if token not in self._bytes
            else self._bytes[token].decode("utf-8", "replace")
        )

    @cached_property
    def _other(self) -> Engine:
        if self._otherwise is None:
            raise ConfigError(
                f"{self.path.name} is computed by an engine that cannot do all that is asked for (it may be "
                "num_return_sequences). Ask for less, or open the checkpoint that it was exported from."
            )
        return self._otherwise()

    @cached_property
    def _completer(self) -> Completer:
        return Completer(self.engine)


def _read_steps(
    steps: Iterator[list[tuple[int, int]]], rows: list[Pieces], growing: set[int], *, end_id: int
) -> Iterator[tuple[int, str]]:
    for drawn in steps:
        for number, token in drawn:
            row = rows[number]
            yield number, (row.close() if token == end_id else row.push(token))
            if row.ended:
                growing.discard(number)
    for number, row in enumerate(rows):
        yield number, row.close()


def _check_count(k: int) -> None:
    if k < 1:
        raise ConfigError(f"k = {k} asks for no answer. Give at least 1.")
