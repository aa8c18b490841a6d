"""What the compression benchmark compares: predecessors, arms, and the recipes that make them.

Every arm of a factor (2, 3, 4 times fewer layers) has the compute of the truncated one, which reads `TOKENS_SHARE` of
the predecessor's tokens: a teacher's reading is paid for with fewer steps. Only the arms that say what compression
costs at most read a share of tokens that is their own: `LONG` and `SMALL` as many as the truncated one, with more
compute, and `TINY`, which has to learn to spell as well, half of the predecessor's.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from mothertongue.demo import demo_recipe
from mothertongue.run.recipe import override
from results_file import ROOT

TOKENS_SHARE = 0.1
CONTROL = "truncate"  # it sets the budget of the others
Table = dict[str, Any]


@dataclass(frozen=True)
class Scale:
    """How large everything is."""

    shape: Table  # of the predecessor
    training: Table
    compressing: Table  # settings of the arms' training, but for scratch, which has the predecessor's
    measuring: Table
    wide_shape: Table  # what is different in the wide predecessor
    wide_training: Table
    probe_tokens: int = 4096
    fewer_tokens: int = 5440  # two thirds of the vocabulary: what makes a file of a twelfth


# 0.9 tokens per parameter, in three quarters of an hour of a slow core; wider ones would read fewer still
REAL = Scale(
    shape={"num_hidden_layers": 12, "hidden_size": 128, "num_attention_heads": 4, "context": 512},
    training={
        "budget_teraflop": 75,
        "batch_size": 8,
        "sequence_length": 256,
        "long_share": 0,
        "learning_rate": 4e-3,
        "optimizer": "muon",
    },
    compressing={"batch_size": 4, "learning_rate": 1e-3, "optimizer": "muon"},  # by development text: docs/why/LOG.md
    measuring={"tasks": ["bits_per_byte", "next_word"], "context": 256, "max_megabytes": 0.3},
    wide_shape={"hidden_size": 256},
    wide_training={"budget_teraflop": 275},  # as many tokens as the narrow one, in less than two hours of a core
)
TOY = Scale(  # proves the machinery, says nothing about compression
    shape={"num_hidden_layers": 12, "hidden_size": 32, "num_attention_heads": 2, "context": 64},
    training={
        "steps": 120,
        "batch_size": 8,
        "sequence_length": 32,
        "long_share": 0,
        "learning_rate": 3e-3,
        "dev_kilobytes": 5,
    },
    compressing={"batch_size": 8, "learning_rate": 3e-3},
    measuring={"tasks": ["bits_per_byte", "next_word"], "context": 32, "next_word_positions": 20},
    wide_shape={"hidden_size": 64},
    wide_training={},
    probe_tokens=64,
    fewer_tokens=1024,
)

# arm -> its settings of [compress]; "scratch" is no compression: a fresh model of the successor's size
PLAIN: Table = {"groups": "even", "initial": "ends", "unfreeze": "successor", "distillation": 0.5, "hidden": 0.0}
ALL: Table = {**PLAIN, "initial": "bridge", "distillation": 0.9, "hidden": 1.0}
OPEN: Table = {**PLAIN, "initial": "bridge", "unfreeze": "start"}
ARMS: dict[str, Table] = {
    CONTROL: {"method": "truncate", **PLAIN},
    "truncate-slow": {"method": "truncate", **PLAIN, "optimizer": "adamw", "learning_rate": 5e-4},
    "truncate-bridge": {"method": "truncate", **PLAIN, "initial": "bridge"},
    "scratch": {},
    "distill": {"method": "distill", **PLAIN},
    "distill-hidden": {"method": "distill", **PLAIN, "hidden": 1.0},
    "distill-bridge": {"method": "distill", **PLAIN, "initial": "bridge"},
    "distill-all": {"method": "distill", **ALL},
    "distill-fast": {"method": "distill", **ALL, "learning_rate": 2e-3},
    "distill-influence": {"method": "distill", **ALL, "learning_rate": 2e-3, "groups": "influence"},
    "paper": {"method": "paper", "optimizer": "adamw"},
    "paper-slow": {"method": "paper", "optimizer": "adamw", "learning_rate": 5e-4},
    "paper-fast": {"method": "paper", "optimizer": "adamw", "learning_rate": 3e-3},
    "theseus": {"method": "theseus", **PLAIN},
    "theseus-unfrozen": {"method": "theseus", **PLAIN, "unfreeze": "start"},
    "theseus-bridge": {"method": "theseus", **OPEN},
    "theseus-influence": {"method": "theseus", **OPEN, "groups": "influence"},
    "theseus-sequence": {"method": "theseus", **OPEN, "draw": "sequence"},
    "theseus-loss": {"method": "theseus", **OPEN, "scheduler": "loss"},
    "theseus-local": {"method": "theseus", **PLAIN, "unfreeze": "start", "local_share": 0.2, "replacing_share": 0.2},
    "theseus-all": {"method": "theseus", **ALL, "unfreeze": "start"},
    "theseus-fast": {"method": "theseus", **ALL, "unfreeze": "start", "learning_rate": 2e-3},
    "bridge": {"method": "bridge", **PLAIN},
}
CHOSEN = "distill-fast"  # among the arms, by development text
TRUNCATED = "truncate-slow"  # the better one of the truncated, likewise
LONG = "long"  # the chosen one again, with all the tokens
SMALL, SMALL_FACTOR = "small", 3  # likewise, in four bits; the most layers left out at the perplexity that is asked for
TINY = "tiny"  # likewise, with fewer tokens, and those in four bits as well
WIDE = "wide"  # a wider predecessor
WIDE_SMALL = "wide-small"  # what is made of it: the chosen one with all tokens, all weights in four bits
ROUNDED = {**ARMS[CHOSEN], "rounded_share": 0.0}  # before rounding could be felt (docs/why/LOG.md): to be done again
ARMS |= {LONG: ARMS[CHOSEN], SMALL: {**ROUNDED, "dtype": "q4_0"}, TINY: {**ROUNDED, "dtype": "q4_0_pure"}}
ARMS[WIDE_SMALL] = {**ARMS[CHOSEN], "dtype": "q4_0_pure"}
BY_TOKENS = {**dict.fromkeys((CONTROL, LONG, SMALL, WIDE_SMALL), TOKENS_SHARE), TINY: 0.5}
UNTRAINED = ("bridge",)

# which factors and seeds an arm is reported with, in every language; all others are tried once, in Czech at 2x
FACTORS, SEEDS, TRIED_IN = (2, 3, 4), (0, 1, 2), "cs"
FINAL: dict[str, dict[int, tuple[int, ...]]] = {
    CONTROL: {2: SEEDS},
    TRUNCATED: {2: SEEDS},
    CHOSEN: {2: SEEDS},
    LONG: {2: SEEDS, 3: SEEDS, 4: SEEDS},
    "paper": {2: SEEDS},
    "scratch": {2: (0,)},
    "distill": {2: (0,)},
    "theseus": {2: (0,)},
    "bridge": {2: (0,), 3: (0,), 4: (0,)},
    SMALL: {SMALL_FACTOR: (0,)},
    TINY: {SMALL_FACTOR: (0,)},
    WIDE_SMALL: {SMALL_FACTOR: (0,)},
}
RECIPES = {"cs": "czech-small", "bg": "bulgarian-small"}


def wide_recipe(home: Path, scale: Scale) -> str:
    """A wider model, trained from scratch as well, with the text and the tokenizer of the predecessor in `home`."""
    text = {"corpus": str(home / "corpus")}
    return tomlkit.dumps(
        {
            "title": "Compression, wide predecessor",
            "model": {"tokenizer": str(home / "tokenizer"), **scale.shape, **scale.wide_shape},
            "train": {"checkpoint": "model", **text, **scale.training, **scale.wide_training},
            **{name: text | table for name, table in _measures("train", scale).items()},
        }
    )


def predecessor_recipe(language: str, scale: Scale) -> str:
    """Corpus and tokenizer of the language's recipe (at toy scale of the demo), and a model trained from scratch."""
    recipe = ROOT / "recipes" / f"{RECIPES[language]}.toml"
    given = _demo_tables(language) if scale is TOY else tomllib.loads(recipe.read_text("utf-8"))
    tables = {name: given[name] for name in ("corpus", "tokenizer")}
    return tomlkit.dumps(
        {
            "title": f"Compression, predecessor in {language}",
            **tables,
            "model": {"tokenizer": "tokenizer", **scale.shape},
            "train": {"checkpoint": "model", **scale.training},
            **_measures("train", scale),
        }
    )


