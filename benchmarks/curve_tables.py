"""The table of docs/why/curve.md: every arm at every length, in each language."""

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


TABLES: Mapping[str, Callable[[Sequence[Row]], str]] = {"curve_bits": bits}
