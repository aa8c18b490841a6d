"""Token after token: transformers prepares the options (its `generate`, its logits processors), this loop draws.

The loop is a generator, so whoever stops asking stops the model: nothing runs on in another thread. It draws from a
random generator of its own: the same seed gives the same text, also beside other threads, and the same as
`torch.manual_seed(seed)` followed by transformers' own `generate`.
"""

# Axes: B continuations of one prompt, T tokens, V vocabulary

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import Tensor
from transformers import GenerationConfig, PreTrainedModel

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.use.config import GenerateConfig


def token_steps(
    model: PreTrainedModel,
    prompt: list[int],
    *,
    config: GenerateConfig,
    new_tokens: int,
    end_id: int,
    banned: list[int],
) -> Iterator[list[int]]:
    """At most `new_tokens` steps after `prompt`; each gives one token for every continuation (`end_id` after its end).

    `banned` tokens are never drawn. Raises CheckpointError if the model gives no numbers.
    """
    random = torch.Generator(device=model.device)
    random.manual_seed(config.seed) if config.seed is not None else random.seed()
    input_ids = torch.tensor([prompt], device=model.device)
    steps = model.generate(  # type: ignore[operator]
        input_ids,
        attention_mask=torch.ones_like(input_ids),
        generation_config=_generation_config(config, new_tokens=new_tokens, end_id=end_id, banned=banned),
        custom_generate=_loop,
        random=random,
    )
    return cast(Iterator[list[int]], steps)


def _generation_config(config: GenerateConfig, *, new_tokens: int, end_id: int, banned: list[int]) -> GenerationConfig:
    sampling = (
        {"temperature": config.temperature, "top_k": config.top_k, "top_p": config.top_p} if config.do_sample else {}
    )
    return GenerationConfig(  # type: ignore[no-untyped-call]
        do_sample=config.do_sample,
        max_new_tokens=new_tokens,
        no_repeat_ngram_size=config.no_repeat_ngram_size,
        num_return_sequences=config.num_return_sequences,
        eos_token_id=end_id,
        pad_token_id=end_id,
        suppress_tokens=banned or None,
        **sampling,
    )


def _loop(
    model: PreTrainedModel,
    input_ids: Tensor,
    logits_processor: Any,
    stopping_criteria: Any,
    generation_config: GenerationConfig,
    random: torch.Generator,
    past_key_values: Any,
    **_unused: Any,
) -> Iterator[list[int]]:
    ids_BT, unread_BT = input_ids, input_ids
    finished_B = torch.zeros(len(ids_BT), dtype=torch.bool, device=ids_BT.device)
    while not finished_B.all():
        with torch.no_grad():  # not around the yield: the caller's own gradients would stop
            logits_BV = (
                model(input_ids=unread_BT, past_key_values=past_key_values, use_cache=True).logits[:, -1].float()
            )
            scores_BV = logits_processor(ids_BT, logits_BV)
            tokens_B = _draw(logits_BV, scores_BV, random if generation_config.do_sample else None)
            tokens_B[finished_B] = generation_config.pad_token_id
        unread_BT = tokens_B[:, None]
        ids_BT = torch.cat([ids_BT, unread_BT], dim=1)
        yield tokens_B.tolist()
        finished_B |= stopping_criteria(ids_BT, None)


def _draw(logits_BV: Tensor, scores_BV: Tensor, random: torch.Generator | None) -> Tensor:
    if not logits_BV.isfinite().all():
        raise CheckpointError(
            "The model gives logits that are no numbers (NaN or infinite): its weights are damaged. "
            "Open an earlier checkpoint."
        )
    if scores_BV.isneginf().all(dim=-1).any():
        raise ConfigError("The options leave no token to draw. Give a larger no_repeat_ngram_size, or 0.")
    if random is None:
        return scores_BV.argmax(dim=-1)
    return torch.multinomial(scores_BV.softmax(dim=-1), num_samples=1, generator=random).squeeze(1)
