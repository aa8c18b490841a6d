"""Which vocabulary size gives the fewest bits per byte for the same compute: small models of one shape, trained.

A larger vocabulary cuts a text into fewer tokens, and each token costs more: its row stands in the head. So every size
gets the same budget of operations, head included, not the same number of tokens or passes. Each training is an ordinary
step (`tokenizer`, `model`, `train`) in a folder of its own, made by the spine by its name: a killed sweep continues.

    mothertongue tokenizer sweep --corpus runs/czech/corpus --out runs/czech/sizes --sizes 2000,4000,8000
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.run.artifact import Manifest, write_json
from mothertongue.run.build import build_step
from mothertongue.run.progress import say
from mothertongue.run.recipe import given_step
from mothertongue.run.settings import Settings, setting
from mothertongue.tokenizer.config import TokenizerConfig


@dataclass(frozen=True)
class SweepConfig(Settings):
    """What is tried, and on which shape of model. Only differences between sizes mean something."""

    sizes: str = setting("1000,2000,4000,8000,16000", "vocabulary sizes to try, between commas")
    budget_teraflop: float = setting(5.0, "compute of each training, in 10^12 operations", least=1e-6)
    seeds: int = setting(1, "trainings of each size; their spread tells which differences are real", least=1, most=100)
    kind: str = setting("bytelevel", "kind of vocabulary, as in [tokenizer]", choices=("bytelevel", "unigram"))
    split: str = setting("auto", "where words are cut first, as in [tokenizer]", choices=("auto", "gpt2", "script"))
    max_megabytes: float = setting(16.0, "text that each vocabulary is trained on, in megabytes", least=0.001)
    num_hidden_layers: int = setting(3, "blocks of the models", least=1, most=200)
    hidden_size: int = setting(128, "their width", least=8, most=16384)
    num_attention_heads: int = setting(4, "their attention heads; must divide hidden_size", least=1, most=256)
    context: int = setting(128, "tokens per sequence", least=8, most=131072)
    batch_size: int = setting(16, "sequences per optimizer step", least=1)
    learning_rate: float = setting(2e-3, "peak learning rate, the same for all", least=1e-6, most=1)
    dev_kilobytes: float = setting(200.0, "development text that is scored, in kB", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        for size in self.numbers:
            TokenizerConfig(vocab_size=size, kind=self.kind)
        if not self.numbers:
            raise ConfigError("sizes is empty. Give at least one, for instance --sizes 4000,8000")

    @property
    def numbers(self) -> list[int]:
        """The sizes, smallest first."""
        words = [word.strip().replace("_", "") for word in self.sizes.split(",") if word.strip()]
        for word in words:
            if not (word.isascii() and word.isdigit()):
                raise ConfigError(f"sizes = {self.sizes!r}: {word!r} is no whole number. Write them as 4000,8000.")
        return sorted({int(word) for word in words})


@dataclass(frozen=True)
class Row:
    """What one size has cost and reached, mean over seeds."""

    vocab_size: int
    bits_per_byte: float  # of development text, after the same compute
    spread: float  # largest minus smallest over seeds
    bytes_per_token: float
    flop_per_byte: float  # of training
    megabytes: float  # of text read in training, repeats counted
    passes: float  # over the corpus
    parameters: int


@dataclass(frozen=True)
class Sweep:
    """The table of a sweep, for people and for machines."""

    rows: list[Row]
    text: str
    figures: dict[str, Any]


def sweep_sizes(config: SweepConfig, out: Path, *, corpus: Path) -> Sweep:
    """Train every size of `config` in folders of `out`; writes sweep.json and sweep.png there and gives the table."""
    rows, seen = list[Row](), set[int]()
    for size in config.numbers:
        folder = out / str(size)
        given = {"vocab_size": size, "kind": config.kind, "split": config.split, "max_megabytes": config.max_megabytes}
        made = _build("tokenizer", folder / "tokenizer", given, {"corpus": corpus})["metrics"]
        if made["vocab_size"] in seen:
            say(f"  {size:,}: the text merits no more than {made['vocab_size']:,} tokens; larger sizes are left out")
            break
        seen.add(made["vocab_size"])
        rows.append(_row(made, [_train(config, folder, seed, corpus) for seed in range(config.seeds)]))
    figures = {"rows": [asdict(row) for row in rows], "chosen": choose(rows), "settings": asdict(config)}
    write_json(out / "sweep.json", figures)
    from mothertongue.tokenizer.sweep_picture import draw_sweep

    draw_sweep(rows, out / "sweep.png", caption=_caption(config))
    return Sweep(rows, f"{tell(rows, _caption(config))}\npicture {out / 'sweep.png'}", figures)


def choose(rows: list[Row]) -> int:
    """The smallest size that is as good as the best one, as far as the spread of the seeds can tell."""
    best = min(rows, key=lambda row: row.bits_per_byte)
    noise = max(row.spread for row in rows)
    return min(row.vocab_size for row in rows if row.bits_per_byte <= best.bits_per_byte + noise)


def tell(rows: list[Row], caption: str) -> str:
    """The table and its result in words."""
    head = "vocabulary  bits per byte  spread  bytes/token  MFLOP/byte  MB read  passes  parameters"
    lines = [
        f"{row.vocab_size:10,}  {row.bits_per_byte:13.4f}  {row.spread:6.4f}  {row.bytes_per_token:11.3f}  "
        f"{row.flop_per_byte / 1e6:10.2f}  {row.megabytes:7.2f}  {row.passes:6.2f}  {row.parameters:10,}"
        for row in rows
    ]
    chosen = choose(rows)
    end = f"chosen  {chosen:,}: mothertongue tokenizer --vocab-size {chosen} ..."
    if chosen in (rows[0].vocab_size, rows[-1].vocab_size) and len(rows) > 1:
        end += "  (at the edge of what was tried: try further sizes)"
    return "\n".join([caption, "", head, *lines, "", end])


def _caption(config: SweepConfig) -> str:
    return (
        f"{config.num_hidden_layers} blocks of {config.hidden_size}, {config.budget_teraflop:g} TFLOP for each size, "
        f"{config.kind}; development text, lower is better"
    )


def _train(config: SweepConfig, folder: Path, seed: int, corpus: Path) -> dict[str, Any]:
    """The metrics of one training, and the bits per byte at its end."""
    shape = {
        key: getattr(config, key) for key in ("num_hidden_layers", "hidden_size", "num_attention_heads", "context")
    }
    fresh = folder / f"model-{seed}"
    _build("model", fresh, {**shape, "seed": seed}, {"tokenizer": folder / "tokenizer"})
    length = {key: getattr(config, key) for key in ("budget_teraflop", "batch_size", "learning_rate", "dev_kilobytes")}
    out = folder / f"train-{seed}"
    made = _build("train", out, {**length, "dev_scores": 1, "seed": seed}, {"checkpoint": fresh, "corpus": corpus})
    scores = [
        row["dev_bits_per_byte"]
        for row in map(json.loads, (out / "log.jsonl").read_text("utf-8").splitlines())
        if "dev_bits_per_byte" in row
    ]
    if not scores:
        raise ArtifactError(f"{corpus} has no development text to compare by. Make a corpus of more documents.")
    return {**made["metrics"], "bits_per_byte": scores[-1]}


def _build(stage: str, out: Path, given: dict[str, Any], inputs: dict[str, Path]) -> Manifest:
    step = given_step(stage, out, {**given, **{role: str(path) for role, path in inputs.items()}})
    return build_step(step, out, inputs)


def _row(made: dict[str, Any], trained: list[dict[str, Any]]) -> Row:
    scores = [one["bits_per_byte"] for one in trained]
    size, tokens = made["bytes_per_token"], mean(one["tokens"] for one in trained)
    return Row(
        vocab_size=made["vocab_size"],
        bits_per_byte=round(mean(scores), 5),
        spread=round(max(scores) - min(scores), 5),
        bytes_per_token=size,
        flop_per_byte=round(mean(one["tflop"] for one in trained) * 1e12 / tokens / max(size, 1e-9)),
        megabytes=round(tokens * size / 1e6, 3),
        passes=round(tokens / trained[0]["tokens_per_epoch"], 3),
        parameters=trained[0]["parameters"],
    )
