"""The ledger counts every drop and keeps a few even samples."""

from __future__ import annotations

import json
import random
from pathlib import Path

from mothertongue.corpus.ledger import SAMPLE_CHARACTERS, SAMPLES_PER_REASON, Ledger, documents_in


def ledger(order: list[int]) -> Ledger:
    result = Ledger()
    for number in order:
        source = "wiki" if number % 4 else "law"
        result.drop("too-short", source=source, id=f"a#{number}", text=f"text {number} " + "x" * 500)
    result.drop("empty", source="law", id="b#1", text="")
    return result


def test_drops_are_counted_by_reason_and_by_source() -> None:
    counted = ledger(list(range(100)))
    assert counted.by_reason() == {"too-short": 100, "empty": 1}
    assert counted.by_source() == {"law": {"empty": 1, "too-short": 25}, "wiki": {"too-short": 75}}
    assert counted.describe() == "too-short: 100, empty: 1"
    assert Ledger().describe() == "nothing was read"


def test_samples_are_few_short_and_the_same_in_any_order(tmp_path: Path) -> None:
    order = list(range(1000))
    ledger(order).write_samples(tmp_path / "a")
    random.Random(0).shuffle(order)
    ledger(order).write_samples(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    records = [json.loads(line) for line in (tmp_path / "a").read_text("utf-8").splitlines()]
    assert len(records) == SAMPLES_PER_REASON + 1
    assert all(len(record["text"]) <= SAMPLE_CHARACTERS for record in records)


def test_a_sample_with_a_lone_surrogate_can_be_written(tmp_path: Path) -> None:
    result = Ledger()
    result.drop("empty", source="x", id="\udce8.txt", text="\ud800")
    result.write_samples(tmp_path / "a")
    record = json.loads((tmp_path / "a").read_text("utf-8"))
    assert (record["id"], record["text"]) == ("\udce8.txt", "\ud800")


def test_what_went_out_of_documents_that_stay_is_no_dropped_document() -> None:
    whole = {"too-short": 3, "language:sk": 2, "damaged-file": 1}
    parts = ["paragraph:repeated", "replaced:email", "line-of-another-language", "invalid-metadata"]
    assert documents_in(whole | dict.fromkeys(parts, 7)) == 6
