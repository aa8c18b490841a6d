"""Short trainings of small models tell what this machine takes for each term of a training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mothertongue.errors import ArtifactError
from mothertongue.model import probe
from mothertongue.model.probe import measure, shape_of
from mothertongue.run import machine as machine_room
from mothertongue.run.derive import Shape
from mothertongue.run.machine import Machine, measure_machine
from mothertongue.run.predict import predict

TINY = (("gpt2", 2, 32, 1, 128, 2, 32, 0.0), ("gpt2", 1, 64, 1, 512, 2, 16, 0.1), ("llama", 1, 32, 1, 128, 2, 32, 0.0))


def test_tiny_probes_give_a_machine_that_predicts() -> None:
    shares: list[float] = []
    found = measure(0.0, TINY, on_turn=shares.append)
    assert shares[-1] == 1 and shares == sorted(shares)
    machine = Machine(**json.loads(json.dumps(found)))
    assert machine.threads >= 1
    assert 0 < machine.idle <= 1
    assert machine.heap_megabytes >= 0
    predicted = predict(Shape(2, 32, 32, 1, 128), 2, 32, machine)
    assert 10 < predicted.tokens_per_second < 1e7
    assert machine.base_megabytes < predicted.megabytes < machine.base_megabytes + 100


def test_the_command_tells_how_far_it_is_and_then_the_machine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(probe, "LOADS", TINY)
    monkeypatch.setattr(probe.sys, "argv", ["probe", "0"])
    probe.main()
    *shares, last = capsys.readouterr().out.splitlines()
    assert [float(share) for share in shares] == pytest.approx([(n + 1) / 6 for n in range(6)], abs=0.001)
    assert Machine(**json.loads(last)).base_megabytes > 10


def test_the_shape_of_a_model_is_read_from_its_parts(tiny_checkpoint: Path) -> None:
    from mothertongue.model.checkpoint import open_checkpoint

    shape = shape_of(open_checkpoint(tiny_checkpoint).model, dropout=0.1)
    assert (shape.layers, shape.hidden_size, shape.context, shape.heads) == (2, 16, 64, 2)
    assert (shape.block_weights, shape.tied, shape.llama, shape.dropout) == (12 * 16**2, True, False, 0.1)


def test_what_another_process_measured_becomes_a_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho 0.5\necho \'{"seconds": {"products": 1e-11}, "threads": 3}\'\n')
    fake.chmod(0o755)
    monkeypatch.setattr(machine_room.sys, "executable", str(fake))
    found = measure_machine(1)
    assert (found.threads, round(found.gigaflop_per_second)) == (3, 100)
    assert found.memory_megabytes > 100


def test_a_measurement_that_fails_says_how_to_see_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    monkeypatch.setattr(machine_room.sys, "executable", str(fake))
    with pytest.raises(ArtifactError, match="ended with 3"):
        measure_machine(1)
