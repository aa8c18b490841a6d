"""The tables of docs/why/curve.md: every arm at every length in each language, and SmolLM2 in Czech."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean

from results_file import Row

LANGUAGES = {"cs": "Czech", "bg": "Bulgarian", "el": "Greek"}


def bits(rows: Sequence[Row]) -> str:
    """Held-out bits per byte, means of the seeds and the distance of the outer ones."""
    found: dict[tuple[str, str, float], list[float]] = defaultdict(list)
    for row in rows:
        found[row["language"], row["arm"], row["budget"]].append(row["bits_per_byte"])
    budgets = sorted({budget for _, _, budget in found})
    lines = []
    for language, name in LANGUAGES.items():
        lines += [
            f"| {name} | " + " | ".join(f"{budget:g}" for budget in budgets) + " |",
            "|---" * (len(budgets) + 1) + "|",
        ]
        for arm in dict.fromkeys(arm for code, arm, _ in found if code == language):
            cells = [_cell(found.get((language, arm, budget), [])) for budget in budgets]
            lines.append(f"| `{arm}` | " + " | ".join(cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _cell(values: Sequence[float]) -> str:
    spread = f" ({max(values) - min(values):.3f})" if len(values) > 1 else ""
    return f"{fmean(values):.3f}{spread}" if values else ""


def real_base(rows: Sequence[Row]) -> str:
    """Held-out bits per byte of each method's rows, and after steps of training, the best start first."""
    steps = {row["step"]: row.get("bits_per_byte") for row in rows}
    starts = {step.removeprefix("start-"): bits for step, bits in steps.items() if step.startswith("start-")}
    trained = {tuple(step[3:].rsplit("-", 1)): bits for step, bits in steps.items() if step.startswith("at-")}
    lengths = sorted({int(length) for _, length in trained})
    head = ["rows", "start", *(f"{length} steps" for length in lengths)]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name in [*sorted(starts, key=lambda name: starts[name]), *({name for name, _ in trained} - starts.keys())]:
        label = name.replace("-", "+")
        cells = [starts.get(name), *(trained.get((name, str(length))) for length in lengths)]
        lines.append(f"| `{label}` | " + " | ".join(f"{bits:.3f}" if bits else "" for bits in cells) + " |")
    return "\n".join([*lines, ""])


SMOLLM2: Mapping[str, Callable[[Sequence[Row]], str]] = {"smollm2": real_base}
TABLES: Mapping[str, Callable[[Sequence[Row]], str]] = {"curve_bits": bits}
