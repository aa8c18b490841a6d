"""The control arms of a recipe: more tables that repeat its own settings, each different in what is compared."""

from __future__ import annotations

import tomllib
from typing import Any

import tomlkit

SHAPE = {"num_hidden_layers": 6, "hidden_size": 224, "num_attention_heads": 7, "context": 512}  # the English base's


def controls(recipe: str, *, truncation_rate: float) -> str:
    """Tables for `mean` rows trained like [train], and for truncation like [compress], both measured."""
    tables = tomllib.loads(recipe)
    truncate = without(tables["compress"], "distillation", "replacing_share")
    return tomlkit.dumps(
        {
            "transfer-mean": {**tables["transfer"], "stage": "transfer", "method": "mean"},
            "mean": {**tables["train"], "stage": "train", "checkpoint": "transfer-mean"},
            "truncate": {**truncate, "stage": "compress", "method": "truncate", "learning_rate": truncation_rate},
            "evaluate-mean": measure(tables, "mean"),
            "evaluate-truncate": measure(tables, "truncate"),
        }
    )


def from_scratch(recipe: str, *, learning_rate: float) -> str:
    """Tables for the base's shape with random weights, trained with the budget of [train], and measured."""
    tables = tomllib.loads(recipe)
    train = without(tables["train"], "embeddings_first")
    return tomlkit.dumps(
        {
            "model": {"tokenizer": "tokenizer", **SHAPE},
            "scratch": {**train, "stage": "train", "checkpoint": "model", "learning_rate": learning_rate},
            "evaluate-scratch": measure(tables, "scratch"),
        }
    )


def measure(tables: dict[str, Any], arm: str) -> dict[str, Any]:
    """The table that measures an arm as the recipe measures its own result."""
    context = {key: value for key, value in tables["evaluate"].items() if key == "context"}
    return {"stage": "evaluate", "checkpoint": arm, "tasks": ["bits_per_byte"], **context}


def without(settings: dict[str, Any], *keys: str) -> dict[str, Any]:
    """The settings but for some."""
    return {key: value for key, value in settings.items() if key not in keys}
