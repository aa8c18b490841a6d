"""Which templates were dropped, how often, and how much wikitext went with them: what to add to `languages/*.toml`
next.
"""

from __future__ import annotations

from typing import Any

_MOST_NAMES = 20_000
_LONGEST_NAME = 80
OTHER = "(other templates)"


class TemplateWeights:
    """Counts of dropped templates by name."""

    def __init__(self) -> None:
        self._rows: dict[str, list[int]] = {}  # name -> count, count in running text, characters

    def add(self, name: str, *, characters: int, in_text: bool) -> None:
        """One dropped template of so many characters; `in_text` if text stands before it on its line."""
        row = self._rows.get(name)
        if row is None:
            row = self._rows.setdefault(name[:_LONGEST_NAME] if len(self._rows) < _MOST_NAMES else OTHER, [0, 0, 0])
        row[0] += 1
        row[1] += in_text
        row[2] += characters

    def plain(self) -> dict[str, list[int]]:
        """All of it as JSON values, for `merge`."""
        return dict(sorted(self._rows.items()))

    def merge(self, plain: dict[str, list[int]]) -> None:
        """Add what was counted elsewhere, as by another process."""
        for name, added in plain.items():
            row = self._rows.setdefault(name if len(self._rows) < _MOST_NAMES else OTHER, [0, 0, 0])
            for at, number in enumerate(added):
                row[at] += number

    def heaviest(self, most: int = 50) -> list[dict[str, Any]]:
        """Rows {name, count, in_text, characters}: those that left most gaps in running text first."""
        ordered = sorted(self._rows.items(), key=lambda item: (-item[1][1], -item[1][2], item[0]))
        return [
            {"name": name, "count": count, "in_text": in_text, "characters": characters}
            for name, (count, in_text, characters) in ordered[:most]
        ]

    @property
    def count(self) -> int:
        """How many were dropped in all."""
        return sum(row[0] for row in self._rows.values())

    @property
    def characters(self) -> int:
        """How much wikitext they were."""
        return sum(row[2] for row in self._rows.values())
