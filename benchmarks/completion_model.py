"""Makes the Czech model of completion.py: recipes/czech-small.toml, not compressed, trained for hours of one core.

    MOTHERTONGUE_DATA=../shared/data python benchmarks/completion_model.py            three hours; resumable

First short sequences, which read more of the text in the same time, then whole contexts.
"""

from __future__ import annotations

import tomllib

import tomlkit

from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe
from results_file import ROOT

RUN = ROOT / "runs" / "completion-cs"


def recipe() -> str:
    """The recipe's text and transfer, two trainings one after the other, each measured, and a file for llama.cpp."""
    given = tomllib.loads((ROOT / "recipes" / "czech-small.toml").read_text("utf-8"))
    train = given["train"] | {"stage": "train", "corpus": "corpus"}
    measured = {"stage": "evaluate", "corpus": "corpus", "tasks": ["bits_per_byte", "next_word"]}
    first = train | {"budget_teraflop": 300, "long_share": 0}
    second = train | {"budget_teraflop": 30, "sequence_length": 0, "learning_rate": 5e-4, "warmup": 0.1, "decay": 0.9}
    tables = {
        "title": "Czech, for completion",
        **{name: given[name] for name in ("corpus", "tokenizer", "transfer")},
        "short": first | {"checkpoint": "transfer"},
        "whole": second | {"checkpoint": "short"},
        **{f"evaluate-{name}": measured | {"checkpoint": name} for name in ("short", "whole")},
        "export": {"checkpoint": "whole", "format": "gguf", "dtype": "q8_0"},
    }
    return tomlkit.dumps(tables)


if __name__ == "__main__":
    run_recipe(parse_recipe(recipe(), where="completion"), RUN)
