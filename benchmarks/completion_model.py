"""Makes the Czech model of completion.py: recipes/czech-small.toml, not compressed, trained for hours of one core.

    MOTHERTONGUE_DATA=../shared/data python benchmarks/completion_model.py            three hours; resumable

First short sequences, which read more of the text in the same time, then whole contexts, twice.
"""

from __future__ import annotations

import tomllib

import tomlkit

from mothertongue.run.build import run_recipe
from mothertongue.run.recipe import parse_recipe
from results_file import ROOT

RUN = ROOT / "runs" / "completion-cs"
WHOLE = {"stage": "train", "sequence_length": 0}


def recipe() -> str:
    """The recipe's text and transfer, three trainings one after the other, each measured, and a file for llama.cpp."""
    given = tomllib.loads((ROOT / "recipes" / "czech-small.toml").read_text("utf-8"))
    train = given["train"] | {"stage": "train", "corpus": "corpus"}
    measured = {"stage": "evaluate", "corpus": "corpus", "tasks": ["bits_per_byte", "next_word"]}
    first = train | {"budget_teraflop": 300, "long_share": 0}
    second = train | WHOLE | {"budget_teraflop": 30, "learning_rate": 5e-4, "warmup": 0.1, "decay": 0.9}
    third = train | WHOLE | {"budget_teraflop": 110, "learning_rate": 1.5e-3, "warmup": 0.03, "decay": 0.6, "seed": 1}
    tables = {
        "title": "Czech, for completion",
        **{name: given[name] for name in ("corpus", "tokenizer", "transfer")},
        "short": first | {"checkpoint": "transfer"},
        "whole": second | {"checkpoint": "short"},
        "again": third | {"checkpoint": "whole", "batch_size": 2},
        **{f"evaluate-{name}": measured | {"checkpoint": name} for name in ("short", "whole", "again")},
        "export": {"checkpoint": "again", "format": "gguf", "dtype": "q8_0"},
    }
    return tomlkit.dumps(tables)


if __name__ == "__main__":
    run_recipe(parse_recipe(recipe(), where="completion"), RUN)
