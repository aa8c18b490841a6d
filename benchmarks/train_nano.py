"""A GPT-2 in the manner of nanoGPT: one product for queries, keys and values, torch's attention, a tied head.

Written for this benchmark from the idea alone; the loss is torch's, on all logits at once.
"""
# Axes: B batch, T tokens, D hidden, H heads, V vocabulary

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from train_job import Job


class Block(nn.Module):
    """Attention and feed-forward, each after a norm and beside the stream."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.heads, self.dropout = job.heads, job.dropout
        self.before_attention, self.before_forward = nn.LayerNorm(job.width), nn.LayerNorm(job.width)
        self.all_three = nn.Linear(job.width, 3 * job.width)
        self.out = nn.Linear(job.width, job.width)
        self.widen, self.narrow = nn.Linear(job.width, 4 * job.width), nn.Linear(4 * job.width, job.width)
        self.drop = nn.Dropout(job.dropout)

    def forward(self, stream_BTD: Tensor) -> Tensor:
        mixed = self.attention(self.before_attention(stream_BTD))
        stream_BTD = stream_BTD + self.drop(self.out(mixed))
        wide = functional.gelu(self.widen(self.before_forward(stream_BTD)), approximate="tanh")
        return cast(Tensor, stream_BTD + self.drop(self.narrow(wide)))

    def attention(self, hidden_BTD: Tensor) -> Tensor:
        rows, length, width = hidden_BTD.shape
        parts = self.all_three(hidden_BTD).view(rows, length, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)  # [B, H, T, D / H] each
        drop = self.dropout if self.training else 0.0
        seen = functional.scaled_dot_product_attention(query, key, value, dropout_p=drop, is_causal=True)
        return seen.transpose(1, 2).reshape(rows, length, width)


class Nano(nn.Module):
    """The model; gives the mean loss."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        torch.manual_seed(job.seed)
        self.tokens, self.places = nn.Embedding(job.vocabulary, job.width), nn.Embedding(job.context, job.width)
        self.blocks = nn.ModuleList(Block(job) for _ in range(job.layers))
        self.norm, self.drop = nn.LayerNorm(job.width), nn.Dropout(job.dropout)
        self.head = nn.Linear(job.width, job.vocabulary, bias=False)
        for name, weight in self.named_parameters():
            if weight.ndim == 2:
                nn.init.normal_(weight, std=0.02 / (2 * job.layers) ** (0.5 * ("out" in name or "narrow" in name)))
        self.head.weight = self.tokens.weight

    def forward(self, ids_BT: Tensor, labels_BT: Tensor) -> Tensor:
        places_T = torch.arange(ids_BT.shape[1], device=ids_BT.device)
        stream_BTD = self.drop(self.tokens(ids_BT) + self.places(places_T))
        for block in self.blocks:
            stream_BTD = block(stream_BTD)
        logits_BTV = self.head(self.norm(stream_BTD))
        return functional.cross_entropy(logits_BTV.flatten(0, 1), labels_BT.flatten())
