from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from mothertongue.errors import ArtifactError
from mothertongue.evaluate.config import EvaluateConfig
from mothertongue.evaluate.report import compare_reports, make_report, read_report, render_markdown
from mothertongue.evaluate.tasks import Outcome, Subject
from mothertongue.model.checkpoint import Checkpoint

PNG = b"\x89PNG\r\n"


def write(folder: Path, bits: float, **others: float) -> Path:
    folder.mkdir(parents=True)
    figures = {"bits_per_byte": bits, **others}
    measured = {"model": folder.name, "split": "heldout", "documents": 3, "bytes": 4000}
    (folder / "report.json").write_text(json.dumps({"figures": figures, "rows": [], "notes": [], "measured": measured}))
    return folder


def test_the_model_stands_first_and_the_baselines_follow_by_bits(opened: Checkpoint, tmp_path: Path) -> None:
    outcomes = {
        "baselines": Outcome({}, [{"name": "uniform", "bits_per_byte": 4.0}, {"name": "xz", "bits_per_byte": 2.5}]),
        "bits_per_byte": Outcome({"bits_per_byte": 3.0}, [{"name": "model", "bits_per_byte": 3.0}], ["A note."]),
    }
    report = make_report(outcomes, Subject(opened, tmp_path, ["ž"], EvaluateConfig(), tmp_path))
    assert [row["name"] for row in report["rows"]] == ["model", "xz", "uniform"]
    assert report["measured"] == {"model": "tiny", "split": "heldout", "documents": 1, "bytes": 2}
    assert report["notes"] == ["A note."]


def test_figures_without_a_number_are_null_in_json(opened: Checkpoint, tmp_path: Path) -> None:
    subject = Subject(opened, tmp_path, ["a"], EvaluateConfig(), tmp_path)
    assert make_report({"x": Outcome({"f": math.inf, "n": 3})}, subject)["figures"] == {"f": None, "n": 3}


def test_the_table_says_what_was_measured_and_how_sure_it_is() -> None:
    report = {
        "figures": {"bits_per_byte": 2.0, "bits_per_byte_error": 0.0123},
        "rows": [{"name": "model", "bits_per_byte": 2.0, "what": "context 64"}, {"name": "xz", "bits_per_byte": 2.5}],
        "notes": ["Next word: right at 20.0% of 2000 places."],
        "measured": {"model": "train", "split": "heldout", "documents": 1234, "bytes": 2_500_000},
    }
    text = render_markdown(report)
    assert "Measured on 1,234 held-out documents, 2.50 MB." in text
    assert "| model | 2.000 ± 0.012 | context 64 |" in text
    assert "| xz | 2.500 |  |" in text
    assert text.endswith("- Next word: right at 20.0% of 2000 places.\n")


def test_models_are_compared_in_one_picture_and_one_table(tmp_path: Path) -> None:
    lines = {"fivegram_bits_per_byte": 2.2, "xz_bits_per_byte": 2.6}
    reports = {
        "Czech/from scratch": write(tmp_path / "a", 2.5, **lines),
        "Czech/align": write(tmp_path / "b", 2.1, next_word_accuracy=0.2, **lines),
        "Bulgarian/align": write(tmp_path / "c", 1.6),
    }
    table = compare_reports(reports, tmp_path / "all.png")
    assert (tmp_path / "all.png").read_bytes().startswith(PNG)
    assert table.splitlines() == [
        "| | bits per byte | 5-gram | xz | next word right |",
        "|---|---:|---:|---:|---:|",
        "| Czech: from scratch | 2.500 | 2.200 | 2.600 |  |",
        "| Czech: align | 2.100 | 2.200 | 2.600 | 20.0% |",
        "| Bulgarian: align | 1.600 |  |  |  |",
    ]


def test_the_same_figures_make_the_same_picture(tmp_path: Path) -> None:
    report = write(tmp_path / "a", 2.5)
    for name in ("one.svg", "two.svg", "one.png", "two.png"):
        compare_reports({"a": report}, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_folder_without_a_report_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is no report"):
        read_report(tmp_path)
    (tmp_path / "report.json").write_text("[1]")
    with pytest.raises(ArtifactError, match="mothertongue evaluate"):
        read_report(tmp_path)
