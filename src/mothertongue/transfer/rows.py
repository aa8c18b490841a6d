"""The rows of a model's vocabulary: taken out as one matrix, put back for a vocabulary of another size.

A tied head has no rows of its own. Where it has (and where it has a bias), they stand beside the embedding in the same
row, so that a method which mixes or copies rows serves every anatomy.
"""

# Axes: V vocabulary, W row, D hidden

from __future__ import annotations

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import GenerationConfig, PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.stream import vocabulary_of
from mothertongue.tokenizer.bytelevel import PAD, end_of_text_id, start_of_text_id


def vocabulary_rows(model: PreTrainedModel, vocab_size: int) -> Tensor:
    """A copy [vocab_size, W] of what each token owns: its embedding, then head row and bias where the head has them."""
    parts = anatomy(model)
    columns = [parts.embeddings.weight]
    if not parts.tied:
        columns.append(parts.head.weight)
    if parts.head.bias is not None:
        columns.append(parts.head.bias[:, None])
    return torch.cat([column[:vocab_size] for column in columns], dim=1).detach().float()


@torch.no_grad()
def set_vocabulary(model: PreTrainedModel, rows_VW: Tensor, tokenizer: Tokenizer) -> None:
    """Give `model` the vocabulary of `tokenizer`: a row of `rows_VW` per token, and its end-of-text and padding ids."""
    width = vocabulary_rows(model, 1).shape[1]
    if rows_VW.shape != (vocabulary_of(tokenizer), width) or not torch.isfinite(rows_VW).all():
        raise CheckpointError(
            f"The transfer method made rows of the shape {list(rows_VW.shape)} (or not finite), but the vocabulary "
            f"needs {vocabulary_of(tokenizer)} rows of {width} finite numbers. The method is at fault: use another one."
        )
    model.resize_token_embeddings(len(rows_VW), mean_resizing=False)
    parts = anatomy(model)
    size = parts.hidden_size
    parts.embeddings.weight.copy_(rows_VW[:, :size])
    if not parts.tied:
        parts.head.weight.copy_(rows_VW[:, size : 2 * size])
    if parts.head.bias is not None:
        parts.head.bias.copy_(rows_VW[:, -1])
    start, end, pad = start_of_text_id(tokenizer), end_of_text_id(tokenizer), tokenizer.token_to_id(PAD)
    # the source's own generation settings (sampling, suppressed ids) were made for the source's vocabulary
    model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    for settings in (model.config, model.generation_config):
        settings.bos_token_id, settings.eos_token_id, settings.pad_token_id = start, end, pad
