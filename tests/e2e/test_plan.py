"""What `mothertongue plan` writes runs as it stands, from a small text to an exported model."""

from __future__ import annotations

from pathlib import Path

import pytest

from mothertongue.run import plan
from mothertongue.run.artifact import read_manifest
from mothertongue.run.build import run_recipe
from mothertongue.run.machine import Machine
from mothertongue.run.plan import write_plan
from mothertongue.run.recipe import parse_recipe
from mothertongue.run.story import tell


def test_a_plan_runs_from_end_to_end(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "measure_machine", lambda seconds: Machine(seconds={"products": 7e-8, "parameters": 0.0}))
    for number in range(60):
        lines = [
            f"V {line}. kapitole {number}. knihy se píše, jak mlynář z {number + line}. domu opravoval {line * 7} kol, "
            f"kolik stálo {number * 13 + line} pytlů mouky a proč se v zimě {line + 2} dny nemlelo."
            for line in range(1, 7)
        ]
        (tmp_path / f"{number}.txt").write_text("\n".join(lines), "utf-8")
    text = write_plan("any", hours=0.05, sources=(str(tmp_path / "*.txt"),), base=str(tiny_checkpoint))
    # sixty chapters of one pattern are what these rules are against
    changes = {"corpus.near_duplicate_threshold": "1.0", "corpus.template_made": '"keep"'}
    made = run_recipe(parse_recipe(text, changes=changes), tmp_path / "run")
    assert list(made)[-1] == "export"
    assert made["compress"]["metrics"]["layers"] == 1
    assert read_manifest(tmp_path / "run" / "export")["kind"] == "export"
    told = tell(tmp_path / "run")
    assert "8 of 8 steps are finished" in told
    assert f"next   mothertongue generate {tmp_path}/run/export" in told
