"""The README.md of a corpus folder: what is in it, where it comes from, what was left out and why."""

from __future__ import annotations

from mothertongue.run.artifact import Metrics


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
        "| dropped because | documents |",
        "|---|---:|",
        *(f"| {reason} | {count:,} |" for reason, count in metrics["dropped"].items()),
        "",
        "Samples of what was dropped stand in `dropped.jsonl`. The side of a document is decided by the hash of "
        "its text.",
    ]
    return "\n".join(lines) + "\n"
