"""The README.md of a corpus folder: what is in it, where it comes from, what was left out and why."""

from __future__ import annotations

from typing import Any

from mothertongue.corpus.sources import UNKNOWN
from mothertongue.run.artifact import Metrics

_MOST_TEMPLATES = 25


def corpus_readme(metrics: Metrics) -> str:
    """A page of Markdown from the metrics of the corpus stage."""
    name = metrics["language_name"]
    lines = [
        f"# Corpus: {name}",
        "",
        f"{metrics['documents']:,} documents, {metrics['bytes'] / 1e6:,.1f} MB of text, as JSON lines "
        f"{{id, text, source}} in zstd.",
        "",
        "| side | documents | MB |",
        "|---|---:|---:|",
        *(
            f"| {split} | {part['documents']:,} | {part['bytes'] / 1e6:,.2f} |"
            for split, part in metrics["splits"].items()
        ),
        "",
        "| source | licence | documents | MB |",
        "|---|---|---:|---:|",
        *(
            f"| {s['name']} | {s['licence']} | {s['documents']:,} | {s['bytes'] / 1e6:,.2f} |"
            for s in metrics["sources"]
        ),
        "",
        *_rights(metrics["sources"]),
        "| dropped because | times |",
        "|---|---:|",
        *(f"| {reason} | {count:,} |" for reason, count in metrics["dropped"].items()),
        "",
        *_templates(metrics["dropped_templates"]),
        "A reason with `paragraph:` counts paragraphs of documents that stay, `replaced:` documents that stay, "
        "`line-of-` lines. Samples of what was dropped stand in `dropped.jsonl`. The side of a document is decided by "
        "the hash of its text.",
    ]
    return "\n".join(lines) + "\n"


def without_licence(sources: list[dict[str, Any]]) -> str:
    """What is to be said of sources whose licence nobody has told; "" if there are none."""
    names = [source["name"] for source in sources if source["licence"] == UNKNOWN]
    if not names:
        return ""
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    return (
        f"Nobody has said under which licence the text of {shown} is. Look before you publish it or a model of it, "
        'then say it: sources = [{ path = "...", licence = "CC BY-SA 4.0" }].'
    )


def _rights(sources: list[dict[str, Any]]) -> list[str]:
    words = without_licence(sources)
    return [f"**Rights.** {words}", ""] if words else []


def _templates(rows: list[dict[str, Any]]) -> list[str]:
    """What was left out of wiki pages within their text, to see what is worth adding to languages/*.toml."""
    rows = [row for row in rows if row["in_text"]][:_MOST_TEMPLATES]
    if not rows:
        return []
    lines = ["| template left out | within text | in all | characters of wikitext |", "|---|---:|---:|---:|"]
    for row in rows:
        name = row["name"].replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {name} | {row['in_text']:,} | {row['count']:,} | {row['characters']:,} |")
    return [*lines, ""]
