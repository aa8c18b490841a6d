"""Which documents are measured on: all of a side of the corpus, or some of them by lot, but always whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import read_documents
from mothertongue.corpus.split import Split
from mothertongue.errors import ArtifactError


def heldout_texts(corpus: Path, split: Split, *, max_megabytes: float = 0.0, seed: int = 0) -> list[str]:
    """The texts of one side of `corpus`, at most `max_megabytes` of UTF-8 (0 = all), but at least one document.

    Fewer than all are drawn in the order of a hash of seed and document, so that a larger sample contains the smaller.
    Raises ArtifactError if the side has no text.
    """
    documents = [document for document in read_documents(corpus, split) if document.text]
    if not documents:
        raise ArtifactError(
            f"{corpus} has no {split} text to measure on. "
            f"Make the corpus again with more text or a larger {split}_share."
        )
    if max_megabytes:
        documents = _draw(documents, int(max_megabytes * 1e6), seed)
    return [document.text for document in documents]


def _draw(documents: list[Document], max_bytes: int, seed: int) -> list[Document]:
    def lot(document: Document) -> bytes:
        return hashlib.blake2b(f"{seed}\0{document.id}\0{document.text}".encode(), digest_size=8).digest()

    drawn: list[Document] = []
    size = 0
    for document in sorted(documents, key=lot):
        size += len(document.text.encode("utf-8"))
        if drawn and size > max_bytes:
            break
        drawn.append(document)
    return drawn
