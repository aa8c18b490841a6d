from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mothertongue.errors import ConfigError
from mothertongue.tokenizer.sweep import Row, SweepConfig, choose, sweep_sizes, tell


def row(size: int, bits: float, spread: float = 0.0) -> Row:
    return Row(size, bits, spread, 3.0, 1e6, 1.0, 0.5, 10)


def test_the_smallest_size_within_the_seeds_spread_is_chosen() -> None:
    assert choose([row(1000, 2.3), row(2000, 2.1), row(4000, 2.0)]) == 4000
    assert choose([row(1000, 2.3), row(2000, 2.04, 0.05), row(4000, 2.0)]) == 2000


def test_a_choice_at_the_edge_says_so() -> None:
    assert "at the edge" in tell([row(1000, 2.0), row(2000, 2.1)], "")
    assert "at the edge" not in tell([row(1000, 2.2), row(2000, 2.1), row(4000, 2.3)], "")


@pytest.mark.parametrize("sizes", ["", "x", "4000,-1", "100", "4000;8000", "²"])
def test_sizes_that_are_none_are_refused(sizes: str) -> None:
    with pytest.raises(ConfigError):
        SweepConfig(sizes=sizes)


def test_sizes_are_sorted_and_counted_once() -> None:
    assert SweepConfig(sizes="8_000, 300,8000").numbers == [300, 8000]


def test_every_size_gets_the_same_compute_and_the_same_command_continues(
    corpus_of: Callable[..., Path], tmp_path: Path
) -> None:
    words = ["mlha", "nad", "řekou", "ležela", "ráno", "a", "slunce", "svítilo", "na", "pole", "za", "vsí"]
    texts = [" ".join(words[n % 7 :] + words[: n % 5]) for n in range(60)]
    corpus = corpus_of(train=texts, dev=["ráno ležela mlha nad řekou a nad vsí"] * 3)
    story = {"kind": "corpus", "stage": "corpus", "fingerprint": "0" * 64, "config": {}, "outputs": {}, "metrics": {}}
    (corpus / "manifest.json").write_text(json.dumps(story))
    config = SweepConfig(
        sizes="262,5000,9000", budget_teraflop=0.00003, num_hidden_layers=1, hidden_size=8, num_attention_heads=1,
        context=16, batch_size=4,
    )  # fmt: skip
    out = tmp_path / "sizes"
    swept = sweep_sizes(config, out, corpus=corpus)
    assert swept.rows[0].vocab_size == 262
    assert len(swept.rows) == 2  # the text merits no 9,000 tokens
    spent = [row.flop_per_byte * row.megabytes * 1e6 for row in swept.rows]
    assert max(spent) / min(spent) < 1.2
    assert (out / "sweep.png").stat().st_size > 5000
    assert json.loads((out / "sweep.json").read_text())["chosen"] in {row.vocab_size for row in swept.rows}
    written = {file: file.stat().st_mtime_ns for file in out.glob("*/*/manifest.json")}
    assert sweep_sizes(config, out, corpus=corpus).rows == swept.rows
    assert {file: file.stat().st_mtime_ns for file in out.glob("*/*/manifest.json")} == written
