"""What is seen of a training."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest

from mothertongue.run.journal import Journal, sparkline


def test_a_sparkline_shows_the_whole_way_and_ends_with_the_newest() -> None:
    values = [float(value) for value in range(100, 0, -1)]
    line = sparkline(values, width=10)
    assert len(line) == 10
    assert line[-1] == "▁"
    assert sparkline([2.0]) == "▁"


def test_the_note_has_loss_score_and_the_lines_beside_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path, {"5-gram": 1.5})
    assert journal.note(tokens_per_second=0.0, share=0.0) == "0 tokens/s"
    journal.add(step=1, loss=3.25)
    journal.add(step=1, dev_bits_per_byte=1.75)
    note = journal.note(tokens_per_second=2390.4, share=0.812)
    assert note == "loss 3.250 ▁  dev 1.750 bits/byte (5-gram 1.500)  2,390 tokens/s, 81% of the machine"


def test_the_log_begins_where_the_state_ends(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.add(step=1, loss=3.0)
    journal.begin([{"step": 1, "loss": 2.0}])
    journal.add(step=2, loss=1.0)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["loss"] for line in lines] == [2.0, 1.0]
    assert journal.tail() == 1.0


def test_the_picture_is_drawn_with_and_without_scores(tmp_path: Path) -> None:
    for log in ([], [{"step": 1, "loss": 3.0}, {"step": 1, "dev_bits_per_byte": 2.0}]):
        journal = Journal(tmp_path, {"5-gram": 1.5} if log else {})
        journal.begin(list(log))
        journal.finish()
        assert (tmp_path / "training.png").read_bytes().startswith(b"\x89PNG")
        (tmp_path / "training.png").unlink()


def test_tensorboard_reads_the_same_curve(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of its own
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        journal = Journal(tmp_path, tensorboard=True)
        journal.add(step=5, phase="everything", loss=3.25)
        journal.finish()
        events = EventAccumulator(str(tmp_path / "tensorboard"))
        events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(5, 3.25)]
