"""What a finished corpus kept and dropped: a table for the terminal and one HTML page to look at.

    mothertongue corpus inspect runs/czech/corpus          writes runs/czech/corpus.html
    inspect_corpus(Path("runs/czech/corpus")).text

findings.py reads what the corpus says of itself, look.py reads a bounded part of its shards, table.py and page.py show
both. Nothing is written into the corpus: its manifest names every file in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mothertongue.corpus.inspect.findings import Findings, read_findings
from mothertongue.corpus.inspect.look import look
from mothertongue.corpus.inspect.page import make_page
from mothertongue.corpus.inspect.table import tell_findings
from mothertongue.errors import ArtifactError


@dataclass(frozen=True)
class Inspection:
    """What was found, for people and for machines, and where the page is."""

    text: str
    figures: dict[str, Any]
    page: Path


def inspect_corpus(folder: Path, page: Path | None = None) -> Inspection:
    """Tables of what the corpus in `folder` kept and dropped; the same with pictures and samples goes to the HTML file
    `page`, by default FOLDER.html beside the folder. ArtifactError if the folder is no finished corpus or is damaged.
    """
    folder = Path(folder).resolve()
    page = Path(page) if page else folder.with_name(f"{folder.name}.html")
    findings = read_findings(folder)
    if page.resolve().is_relative_to(folder):
        raise ArtifactError(f"{page} lies inside the corpus, which must stay as it was made. Name a file beside it.")
    html = make_page(findings, look(folder, findings))
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(html, "utf-8")
    except OSError as error:
        raise ArtifactError(f"{page} cannot be written: {error.strerror or error}. Name another file.") from error
    return Inspection(f"{tell_findings(findings)}\npage   {page}", _figures(findings, page), page)


def _figures(findings: Findings, page: Path) -> dict[str, Any]:
    return {
        "documents": findings.documents,
        "bytes": findings.bytes,
        "dropped": findings.dropped,
        "sources": [
            {"name": one.name, "documents": one.documents, "bytes": one.bytes, "dropped": one.dropped}
            for one in findings.sources
        ],
        "sides": {side: {"documents": size.documents, "bytes": size.bytes} for side, size in findings.sides.items()},
        "templates": [one.__dict__ for one in findings.templates],
        "page": str(page),
    }
