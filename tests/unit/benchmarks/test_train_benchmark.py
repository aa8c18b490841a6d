"""The parts of benchmarks/train.py that compute: what is counted as a product, which step counts, how text is split."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield


def make_job(**changes: Any) -> Any:
    job = import_module("train_job").Job(2, 16, 2, 50, context=8, length=8, batch=3, steps=3)
    return job.with_(**changes)


def test_the_bound_has_every_product_that_torch_counts() -> None:
    job, train_job = make_job(), import_module("train_job")
    model, ids = train_job.gpt2(job), train_job.batches(job)[0]
    model.set_attn_implementation("eager")
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids).loss.backward()
    products = list(import_module("train_gemm").products(job))
    assert sum(product.flop for product in products) == counter.get_total_flops()


def test_every_way_to_multiply_gives_the_same_shape() -> None:
    gemm = import_module("train_gemm")
    shapes = {tuple(call().shape) for _, call in gemm.ways(gemm.Product(4, 6, 5, 1))}
    assert shapes == {(4, 5)}


def test_the_meter_takes_the_median_of_the_steps_after_the_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    train_job = import_module("train_job")
    ticks = iter([0.0, 1.0, 3.0, 10.0])
    monkeypatch.setattr(train_job, "CLOCKS", {"wall": lambda: next(ticks), "processor": lambda: 0.0})
    meter = train_job.Meter(make_job())
    for finished in range(1, 7):
        meter.at(finished)
    assert meter.found["step_seconds"] == 2.0
    assert meter.found["tokens_per_second"] == 12.0
    assert meter.found["wall_seconds_mean"] == pytest.approx(10 / 3)


def test_labels_stand_one_token_further_than_inputs() -> None:
    train_job = import_module("train_job")
    ids, labels = (train_job.batches(make_job(), shift=shift) for shift in (0, 1))
    assert ids.shape == (5, 3, 8)
    assert torch.equal(ids[..., 1:], labels[..., :-1])


def test_the_nano_model_learns() -> None:
    train_job = import_module("train_job")
    model = import_module("train_nano").Nano(make_job())
    ids, labels = train_job.batches(make_job())[0], train_job.batches(make_job(), shift=1)[0]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(20):
        loss = model(ids, labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 1


def test_no_work_stands_on_both_sides() -> None:
    split = import_module("train_text").split_works
    found = {f"book {number}": [f"{number} first", f"{number} second"] for number in range(30)}
    parts = split(found, {"heldout": 30.0, "dev": 15.0})
    works = {name: {text.split()[0] for text in texts} for name, texts in parts.items()}
    assert len(works["heldout"]) == 4 and len(works["dev"]) == 2 and len(works["train"]) == 24
    assert not works["heldout"] & works["dev"] | works["heldout"] & works["train"] | works["dev"] & works["train"]
    assert len(parts["train"]) == 48


@pytest.mark.parametrize(("best", "tried"), [(2e-3, 3), (4e-3, 4), (8e-3, 5), (1e-3, 4), (1.0, 5)])
def test_a_probe_goes_beyond_its_rates_while_the_best_stands_at_their_end(best: float, tried: int) -> None:
    calls: list[float] = []

    def score(rate: float) -> float:
        calls.append(rate)
        return abs(rate - best)

    import_module("train_sample").probe(score)
    assert len(calls) == tried


def test_a_rate_is_doubled_while_it_gains() -> None:
    climb = import_module("train_sample").climb
    assert climb({1.0: 3.0, 2.0: 2.5, 4.0: 2.4, 8.0: 2.4}.__getitem__, 1.0) == 4.0
    assert climb({1.0: 3.0, 2.0: 3.1}.__getitem__, 1.0) == 1.0


def test_the_gain_is_of_the_arm_chosen_on_development_text_in_the_worse_language() -> None:
    found = {
        ("one-cycle", "cs"): [{"dev": 3.0, "heldout": 3.0}, {"dev": 3.0, "heldout": 3.2}],
        ("one-cycle", "en"): [{"dev": 2.0, "heldout": 2.0}] * 2,
        ("adamw", "cs"): [{"dev": 2.9, "heldout": 2.0}] * 2,  # best on held-out text, which is no reason to take it
        ("adamw", "en"): [{"dev": 1.9, "heldout": 1.0}] * 2,
        ("muon", "cs"): [{"dev": 2.8, "heldout": 2.79}] * 2,
        ("muon", "en"): [{"dev": 1.8, "heldout": 1.9}] * 2,
        ("schedule-free", "cs"): [{"dev": 2.7, "heldout": 2.7}],  # lucky, perhaps: it was not repeated
        ("schedule-free", "en"): [{"dev": 1.7, "heldout": 1.7}],
    }
    figures = import_module("train_sample").figures_of(found)
    assert figures["gain_cs_schedule-free"] == 0.1 and "cs_schedule-free_spread" not in figures
    assert figures["gain_over_onecycle"] == 0.05
    assert figures["gain_outside_spread"] == 1.0


def test_finished_rounds_are_not_run_again(tmp_path: Path) -> None:
    rounds = import_module("train_rounds")
    calls: list[str] = []

    def job() -> dict[str, float]:
        calls.append("run")
        return {"tokens_per_second": float(len(calls))}

    for asked in (2, 3, 3):
        bench = rounds.Bench(tmp_path, rounds=asked, threads=1)
        found = bench.turns("speed", {"size": "tiny"}, {"ours": job})
        assert len(found) == asked
    assert len(calls) == 3
    assert [row["tokens_per_second"] for row in bench.rows] == [1.0, 2.0, 3.0]
    rounds.Bench(tmp_path, rounds=1, threads=1, fresh=True).turns("speed", {"size": "tiny"}, {"ours": job})
    assert len(calls) == 4


def plan_figures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, float], list[str]]:
    """What --only plan finds where every training does 100 tokens per second in 400 MB."""
    plan, rounds = import_module("train_plan"), import_module("train_rounds")
    measured = {"tokens_per_second": 100.0, "peak_megabytes": 400.0}
    monkeypatch.setattr(rounds.Bench, "train", lambda *_: measured)
    bench = rounds.Bench(folder, rounds=1, threads=1)
    return plan.plan(bench, Namespace(steps=1)), bench.notes


def test_the_worst_error_counts_too_little_as_much_as_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"tokens_per_second": 110.0, "peak_megabytes": 300.0}
    monkeypatch.setattr(import_module("train_plan"), "predicted", lambda shape: found)
    figures, _ = plan_figures(tmp_path, monkeypatch)
    assert figures["plan_worst_error"] == 0.25
    assert figures["plan_error_6x384_tokens_per_second"] == 0.1


def test_ratios_are_taken_within_rounds() -> None:
    found = [{"a": {"tokens_per_second": one}, "b": {"tokens_per_second": other}} for one, other in ((2, 1), (30, 10))]
    assert import_module("train_rounds").ratio(found, "a", "b") == 2.5


def test_a_kill_counts_as_while_saving_only_if_it_left_a_new_half_written_file(tmp_path: Path) -> None:
    kill = import_module("train_kill")
    (tmp_path / "progress").mkdir()
    (tmp_path / "progress" / "step-00000001.safetensors").touch()
    (tmp_path / "progress" / ".writing").touch()
    before = kill.half_written(tmp_path)
    assert len(before) == 1
    assert kill.kill(_sleeper(), tmp_path, before) == "between"
    os.utime(tmp_path / "progress" / ".writing", (1, 1))
    assert kill.kill(_sleeper(), tmp_path, before) == "saving"


def _sleeper() -> int:
    return os.posix_spawn("/bin/sleep", ["sleep", "60"], os.environ)
