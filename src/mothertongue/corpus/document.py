"""What flows through the corpus room: documents, one at a time, never all at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Document:
    """One text that was written as a whole: an article, a chapter, a page."""

    text: str
    id: str  # where it stands: file and line, or wiki and page number; unique within a corpus
    source: str  # the name of its source in the recipe
    meta: dict[str, Any] = field(default_factory=dict)  # what else its source says: title, author, origin
