"""What was measured, three times: report.json for machines, report.md as a table, report.png as a picture."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from mothertongue.errors import ArtifactError
from mothertongue.evaluate.picture import draw_bars, draw_comparison
from mothertongue.evaluate.tasks import Outcome, Subject
from mothertongue.run.artifact import write_json

Report = dict[str, Any]

POLICY = (
    "Bits per UTF-8 byte of whole documents that no step was trained on. Each document starts from the end-of-text "
    "token, which is not scored, and sees no other document. Lower is better."
)


def write_report(out: Path, outcomes: Mapping[str, Outcome], subject: Subject) -> Report:
    """Write the files into `out` (no picture without rows); gives what report.json holds.

    That is `figures` (flat), `rows`, `notes` and what was `measured`.
    """
    report = make_report(outcomes, subject)
    write_json(out / "report.json", report)
    (out / "report.md").write_text(render_markdown(report), encoding="utf-8")
    if report["rows"]:
        draw_bars(report["rows"], out / "report.png", caption=_sample(report))
    return report


def make_report(outcomes: Mapping[str, Outcome], subject: Subject) -> Report:
    """All outcomes as one report; rows begin with the model, the others follow from few bits to many."""
    figures = {name: value for outcome in outcomes.values() for name, value in outcome.figures.items()}
    rows = [row for outcome in outcomes.values() for row in outcome.rows]
    return {
        "figures": {name: _rounded(value) for name, value in figures.items()},
        "rows": sorted(rows, key=lambda row: (row["name"] != "model", row["bits_per_byte"])),
        "notes": [note for outcome in outcomes.values() for note in outcome.notes],
        "measured": {
            "model": subject.checkpoint.path.name,
            "split": subject.config.split,
            "documents": len(subject.texts),
            "bytes": sum(len(text.encode("utf-8")) for text in subject.texts),
        },
    }


def read_report(folder: Path) -> Report:
    """The report in `folder`; ArtifactError if there is none."""
    file = Path(folder) / "report.json"
    try:
        report = json.loads(file.read_text("utf-8"))
        if not {"figures", "rows", "measured"} <= set(report):
            raise ValueError("it lacks figures, rows or measured")
    except (OSError, ValueError, TypeError) as error:
        raise ArtifactError(
            f"{file} is no report: {error}. Name a folder that `mothertongue evaluate` made."
        ) from error
    return cast(Report, report)


def render_markdown(report: Report) -> str:
    """The report as a table and sentences."""
    error = report["figures"].get("bits_per_byte_error")
    lines = ["# How good is it?", "", POLICY, "", f"Measured on {_sample(report)}.", ""]
    if report["rows"]:
        lines += ["| | bits per byte | |", "|---|---:|---|"]
    for row in report["rows"]:
        spread = f" ± {error:.3f}" if error and row["name"] == "model" else ""
        lines.append(f"| {row['name']} | {row['bits_per_byte']:.3f}{spread} | {row.get('what', '')} |")
    lines += ["", *(f"- {note}" for note in report["notes"])]
    return "\n".join(lines).strip() + "\n"


def compare_reports(reports: Mapping[str, Path], out: Path) -> str:
    """Draw several models side by side into the picture `out` (.png, .svg or .pdf) and return them as a Markdown table.

    `reports` maps a label to a report's folder, in the order to show; "Czech/align" is the bar `align` in the group
    `Czech`. The lines of 5-gram and xz are those of each group's first report that has them.
    """
    opened = {label: read_report(folder) for label, folder in reports.items()}
    groups: dict[str, dict[str, Report]] = {}
    for label, report in opened.items():
        group, _, name = label.rpartition("/")
        groups.setdefault(group, {})[name] = report
    draw_comparison(
        {group: {name: _bits(report) for name, report in members.items()} for group, members in groups.items()},
        {group: _lines(list(members.values())) for group, members in groups.items()},
        out,
    )
    return _comparison_table(opened)


def _comparison_table(reports: Mapping[str, Report]) -> str:
    columns = {"bits per byte": "bits_per_byte", "5-gram": "fivegram_bits_per_byte", "xz": "xz_bits_per_byte"}
    shown = {head: key for head, key in columns.items() if any(key in report["figures"] for report in reports.values())}
    words = any("next_word_accuracy" in report["figures"] for report in reports.values())
    lines = ["| | " + " | ".join([*shown, *(["next word right"] if words else [])]) + " |"]
    lines.append("|---|" + "---:|" * (len(shown) + words))
    for label, report in reports.items():
        figures = report["figures"]
        cells = [f"{figures[key]:.3f}" if key in figures else "" for key in shown.values()]
        if words:
            cells.append(f"{figures['next_word_accuracy']:.1%}" if "next_word_accuracy" in figures else "")
        lines.append(f"| {label.replace('/', ': ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _bits(report: Report) -> float:
    try:
        return float(report["figures"]["bits_per_byte"])
    except KeyError:
        raise ArtifactError(
            f'The report of "{report["measured"].get("model")}" has no bits_per_byte. Evaluate it with that task.'
        ) from None


def _lines(reports: Sequence[Report]) -> dict[str, float]:
    names = {"5-gram": "fivegram_bits_per_byte", "xz": "xz_bits_per_byte"}
    return {
        name: next(report["figures"][key] for report in reports if key in report["figures"])
        for name, key in names.items()
        if any(key in report["figures"] for report in reports)
    }


def _sample(report: Report) -> str:
    measured = report["measured"]
    side = {"heldout": "held-out", "dev": "development"}[measured["split"]]
    size = measured["bytes"]
    amount = f"{size / 1e6:.2f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"
    return f"{measured['documents']:,} {side} document{'s' * (measured['documents'] != 1)}, {amount}"


def _rounded(value: float) -> float | int | None:
    if isinstance(value, int):
        return value
    return float(f"{value:.7g}") if math.isfinite(value) else None  # JSON has no infinity
