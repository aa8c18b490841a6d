"""The figures of benchmarks/transfer.py follow from the trainings, and what cannot be said is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from mothertongue.compare.training import Result
from mothertongue.run.derive import Shape, learning_rate

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield


def curve(arm: str, **bits: float) -> list[Result]:
    """One seed of an arm: budgets b1, b10, ... as their TFLOP and steps."""
    return [
        Result(arm, float(name[1:]), 0, value, int(name[1:]), 1, float(name[1:]), 0, 0, 1.0, 2e-3, 1.0, "adamw")
        for name, value in bits.items()
    ]


RESULTS = [*curve("scratch", b1=4.0, b10=3.0, b100=2.0), *curve("align", b1=3.0, b10=2.5)]


def figures(results: list[Result]) -> Any:
    return import_module("transfer_figures").figures_of_language("xx", results)


def test_savings_are_named_as_asked_for() -> None:
    found = figures(RESULTS)
    assert found["xx_saving_at_1"] == pytest.approx(10) and found["xx_saving_at_10"] == pytest.approx(10**0.5, abs=1e-4)
    assert not any("guillou" in key or "wechsel" in key for key in found)


def test_a_recipe_is_compared_at_equal_bits_and_at_equal_compute() -> None:
    found = figures([*RESULTS, *curve("guillou", b10=3.0)])
    assert found["xx_guillou_compute_share"] == pytest.approx(0.1)
    assert found["xx_gain_over_guillou"] == pytest.approx(1 - 2.5 / 3.0, abs=1e-4)
    worse = figures([*RESULTS, *curve("guillou", b10=3.5)])
    assert worse["xx_guillou_compute_share"] == pytest.approx(0.1) and worse["xx_guillou_compute_share_is_most"] == 1


def test_a_recipe_stands_beside_the_one_that_plan_writes_and_beside_one_that_has_to_search() -> None:
    dear = [replace(each, probes_tflop=10.0) for each in RESULTS]
    found = figures([*dear, *curve("guillou", b10=3.0)])
    assert found["xx_guillou_compute_share"] == pytest.approx(0.1)
    assert found["xx_guillou_compute_share_with_probes"] == pytest.approx(1.1)
    odd = [replace(each, learning_rate=5e-3) for each in RESULTS]
    assert "xx_guillou_compute_share" not in figures([*odd, *curve("guillou", b10=3.0)])
    planned = learning_rate(Shape(layers=4, hidden_size=128, context=256))
    assert import_module("transfer_figures").PLANNED.learning_rate == planned


def test_other_rows_are_compared_in_bits_and_in_steps() -> None:
    found = figures(
        [*RESULTS, *curve("focus", b10=2.7), *curve("wechsel", b10=2.6), *curve("align+dictionary", b1=2.8, b10=2.4)]
    )
    assert found["xx_align_minus_focus"] == pytest.approx(-0.2)
    assert found["xx_steps_vs_wechsel"] == pytest.approx(10**0.5 / 10, abs=1e-4)
    assert "xx_steps_vs_wechsel_is_least" not in found
    never = figures([*RESULTS, *curve("wechsel", b1=3.0, b10=2.3), *curve("align+dictionary", b1=2.8, b10=2.4)])
    assert (never["xx_steps_vs_wechsel"], never["xx_steps_vs_wechsel_is_least"]) == (1.0, 1.0)
    assert (never["xx_steps_vs_wechsel_at_1"], never["xx_steps_vs_wechsel_at_1_is_most"]) == (1.0, 1.0)


def test_pieces_name_arms_that_exist_or_are_noted() -> None:
    transfer, notes = import_module("transfer"), set[str]()
    for piece in transfer.PIECES.values():
        left = transfer.available(piece, "words.tsv", notes)
        assert {arm for arm in piece.arms if left is None or arm not in left.arms} <= {
            note.split()[0] for note in notes
        }
    assert {"scratch", "align"} == set(transfer.available(transfer.PIECES["curve"], "", notes).arms)


def test_a_piece_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["transfer.py", "--only", "curv"])
    with pytest.raises(SystemExit):
        import_module("transfer").main()
    assert "curv: there are cs, bg, el, curve" in capsys.readouterr().err


def test_rows_of_another_machine_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    transfer, results_file = import_module("transfer"), import_module("results_file")
    for module in (transfer, results_file):
        monkeypatch.setattr(module, "RESULTS", tmp_path)
    assert transfer.collect(["cs"], tmp_path / "runs", set(), quick=False).keys() <= {"init_seconds_50k"}
    rows = [{"language": "cs", **asdict(result)} for result in RESULTS]
    results_file.write_results("transfer", {}, rows, seconds=1)
    found = transfer.collect(["cs", "bg"], tmp_path / "runs", set(), quick=False)
    assert found["cs_saving_at_1"] == pytest.approx(10) and not any(key.startswith("bg") for key in found)
    assert results_file.read_rows("transfer") == rows
