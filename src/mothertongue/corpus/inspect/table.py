"""What was kept and dropped as tables in the terminal: one line for each source, one for each reason."""

from __future__ import annotations

import io
from collections.abc import Sequence

from mothertongue.corpus.inspect.findings import Findings
from mothertongue.corpus.ledger import documents_in

WIDTH = 110
_MOST_SOURCES = 40
_MOST_COLUMNS = 6
_MOST_REASONS = 40
_NAME = 28
_COLUMN = 11


def tell_findings(findings: Findings) -> str:
    """Both tables as plain text."""
    from rich.console import Console
    from rich.table import Table

    out = io.StringIO()
    console = Console(file=out, width=WIDTH, force_terminal=False, markup=False, highlight=False, emoji=False)
    total = findings.documents + documents_in(findings.dropped)
    console.print(
        f"{findings.folder}: {plain(findings.language_name)}, {findings.documents:,} of {total:,} documents kept, "
        f"{findings.bytes / 1e6:,.1f} MB",
        soft_wrap=True,
    )
    for head, rows in ((_SOURCE_HEAD, _source_rows(findings)), _reasons(findings)):
        table = Table(box=None, pad_edge=False, header_style="")
        for number, name in enumerate(head):
            table.add_column(name, justify="right" if number else "left", overflow="ellipsis", no_wrap=True)
        for row in rows:
            table.add_row(*row)
        console.print()
        console.print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


_SOURCE_HEAD = ("source", "licence", "kept", "MB", "of all MB", "dropped", "of its documents")


def _source_rows(findings: Findings) -> list[tuple[str, ...]]:
    rows = list[tuple[str, ...]]()
    for one in sorted(findings.sources, key=lambda source: -source.bytes)[:_MOST_SOURCES]:
        gone = documents_in(one.dropped)
        rows.append(
            (
                plain(one.name),
                plain(one.licence),
                f"{one.documents:,}",
                f"{one.bytes / 1e6:,.2f}",
                f"{one.bytes / max(1, findings.bytes):.1%}",
                f"{gone:,}",
                f"{gone / max(1, gone + one.documents):.1%}",
            )
        )
    if len(findings.sources) > _MOST_SOURCES:
        rows.append((f"and {len(findings.sources) - _MOST_SOURCES} more", *[""] * 6))
    return rows


def _reasons(findings: Findings) -> tuple[Sequence[str], list[tuple[str, ...]]]:
    """A column for each of the sources that lost most."""
    losing = sorted((one for one in findings.sources if one.dropped), key=lambda one: -sum(one.dropped.values()))
    columns, others = losing[:_MOST_COLUMNS], losing[_MOST_COLUMNS:]
    head = ["dropped because", "times", *(plain(one.name, _COLUMN) for one in columns if len(losing) > 1)]
    head += ["others"] if others else []
    rows = []
    for reason, count in list(findings.dropped.items())[:_MOST_REASONS]:
        counts = [one.dropped.get(reason, 0) for one in columns if len(losing) > 1]
        counts += [sum(one.dropped.get(reason, 0) for one in others)] if others else []
        rows.append((plain(reason), f"{count:,}", *(f"{number:,}" if number else "" for number in counts)))
    if len(findings.dropped) > _MOST_REASONS:
        rows.append((f"and {len(findings.dropped) - _MOST_REASONS} more", *[""] * (len(head) - 1)))
    return head, rows or [("nothing", "0")]


def plain(text: str, most: int = _NAME) -> str:
    """A name that a stranger may have chosen, without what would move the cursor, on one line."""
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[: most + 1])
    return text if len(text) <= most else f"{text[: most - 1]}…"