# what a file of a twelfth is made of: where a token takes twice as many bytes beside its weights, of a wider model
DISK = {"cs": TINY, "bg": WIDE_SMALL}


def old_of(arm: str) -> str:
    """Name of the predecessor that an arm begins from."""
    return WIDE if arm == WIDE_SMALL else "predecessor"


def arm_recipe(arm: str, home: Path, scale: Scale, *, factor: int, seed: int, length: Table) -> str:
    """One arm, measured, from a predecessor beside `home`, whose text it reads; `length` is steps or budget_teraflop.

    Arms that are only tried are measured on development text alone.
    """
    final = ("evaluate",) if arm in FINAL else ()
    layers = scale.shape["num_hidden_layers"] // factor
    loop = {**length, "seed": seed, "sequence_length": scale.training["sequence_length"], "long_share": 0}
    loop |= {"corpus": str(home / "corpus"), "dev_scores": 1}
    loop |= {"dev_kilobytes": scale.training.get("dev_kilobytes", 100)}
    tables: Table = {"title": f"Compression, {arm} at {factor}x, seed {seed}"}
    if arm == "scratch":  # with the predecessor's own rate and optimizer
        own = ("batch_size", "learning_rate", "optimizer")
        loop |= {key: scale.training[key] for key in own if key in scale.training}
        shape = {**scale.shape, "num_hidden_layers": layers, "seed": seed}
        tables["model"] = {"tokenizer": str(home / "tokenizer"), **shape}
        tables["arm"] = {"stage": "train", "checkpoint": "model", **loop}
    else:
        settings = {
            "checkpoint": str(home.with_name(old_of(arm)) / "train"),
            "layers": layers,
            "probe_tokens": scale.probe_tokens,
            **scale.compressing,
            **ARMS[arm],
        }
        settings |= {"vocab_size": scale.fewer_tokens} if arm == TINY else {}
        tables["arm"] = {"stage": "compress", **loop, **settings}
    corpus = {"corpus": str(home / "corpus")}
    measures = _measures("arm", scale)
    return tomlkit.dumps(tables | {name: corpus | measures[name] for name in measures if name in ("choose", *final)})


def _measures(checkpoint: str, scale: Scale) -> Table:
    """On development text, to choose by, and on held-out text, to report."""
    held_out = {"stage": "evaluate", "checkpoint": checkpoint, **scale.measuring}
    alike = {key: value for key, value in held_out.items() if not key.startswith("next_word")}
    return {"choose": {**alike, "split": "dev", "tasks": ["bits_per_byte"]}, "evaluate": held_out}


def _demo_tables(language: str) -> Table:
    recipe = demo_recipe(language)
    return override(tomllib.loads(recipe.text), recipe.changes)
