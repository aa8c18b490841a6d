"""The task `speed`: tokens per second of plain generation (batch 1, greedy, key-value cache), and megabytes of weights.

It tells of this machine in these minutes: compare it only with what was measured beside it.
"""

from __future__ import annotations

import statistics
import time
from typing import Any, cast

import torch
from transformers import GenerationConfig

from mothertongue.evaluate.tasks import Outcome, Subject
from mothertongue.model.checkpoint import Checkpoint
from mothertongue.model.score import context_of, device_of, evaluating
from mothertongue.tokenizer.bytelevel import encode_text, end_of_text_id, start_of_text_id

RUNS = 3
MAX_NEW_TOKENS = 64


def speed(subject: Subject) -> Outcome:
    """Median speed of three runs after one that does not count."""
    checkpoint = subject.checkpoint
    rate = tokens_per_second(checkpoint, subject.texts[0])
    size = sum(file.stat().st_size for file in checkpoint.path.glob("model*.safetensors")) / 1e6
    parameters = sum(parameter.numel() for parameter in checkpoint.model.parameters())
    figures = {"tokens_per_second": rate, "weights_megabytes": size, "parameters": parameters}
    kind, device = str(checkpoint.model.dtype).removeprefix("torch."), device_of(checkpoint.model)
    note = (
        f"Speed: {rate:.0f} tokens per second at batch 1 in {kind} on {device} with {torch.get_num_threads()} threads "
        f"(median of {RUNS}); weights {size:.1f} MB."
    )
    return Outcome(figures, notes=[note])


def tokens_per_second(checkpoint: Checkpoint, text: str) -> float:
    """New tokens per second after the beginning of `text`."""
    model, tokenizer = cast(Any, checkpoint.model), checkpoint.tokenizer
    new = min(MAX_NEW_TOKENS, context_of(model) // 2)
    prompt = [start_of_text_id(tokenizer), *encode_text(tokenizer, text[:200])][: max(1, new // 2)]
    input_ids = torch.tensor([prompt], device=device_of(model))
    model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]  # none of the folder's beams, penalties
    seconds: list[float] = []
    with evaluating(model):
        for _ in range(RUNS + 1):
            start = time.perf_counter()
            model.generate(
                input_ids,
                attention_mask=torch.ones_like(input_ids),
                do_sample=False,
                min_new_tokens=new,
                max_new_tokens=new,
                pad_token_id=end_of_text_id(tokenizer),
            )
            seconds.append(time.perf_counter() - start)
    return new / statistics.median(seconds[1:])
