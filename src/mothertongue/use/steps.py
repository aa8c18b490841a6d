"""Token after token: an engine gives logits, the sampler draws, and texts that outgrow the context slide.

The loops are generators, so whoever stops asking stops the model: nothing runs on in another thread. When a text fills
the model's context, its latest half is read anew and the text goes on behind it (a sliding window): a text may be as
long as is asked for, but what is further back than the context is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from mothertongue.tokenizer.marks import token_bytes
from mothertongue.use.config import DEFAULT_NEW_TOKENS, GenerateConfig
from mothertongue.use.pieces import Pieces
from mothertongue.use.sampler import Sampler

if TYPE_CHECKING:
    from mothertongue.use.engine import Engine


def token_steps(
    engine: Engine,
    prompt: Sequence[int],
    *,
    config: GenerateConfig,
    new_tokens: int,
    banned: Sequence[int] = (),
    growing: set[int] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[list[tuple[int, int]]]:
    """At most `new_tokens` steps after `prompt`; each gives (number of a continuation, its new token) of all that grow.

    A continuation ends with the end of the document, and when the caller takes its number out of `growing`. `banned`
    tokens are never drawn; `cancel` is asked between tokens and ends all. Raises CheckpointError if the model gives no
    numbers, and ConfigError if the rules leave no token.
    """
    growing = set(range(config.num_return_sequences)) if growing is None else growing
    numbers = sorted(growing)
    samplers = {number: Sampler(config, prompt, banned=banned, number=number) for number in numbers}
    texts = {number: list(prompt) for number in numbers}
    rows, cached = engine.rows([prompt] * len(numbers), room=new_tokens), len(prompt)
    try:
        for left in reversed(range(new_tokens)):
            if cancel and cancel():
                return
            drawn = [
                (number, samplers[number].draw(logits)) for number, logits in zip(numbers, rows.logits, strict=True)
            ]
            yield drawn
            growing -= {number for number, token in drawn if token == engine.end_id}
            stay = [place for place, number in enumerate(numbers) if number in growing]
            if not stay or not left:
                return
            if len(stay) < len(numbers):
                rows.keep(stay)
            for number, token in drawn:
                texts[number].append(token)
            numbers = [numbers[place] for place in stay]
            if cached < engine.context:
                rows.step([texts[number][-1] for number in numbers])
                cached += 1
            else:
                rows.close()
                windows = [fitting(texts[number], engine.context) for number in numbers]
                rows, cached = engine.rows(windows, room=left), len(windows[0])
    finally:
        rows.close()


def one_text(
    engine: Engine,
    ids: Sequence[int],
    options: GenerateConfig,
    *,
    on_token: Callable[[int], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Iterator[int]:
    """The tokens of one continuation of `ids`, without the end: what every engine's `generate` gives."""
    vocabulary = token_bytes(engine.tokenizer)
    pieces, growing = Pieces(vocabulary, stop=options.stop), {0}
    most = max(0, options.max_length - len(ids)) if options.max_length else options.max_new_tokens or DEFAULT_NEW_TOKENS
    steps = token_steps(
        engine, fitting(ids, engine.context), config=options, new_tokens=most,
        banned=banned_tokens(engine, vocabulary), growing=growing, cancel=cancel,
    )  # fmt: skip
    for ((_, token),) in steps:
        if token == engine.end_id:
            return
        pieces.push(token)
        if pieces.ended:
            growing.clear()
        if on_token:
            on_token(token)
        yield token


def fitting(ids: Sequence[int], context: int) -> list[int]:
    """The end of `ids` that leaves room for new tokens in `context`."""
    return list(ids) if len(ids) < context else list(ids[-_window(context) :])


def banned_tokens(engine: Engine, vocabulary: dict[int, bytes]) -> list[int]:
    """A special token other than the end is no text, and rows beyond the tokenizer are padding."""
    return [i for i in range(engine.vocab_size) if i not in vocabulary and i != engine.end_id]


def _window(context: int) -> int:
    return max(1, context // 2)
